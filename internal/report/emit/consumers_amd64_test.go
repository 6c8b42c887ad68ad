package emit

// The tests here run programs of i386, or compare with what libseccomp and firejail make of
// calls on a machine of x86-64. No other machine that we build for has programs of a second
// ABI everywhere: of arm64 some cannot run those of arm.

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/profile"
	"github.com/turnstile-project/turnstile/internal/seccomp"
	"github.com/turnstile-project/turnstile/internal/syscalls"
	"github.com/turnstile-project/turnstile/internal/testenv"
	"github.com/turnstile-project/turnstile/internal/trace"
)

func TestFilterOfForeignABI(t *testing.T) {
	program := probe(t, "-m32")
	with := profileOf(t, "write", "exit_group")
	with.Syscalls = append(with.Syscalls, seen(t, event.I386, "write"), seen(t, event.I386, "exit_group"))
	out, err := underBwrap(t, written(t, &cbpf, inputOf(t, with, errnoOptions("bwrap"))), program)
	if want := "runs\nerrno 130\n"; out != want || err != nil {
		t.Errorf("%q (%v), want %q", out, err, want)
	}
	// Without it, calls of i386 are refused like all others. Number 4, write, is stat of
	// x86-64, and number 252 is ioprio_get.
	without := profileOf(t, "write", "exit_group", "stat", "ioprio_get")
	o := errnoOptions("bwrap")
	o.Default = profile.Action{Kind: profile.Kill}
	if out, err := underBwrap(t, written(t, &cbpf, inputOf(t, without, o)), program); out != "" || err == nil {
		t.Errorf("a program of i386 ran under a profile of x86-64: %q", out)
	}
}

// TestRuncTakesTwoABIs runs a program of the other ABI of the machine.
func TestRuncTakesTwoABIs(t *testing.T) {
	testenv.Root(t)
	testenv.Program(t, "runc")
	program := probe(t, "-m32")
	for _, f := range []*Format{&oci, &docker} {
		t.Run(f.Name, func(t *testing.T) {
			d := profileOf(t, usual...)
			d.Syscalls = append(d.Syscalls, seen(t, event.I386, "write"), seen(t, event.I386, "exit_group"))
			got, err := inContainer(t, program, loaded(t, f, d))
			if want := "runs\nerrno 130\n"; got != want || err != nil {
				t.Errorf("%q (%v), want %q", got, err, want)
			}
			if got, err := inContainer(t, program, loaded(t, f, profileOf(t, usual...))); got != "" || err == nil {
				t.Errorf("a program of i386 ran under a profile of x86-64: %q", got)
			}
		})
	}
}

// TestHeaderIsExact has libseccomp write what it made of a header, and asks that filter
// about every call: every second one of every ABI is in the profile.
func TestHeaderIsExact(t *testing.T) {
	d := document()
	for _, abi := range event.ABIs() {
		for i, nr := range syscalls.All(abi) {
			if i%2 == 0 && !newerThanLibseccomp(t, abi, nr) {
				d.Syscalls = append(d.Syscalls, &trace.Syscall{Nr: nr, ABI: abi.String(), Count: 1})
			}
		}
	}
	in := inputOf(t, d, profile.Options{})
	got := allowedBy(t, rawProgram(t, []byte(run(t, "", exec.Command(headerProgram(t, in, "c11"), "export")))))
	if diff := cmp.Diff(wantNumbers(in.Profile), got); diff != "" {
		t.Errorf("-profile +filter\n%s", diff)
	}
}

// TestLibseccompAllowsMultiplexers shows what the note about it is for, and that the filter
// that is ours does not.
func TestLibseccompAllowsMultiplexers(t *testing.T) {
	in := inputOf(t, document(seen(t, event.X8664, "read"), seen(t, event.I386, "socket", unix.AF_UNIX)), profile.Options{Args: true})
	want := "libseccomp allows i386 the same also through socketcall, with all arguments: socket"
	if notes := seccompH.AllNotes(in); !slices.Contains(notes, want) {
		t.Errorf("notes %q, want %q", notes, want)
	}
	const socketcall, sysSocket = 102, 1
	for name, tt := range map[string]struct {
		filter []byte
		want   seccomp.Action
	}{
		"libseccomp": {[]byte(run(t, "", exec.Command(headerProgram(t, in, "c11"), "export"))), seccomp.Allow},
		"cbpf":       {written(t, &cbpf, in), seccomp.Errno(unix.EPERM)},
	} {
		s, err := seccomp.NewSimulator(rawProgram(t, tt.filter))
		if err != nil {
			t.Fatal(err)
		}
		d := seccomp.Data{Nr: socketcall, Arch: unix.AUDIT_ARCH_I386, Args: [6]uint64{sysSocket}}
		if got, err := s.Action(d); got != tt.want || err != nil {
			t.Errorf("%s: %v (%v), want %v", name, got, err, tt.want)
		}
	}
}

// TestFirejailCalls: the filter has every call by the name or the number that it is written
// with. A name that firejail does not know is not in the filter.
func TestFirejailCalls(t *testing.T) {
	d := ofFiles()
	everyCall(t, d)
	text, err := heldBy(t, &firejail, d, nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	text = strings.Replace(text, "private-tmp\n", "", 1)
	for name, works := range map[string]bool{"mkdir": true, "$83": true, "mkdri": false} {
		out, err := jailed(t, strings.Replace(text, ",mkdir,", ","+name+",", 1), "mkdir", filepath.Join(dir, name))
		if (err == nil) != works {
			t.Errorf("%q: %v\n%s", name, err, out)
		}
	}
	out, err := exec.Command("firejail", "--debug-syscalls").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range d.Syscalls {
		name := firejailCall(profile.Call{Name: c.Name, Nr: c.Nr})
		if known := strings.Contains(string(out), "\t- "+c.Name+"\n"); known != (name == c.Name) {
			t.Errorf("%s is written as %q, and firejail knows it: %v", c.Name, name, known)
		}
	}
}
