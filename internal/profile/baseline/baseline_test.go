package baseline

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/syscalls"
)

var situations = []Situation{{}, {NoNewPrivileges: true}, {Fatal: true}, {NoNewPrivileges: true, Fatal: true}}

// A name that no table has would be left out of every profile in silence.
func TestCallsHaveNumbers(t *testing.T) {
	if len(All()) == 0 {
		t.Fatal("there are no baselines")
	}
	for _, b := range All() {
		for _, s := range situations {
			calls := b.Calls(s)
			if !slices.IsSorted(calls) || len(slices.Compact(slices.Clone(calls))) != len(calls) {
				t.Errorf("%s, %+v: %v are not sorted, each once", b.Name, s, calls)
			}
			for _, name := range calls {
				if !slices.ContainsFunc(event.ABIs(), func(abi event.ABI) bool { _, ok := syscalls.Number(abi, name); return ok }) {
					t.Errorf("%s: no ABI has a call %q", b.Name, name)
				}
			}
		}
	}
}

// Who has more to do under the filter needs more.
func TestSituations(t *testing.T) {
	for _, b := range All() {
		least := b.Calls(Situation{NoNewPrivileges: true})
		if len(least) == 0 {
			t.Errorf("%s needs nothing", b.Name)
		}
		most := b.Calls(Situation{Fatal: true})
		for _, s := range situations {
			for _, name := range least {
				if !slices.Contains(b.Calls(s), name) {
					t.Errorf("%s: %s is needed with no_new_privs, and not with %+v", b.Name, name, s)
				}
			}
			for _, name := range b.Calls(s) {
				if !slices.Contains(most, name) {
					t.Errorf("%s: %s is needed with %+v, and not without no_new_privs where a refusal kills", b.Name, name, s)
				}
			}
		}
	}
}

// A runtime without a version stands for all its versions, one with it for itself.
func TestFor(t *testing.T) {
	names := func(list []*Baseline) (names []string) {
		for _, b := range list {
			names = append(names, b.Name)
		}
		return names
	}
	for name, want := range map[string][]string{
		"runc":     {"runc-1.1", "runc-1.3"},
		"runc-1.1": {"runc-1.1"},
		"crun":     {"crun-0.17", "crun-1.8", "crun-1.21", "crun-1.28"},
		"bwrap":    {"bwrap-0.8"},
		"firejail": {"firejail-0.9"},
		"run":      nil,
		"runc-":    nil,
		"":         nil,
	} {
		if diff := cmp.Diff(want, names(For(name))); diff != "" {
			t.Errorf("%q: -want +got\n%s", name, diff)
		}
	}
}

func TestParse(t *testing.T) {
	b, err := parse("box-1.2", "# Measured.\nread\twrite\n\n# Twice.\nwithout no_new_privs:\nread setuid\nif a refusal kills:\nclose\nif a refusal kills, without no_new_privs:\nchdir\n")
	if err != nil {
		t.Fatal(err)
	}
	want := &Baseline{
		Name: "box-1.2", Runtime: "box", Provenance: []string{"Measured.", "Twice."},
		calls: map[Situation][]string{
			{}:                                   {"read", "setuid", "write"},
			{NoNewPrivileges: true}:              {"read", "write"},
			{Fatal: true}:                        {"chdir", "close", "read", "setuid", "write"},
			{NoNewPrivileges: true, Fatal: true}: {"close", "read", "write"},
		},
	}
	if diff := cmp.Diff(want, b, cmp.AllowUnexported(Baseline{})); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestParseErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                                "it does not say where it comes from",
		"read\n":                          "it does not say where it comes from",
		"# Measured.\nread\nsometimes:\n": `line "sometimes:" begins no list that is known`,
		"# Measured.\nread: write\n":      `"read:" is no name of a call`,
	} {
		if _, err := parse("box-1", text); err == nil || err.Error() != want {
			t.Errorf("%q: error %v, want %s", text, err, want)
		}
	}
}
