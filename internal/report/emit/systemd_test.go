package emit

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/profile"
	sets "github.com/turnstile-project/turnstile/internal/systemd"
	"github.com/turnstile-project/turnstile/internal/testenv"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// verify has systemd look at a service with a drop-in: what it wrote to stderr.
func verify(t testing.TB, dropIn []byte) string {
	t.Helper()
	testenv.Program(t, "systemd-analyze")
	dir := t.TempDir()
	unit := filepath.Join(dir, "turnstile-test.service")
	writeFile(t, unit, []byte("[Unit]\nDescription=test\n\n[Service]\nExecStart=/bin/true\n"))
	writeFile(t, unit+".d/seccomp.conf", dropIn)
	cmd := exec.Command("systemd-analyze", "--man=no", "verify", unit)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	cmd.Stdout = &stderr
	if err := cmd.Run(); err != nil {
		t.Logf("systemd-analyze verify: %v", err)
	}
	return stderr.String()
}

func TestSystemdVerifies(t *testing.T) {
	known := sets.Set("@known")
	all := everything(event.X8664, event.I386)
	all.Syscalls = slices.DeleteFunc(all.Syscalls, func(c *trace.Syscall) bool { return !slices.Contains(known, c.Name) })
	all.Target.Argv = hostile
	for _, kind := range []profile.ActionKind{profile.Errno, profile.Kill, profile.Log} {
		for name, d := range map[string]*trace.Document{"all": all, "mixed": mixed(t)} {
			t.Run(kind.String()+" "+name, func(t *testing.T) {
				o := profile.Options{Args: true, Default: profile.Action{Kind: kind}}
				if kind == profile.Errno {
					o.Default.Errno = refused
				}
				in := inputOf(t, d, o)
				in.Groups = sets.Groups()
				out := written(t, &systemd, in)
				if said := verify(t, out); said != "" {
					t.Errorf("systemd-analyze verify: %s\n%s", said, out)
				}
			})
		}
	}
	t.Run("control", func(t *testing.T) {
		for _, line := range []string{"SystemCallFilter=nosuchcall", "SystemCallErrorNumber=ENOSUCH", "RestrictAddressFamilies=AF_NOSUCH", "SystemCallArchitectures=nosuch"} {
			if verify(t, []byte("[Service]\n"+line+"\n")) == "" {
				t.Errorf("systemd-analyze verify says nothing about %q", line)
			}
		}
	})
}

func TestFamiliesOfSystemd(t *testing.T) {
	names := []string{}
	for _, name := range familyNames {
		names = append(names, name)
	}
	slices.Sort(names)
	if said := verify(t, []byte("[Service]\nRestrictAddressFamilies="+strings.Join(names, " ")+"\n")); said != "" {
		t.Errorf("systemd-analyze verify: %s", said)
	}
}
