package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// daemonise leaves a daemon behind, in a session of its own, and ends with 3. The daemon
// waits at the pipe "go", and then writes down what comes of reading "secret" and "open".
const daemonise = `
(setsid sh -c '
	read x <go
	cat secret >got 2>errors; echo "secret $?" >>result
	cat open >>got; echo "open $?" >>result
	read x <go
' &)
exit 3`

func layDaemon(t testing.TB, a *arena) {
	t.Helper()
	a.files = []string{"secret=secret\n", "open=open\n", "go|"}
	a.fresh(t)
}

// letGo opens the pipe at which somebody waits.
func letGo(t testing.TB, a *arena) {
	t.Helper()
	f, err := os.OpenFile(a.path("go"), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	f.WriteString("x\n")
}

// A daemon is held to the rules when the command has ended, and turnstile ends with it.
func TestEnforceDaemonStaysGated(t *testing.T) {
	eachUser(t, func(t *testing.T, a *arena) {
		layDaemon(t, a)
		r := begin(t, a.enforce([]string{"--deny", "read:" + a.path("secret")}, "sh", "-c", daemonise))
		line := r.tells("turnstile: ")
		if want := regexp.MustCompile(`^sh has ended; waiting for what it started: sh\[\d+\] \(Ctrl-C kills it\)$`); !want.MatchString(line) {
			t.Errorf("turnstile tells %q, want %s", line, want)
		}
		letGo(t, a)
		eventually(t, "the daemon has read", func() bool {
			b, _ := os.ReadFile(a.path("result"))
			return strings.Contains(string(b), "open ")
		})
		if r.ended() {
			t.Errorf("turnstile has ended before the daemon\n%s", r.stderr())
		}
		letGo(t, a)
		r.demandExit(3)
		if got, want := read(t, a.path("result")), "secret 1\nopen 0\n"; got != want {
			t.Errorf("the daemon's results are %q, want %q", got, want)
		}
		if got := read(t, a.path("got")); got != "open\n" {
			t.Errorf("the daemon has read %q", got)
		}
		if text := read(t, a.path("errors")); !strings.Contains(text, "Permission denied") {
			t.Errorf("the daemon was told %q", text)
		}
		if text := r.stderr(); !strings.Contains(text, "denied 1 access") || !strings.Contains(text, a.path("secret")) {
			t.Errorf("the summary lacks what the daemon was denied:\n%s", text)
		}
	})
}

// Once only a daemon is left, what a user would press to end the wait ends the daemon.
func TestEnforceInterruptKillsDaemon(t *testing.T) {
	eachUser(t, func(t *testing.T, a *arena) {
		for _, sig := range []syscall.Signal{unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT} {
			layDaemon(t, a)
			r := begin(t, a.enforce(nil, "sh", "-c", daemonise))
			line := r.tells("turnstile: sh has ended")
			var pid int
			if _, after, ok := strings.Cut(line, "sh["); !ok {
				t.Fatalf("turnstile tells %q", line)
			} else if _, err := fmt.Sscanf(after, "%d", &pid); err != nil {
				t.Fatalf("turnstile tells %q: %v", line, err)
			}
			r.signal(sig)
			r.demandExit(3)
			if err := syscall.Kill(pid, 0); !errors.Is(err, unix.ESRCH) {
				t.Errorf("after %v the daemon %d: %v", sig, pid, err)
			}
		}
	})
}

// A quiet run says nothing about whom it waits for.
func TestEnforceQuietDaemon(t *testing.T) {
	eachUser(t, func(t *testing.T, a *arena) {
		layDaemon(t, a)
		r := begin(t, a.enforce([]string{"-q", "--deny", "read:" + a.path("secret")}, "sh", "-c", daemonise))
		letGo(t, a)
		eventually(t, "the daemon has read", func() bool {
			b, _ := os.ReadFile(a.path("result"))
			return strings.Contains(string(b), "open ")
		})
		letGo(t, a)
		r.demandExit(3)
		if text := r.stderr(); text != "" {
			t.Errorf("turnstile -q says %q", text)
		}
	})
}

// Processes that fork and end in a chain cannot be found one by one; they are ended all
// the same.
func TestEnforceInterruptKillsForkChain(t *testing.T) {
	program := gateTarget(t, "gate_chain")
	for name, sessions := range map[string][]string{"one session": nil, "many sessions": {"sessions"}} {
		t.Run(name, func(t *testing.T) {
			eachUser(t, func(t *testing.T, a *arena) {
				path, comm := named(t, program)
				r := begin(t, a.enforce(nil, append([]string{path, "20"}, sessions...)...))
				r.tells("turnstile: ")
				r.signal(unix.SIGINT)
				// Were it not killed, it would end by itself, and twenty seconds later.
				r.demandExit(3)
				if text := r.stderr(); strings.Contains(text, "started:  (") {
					t.Errorf("nothing says who is waited for: %q", text)
				}
				if file := filepath.Join(filepath.Dir(path), comm+".ended"); exists(file) {
					t.Errorf("the chain has ended by itself: the signal did nothing")
				}
				demandNobody(t, comm)
			})
		})
	}
}

func exists(file string) bool {
	_, err := os.Lstat(file)
	return err == nil
}

// What a command has left behind does not stay a zombie while the command runs on.
func TestEnforceReapsOrphans(t *testing.T) {
	eachUser(t, func(t *testing.T, a *arena) {
		layDaemon(t, a)
		r := begin(t, a.enforce([]string{"-q"}, "sh", "-c", `i=0; while [ $i -lt 50 ]; do (sh -c : &); i=$((i+1)); done; echo made; read x <go; exit 5`))
		r.says("made")
		supervisor := r.supervisor()
		if supervisor == 0 {
			t.Fatal("there is no supervisor")
		}
		eventually(t, "no zombie is left", func() bool {
			children := 0
			for _, p := range processes(t) {
				if p.ppid == supervisor {
					children++
				}
			}
			return children == 1
		})
		letGo(t, a)
		r.demandExit(5)
	})
}
