package main

import (
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/turnstile-project/turnstile/internal/testenv"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// The ABI is a property of the call. A number means nothing without it: 20 is
// getpid on i386 and writev on x86-64.
func TestABIsOfOneProcess(t *testing.T) {
	needObserve(t)
	program := target(t, "abis")
	for _, mode := range modes {
		t.Run(strings.Join(mode, " "), func(t *testing.T) {
			r := watched(t, append(mode, program)...)
			demandExit(t, r, 0)
			demandComplete(t, r)
			want := []string{
				"x86_64 getppid 2",
				"x86_64 getpid 11",
				"i386 getpid 11",
				"x32 getpid 5 ENOSYS 5",
				"x86_64 syscall_1000 4 ENOSYS 4",
				"x86_64 syscall_-1 3 ENOSYS 3",
				"i386 syscall_1001 6 ENOSYS 6",
				"x32 syscall_1002 7 ENOSYS 7",
				// The kernel looks at the lower half of the register only.
				"x86_64 syscall_1003 8 ENOSYS 8",
				"i386 syscall_999999 1 ENOSYS 1",
				"x86_64 syscall_999998 1 ENOSYS 1",
				"x86_64 syscall_600 1 ENOSYS 1",
			}
			for i := range want {
				if !r.doc.Results {
					want[i], _, _ = strings.Cut(want[i], " ENOSYS")
				} else if strings.TrimSpace(r.stdout) != "-38" && want[i] == "x32 getpid 5 ENOSYS 5" {
					want[i] = "x32 getpid 5" // a kernel with x32
				}
			}
			var got []string
			for _, s := range r.doc.Syscalls {
				line := strings.TrimSpace(fmt.Sprintf("%s %s %d %s", s.ABI, s.Name, s.Count, counts(s.Errors)))
				if s.ABI != "x86_64" || strings.HasPrefix(s.Name, "syscall_") || strings.HasPrefix(s.Name, "get") && s.Name != "getrandom" {
					got = append(got, line)
				}
				if n := s.ByProcess[0]; n != s.Count {
					t.Errorf("%s: %d of these by the only process", line, n)
				}
			}
			demandLines(t, got, want)
			if n := total(r.doc, "writev"); n != 0 {
				t.Errorf("%d writev; the program makes none", n)
			}
		})
	}
}

// A 32-bit program is watched like any other: names, arguments, files and sockets,
// however the socket calls are packed.
func TestProgramOf32Bits(t *testing.T) {
	needObserve(t)
	program := target32(t, "m32")
	for _, mode := range [][]string{{"-q", "--files", "--net"}, {"-q", "--all"}, {"-q", "--files", "--net", "--args"}} {
		t.Run(strings.Join(mode, " "), func(t *testing.T) {
			port, dir := listener(t, "127.0.0.1"), workDir(t)
			r := watched(t, append(mode, "--", program, dir, port)...)
			demandExit(t, r, 0)
			demandComplete(t, r)
			for _, s := range r.doc.Syscalls {
				if s.ABI != "i386" {
					t.Errorf("%d %s of %s", s.Count, s.Name, s.ABI)
				}
			}
			for name, n := range map[string]uint64{"open": 2, "mkdir": 1, "rename": 1, "socketcall": 12, "socket": 3, "connect": 2, "sendto": 1} {
				if got := countOf(r.doc, "i386", name); got != n {
					t.Errorf("%s: counted %d times, want %d", name, got, n)
				}
			}
			demandLines(t, fileLines(r.doc, dir), []string{
				`. fd stat ops{chdir 1}`,
				`./new fd write,create,delete ops{open 1, rename 1, truncate 1} asked ["new"]`,
				`./missing joined read ops{open 1} errors{ENOENT 1} asked ["missing"]`,
				`./dir joined create ops{mkdir 1} asked ["dir"]`,
				`./dir/old fd read,create,delete,attr ops{chown 1, open 1, rename 1} asked ["dir/old"]`,
			})
			demandLines(t, withoutListenPort(r.doc), []string{
				`connect inet stream tcp 127.0.0.1:1 count 1 errors{ECONNREFUSED 1}`,
				`connect inet stream tcp 127.0.0.1:` + port + ` count 2`,
				`bind inet stream tcp 127.0.0.1:0 count 1`,
				`listen inet stream tcp 127.0.0.1:PORT count 1`,
				`send inet dgram udp 127.0.0.1:7 count 6`,
				`send inet dgram udp 127.0.0.1:9 count 1`,
				`connect unix stream /nowhere/nobody count 1 errors{ENOENT 1}`,
			})
		})
	}
}

// The arguments of socketcall may lie in a page that was never touched.
func TestSocketcallFromColdPage(t *testing.T) {
	needObserve(t)
	program := target32(t, "m32")
	r := watched(t, "-q", "--net", "--", program, workDir(t), listener(t, "127.0.0.1"), "cold")
	demandExit(t, r, 0)
	demandComplete(t, r)
	if want := `send inet dgram udp 127.0.0.1:11 count 1`; !slices.Contains(socketLines(r.doc), want) {
		t.Errorf("missing: %s; sockets are %q", want, socketLines(r.doc))
	}
}

// target32 builds a program of 32 bits.
func target32(t *testing.T, name string) string {
	t.Helper()
	program := target(t, name, "-m32")
	if err := exec.Command(program).Run(); err != nil {
		if _, ran := errors.AsType[*exec.ExitError](err); !ran {
			testenv.Lack(t, "this kernel runs no 32-bit programs")
		}
	}
	return program
}

// ephemeral is the port of a socket that was bound to port 0.
var ephemeral = regexp.MustCompile(`^(listen inet6? stream tcp \S*:)\d+ `)

// withoutListenPort are the lines of the sockets with the ports that the kernel
// chose for listeners as "PORT".
func withoutListenPort(d *trace.Document) []string {
	lines := socketLines(d)
	for i := range lines {
		lines[i] = ephemeral.ReplaceAllString(lines[i], "${1}PORT ")
	}
	return lines
}

// countOf is how often a call of an ABI was made.
func countOf(d *trace.Document, abi, name string) uint64 {
	for _, s := range d.Syscalls {
		if s.ABI == abi && s.Name == name {
			return s.Count
		}
	}
	return 0
}
