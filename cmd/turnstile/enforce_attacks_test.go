package main

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/turnstile-project/turnstile/internal/testenv"
)

// The tests in enforce_attack*_test.go run the small C programs of testdata/attacks, which
// try to get around the gate. Each runs bare first and has to win: an attack that cannot
// win proves nothing. Then it runs under turnstile enforce and has to lose, while what
// nobody forbids goes on as before.
//
//	TURNSTILE_STRESS=1	ten times as many tries for each race

// Turnstile starts itself again to supervise, by the name /proc/self/exe. TestMain knows
// what the test binary is to play by its name alone, and would run the tests.
func init() {
	if len(os.Args) > 1 && os.Args[0] == "/proc/self/exe" && os.Args[1] == "supervise" {
		main()
	}
}

// attackTries is how often a race is tried.
func attackTries() string {
	tries := inFull(20_000)
	if os.Getenv("TURNSTILE_STRESS") != "" {
		tries *= 10
	}
	return strconv.Itoa(tries)
}

// attack builds a program from testdata/attacks and returns its path, which every user
// can reach.
func attack(t testing.TB, name string) string {
	t.Helper()
	testenv.Root(t)
	if dir := os.Getenv("TURNSTILE_TARGETS"); dir != "" {
		return filepath.Join(dir, name)
	}
	testenv.Program(t, "gcc")
	out := filepath.Join(reachable(t), name)
	args := []string{"-O1", "-Wall", "-Werror", "-static", "-pthread", "-o", out, filepath.Join("testdata", "attacks", name+".c")}
	if b, err := exec.Command("gcc", args...).CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", name, err, b)
	}
	return out
}

// reachable is a new directory that every user can reach, under its real name. It is
// short, because addresses of sockets are.
func reachable(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/var/tmp", "attack-") //nolint:usetesting // the user nobody has to reach it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // the user nobody has to reach it
		t.Fatal(err)
	}
	dir, err = filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// results are the lines of an attack, a name and what came of it each.
func (o outcome) results() map[string]string {
	results := make(map[string]string)
	for line := range strings.Lines(o.stdout) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		results[name] = value
	}
	return results
}

// number is what an attack counted.
func (o outcome) number(t testing.TB, name string) int {
	t.Helper()
	n, err := strconv.Atoi(o.results()[name])
	if err != nil {
		t.Fatalf("no number %q in the output; exit code %d\n%s%s", name, o.code, o.stdout, o.stderr)
	}
	return n
}

// demandCode fails the test if a run did not end in this way.
func (o outcome) demandCode(t testing.TB, what string, code int) {
	t.Helper()
	if o.code != code {
		t.Errorf("%s: exit code %d, want %d\n%s%s", what, o.code, code, limitLines(o.stdout), o.stderr)
	}
}

func limitLines(text string) string {
	lines := strings.SplitAfter(text, "\n")
	return strings.Join(lines[max(0, len(lines)-20):], "")
}

// race runs an attack that counts how often it escaped: bare at least once, gated never.
// What is innocent has to work in the same run.
func (a *arena) race(t testing.TB, rules []string, argv ...string) outcome {
	t.Helper()
	control := a.bare(t, argv...)
	control.demandCode(t, "bare", 0)
	if control.number(t, "escaped") == 0 {
		t.Errorf("the attack did not win once in %s tries without a gate\n%s", attackTries(), control.stdout)
	}
	got := a.gated(t, rules, argv...)
	got.demandCode(t, "gated", 0)
	if n := got.number(t, "escaped"); n != 0 {
		t.Errorf("%d of %s tries escaped (%d without a gate)\n%s", n, attackTries(), control.number(t, "escaped"), got.stdout)
	}
	if got.number(t, "innocent") == 0 {
		t.Errorf("nothing that is allowed worked\n%s%s", got.stdout, got.stderr)
	}
	return got
}

// expectation says how a try has to end under the gate, by its name and how it ends
// without.
type expectation func(name, bare string) string

// denies expects EACCES where a name begins with one of these, and elsewhere the same as
// without a gate. Some tries fail anyway; they are named.
func denies(prefixes []string, failAnyway ...string) expectation {
	return func(name, bare string) string {
		if slices.Contains(failAnyway, name) || bare == "ENOSYS" {
			return bare
		}
		for _, p := range prefixes {
			if strings.HasPrefix(name, p) {
				return "EACCES"
			}
		}
		return bare
	}
}

// refuse runs an attack that prints the result of each try. Without a gate all that are
// to be refused have to succeed.
func (a *arena) refuse(t testing.TB, rules []string, want expectation, argv ...string) {
	t.Helper()
	control := a.bare(t, argv...)
	control.demandCode(t, "bare", 0)
	got := a.gated(t, rules, argv...)
	got.demandCode(t, "gated", 0)
	bare, gated := control.results(), got.results()
	refused := 0
	for _, name := range slices.Sorted(maps.Keys(bare)) {
		wanted := want(name, bare[name])
		if wanted != bare[name] {
			refused++
			if !won(name, bare[name]) {
				t.Errorf("%s: without a gate it is %q: the attack proves nothing", name, bare[name])
			}
		}
		if gated[name] != wanted {
			t.Errorf("%s: %q, want %q", name, gated[name], wanted)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(gated)) {
		if _, ok := bare[name]; !ok {
			t.Errorf("%s: %q, and without a gate there is no such line", name, gated[name])
		}
	}
	if refused == 0 {
		t.Errorf("nothing was to be refused:\n%s", control.stdout)
	}
	if t.Failed() && got.stderr != "" {
		t.Logf("stderr: %s", got.stderr)
	}
}

// won says whether an attack got what it wanted. Of what is no link, EINVAL says that it
// is there.
func won(name, result string) bool {
	return result == "ok" || result == "1" || strings.HasPrefix(name, "readlink") && result == "EINVAL"
}

// Rules that let everything be performed on behalf, because something somewhere is
// denied, and nothing that a test touches.
var nowhere = []string{"deny read /nonexistent/**", "deny write /nonexistent/**", "deny attr /nonexistent/**"}

// same runs a command bare and gated, and demands the same output and exit code.
func (a *arena) same(t *testing.T, argv ...string) {
	t.Helper()
	a.sameAs(t, nil, argv...)
}

// sameAs is same with a function that takes out of the output what differs anyway.
func (a *arena) sameAs(t *testing.T, clean func(string) string, argv ...string) {
	t.Helper()
	if clean == nil {
		clean = func(s string) string { return s }
	}
	want := a.bare(t, argv...)
	for _, flags := range [][]string{nil, {"--perform-all"}} {
		t.Run(strings.Join(append([]string{"gated"}, flags...), " "), func(t *testing.T) {
			got := a.gated(t, append(flags, nowhere...), argv...)
			got.demandCode(t, "gated", want.code)
			if diff := attackDiff(clean(want.stdout), clean(got.stdout)); diff != "" {
				t.Errorf("stdout: -bare +gated\n%s", diff)
			}
			if diff := attackDiff(want.stderr, got.stderr); diff != "" {
				t.Errorf("stderr: -bare +gated\n%s", diff)
			}
		})
	}
}

// attackDiff are the lines that differ. The tables print the same lines in the same
// order, so that a comparison line by line says what is wrong.
func attackDiff(want, got string) string {
	if want == got {
		return ""
	}
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	var diff []string
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			diff = append(diff, fmt.Sprintf("-%q\n+%q", a[i], b[i]))
		}
	}
	const most = 40
	if len(diff) > most {
		diff = append(diff[:most], fmt.Sprintf("and %d more", len(diff)-most))
	}
	if len(a) != len(b) {
		diff = append(diff, fmt.Sprintf("%d lines instead of %d", len(b), len(a)))
	}
	return strings.Join(diff, "\n")
}
