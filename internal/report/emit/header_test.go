package emit

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/profile"
	"github.com/turnstile-project/turnstile/internal/seccomp"
	"github.com/turnstile-project/turnstile/internal/syscalls"
	"github.com/turnstile-project/turnstile/internal/testenv"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// headerProgram is testdata/header.c with the header of a profile, in standards of C.
func headerProgram(t testing.TB, in *Input, standards ...string) string {
	t.Helper()
	testenv.Program(t, "gcc")
	dir := t.TempDir()
	source, err := os.ReadFile("testdata/header.c")
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "profile.h"), written(t, &seccompH, in))
	writeFile(t, filepath.Join(dir, "header.c"), source)
	for _, std := range standards {
		run(t, dir, exec.Command("gcc", "-std="+std, "-O1", "-Wall", "-Wextra", "-Werror", "-pedantic", "header.c", "-o", "header", "-lseccomp"))
	}
	return filepath.Join(dir, "header")
}

func TestHeader(t *testing.T) {
	abi := native(t)
	d := profileOf(t, "write", "exit_group", "mseal")
	d.Target.Argv = hostile
	d.Syscalls = append(d.Syscalls, seen(t, abi, "socket", 1), &trace.Syscall{Name: "x", Nr: 999, ABI: abi.String(), Count: 1})
	o := errnoOptions("none")
	o.Args = true
	out := run(t, "", exec.Command(headerProgram(t, inputOf(t, d, o), "c99", "c11", "gnu17")))
	for _, want := range []string{"unix 0", "inet 130", "getppid 130", fmt.Sprintf("999 %d", unix.ENOSYS)} {
		if !strings.Contains(out, want) {
			t.Errorf("%q, want %q", out, want)
		}
	}
	if strings.Contains(out, "mseal 130") {
		t.Errorf("%q: mseal, which this libseccomp may not know, is refused", out)
	}
}

func TestHeaderOfAnotherMachine(t *testing.T) {
	d := document(seen(t, event.ARM, "read"))
	d.Host.Arch = "arm"
	cmd := exec.Command(headerProgram(t, inputOf(t, d, profile.Options{}), "c11"))
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "not supported") {
		t.Errorf("the filter of another machine was loaded: %q (%v)", out, err)
	}
}

func TestHeaderActions(t *testing.T) {
	id := filterABI[native(t)]
	for kind, want := range map[profile.ActionKind]seccomp.Action{
		profile.Kill: seccomp.KillProcess, profile.Trap: seccomp.Trap, profile.Log: seccomp.Log,
	} {
		in := inputOf(t, profileOf(t, "write"), profile.Options{Default: profile.Action{Kind: kind}})
		s, err := seccomp.NewSimulator(rawProgram(t, []byte(run(t, "", exec.Command(headerProgram(t, in, "c11"), "export")))))
		if err != nil {
			t.Fatal(err)
		}
		for _, arch := range []uint32{id.Arch, 0xc00000f3} { // AUDIT_ARCH_RISCV64
			if got, err := s.Action(seccomp.Data{Nr: 999, Arch: arch}); got != want || err != nil {
				t.Errorf("%v, architecture %#x: %v (%v), want %v", kind, arch, got, err, want)
			}
		}
	}
}

// newerThanLibseccomp says whether the libseccomp that is installed has no name for a
// call of another ABI than x86-64. It has a name for one that it knows in none.
func newerThanLibseccomp(t testing.TB, abi event.ABI, nr int32) bool {
	if abi == event.X8664 {
		return false
	}
	testenv.Program(t, "scmp_sys_resolver")
	arch := map[event.ABI]string{event.I386: "x86", event.X32: "x32", event.ARM64: "aarch64", event.ARM: "arm"}[abi]
	out, err := exec.Command("scmp_sys_resolver", "-a", arch, syscalls.Name(abi, nr)).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.HasPrefix(string(out), "-")
}
