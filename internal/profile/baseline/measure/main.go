// Command measure finds out which system calls a runtime itself makes after it has put a
// seccomp filter in force, and which of them it cannot do without. What it prints is what
// a baseline is made of. It runs on Linux, as root:
//
//	go run ./internal/profile/baseline/measure runc
//	go run ./internal/profile/baseline/measure -nnp -root /srv/trixie crun
//
// The program that is started makes no call but write(2) and exit(2) (testdata/start.c).
//
// First everything is forbidden but its own calls, and a forbidden call kills: the kernel's
// log tells which one it was. It is added, until the program has started many times one
// after the other, with all processors busy: what is written in Go makes some calls only
// sometimes, when it is interrupted or has to wait. Those are all the calls that are made.
//
// Then calls are taken away as long as the program starts nevertheless, when what is
// forbidden fails with EPERM and when it fails with ENOSYS. What is left is needed. Calls
// that are not made at each start are never taken away: that it starts without them
// proves nothing.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// own are the calls of the program itself.
var own = []string{"exit", "write"}

// newest are the newest that some version of libseccomp knows, which nobody makes: runc has
// what is newer than the newest of a profile fail with ENOSYS, and what it would make of
// itself then would not be seen.
var newest = []string{"futex_waitv", "cachestat", "mseal"}

func main() {
	var m measurement
	flag.BoolVar(&m.noNewPrivileges, "nnp", false, "the program runs with no_new_privs")
	flag.StringVar(&m.root, "root", "", "run the runtime of the Debian that is in `DIR`")
	flag.StringVar(&m.arguments, "with", "", "further `ARGUMENTS` for bwrap or firejail")
	flag.IntVar(&m.often, "often", 300, "all calls are known after `N` starts without a new one")
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	m.runtime = flag.Arg(0)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, unix.SIGTERM, unix.SIGHUP)
	err := m.measure(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "measure:", err)
		os.Exit(1)
	}
}

type measurement struct {
	runtime, root, arguments string
	noNewPrivileges          bool
	often                    int

	dir, program string
}

// tries is how often the program has to start before a call is not needed.
const tries = 5

func (m *measurement) measure(ctx context.Context) error {
	var err error
	if m.dir, err = os.MkdirTemp("", "measure"); err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(m.dir) }()
	m.program = filepath.Join(m.dir, "start")
	source := filepath.Join("internal", "profile", "baseline", "measure", "testdata", "start.c")
	if out, err := exec.Command("gcc", "-O1", "-static", "-nostdlib", "-ffreestanding", "-o", m.program, source).CombinedOutput(); err != nil {
		return fmt.Errorf("building %s: %w\n%s", source, err, out)
	}
	made, sometimes, err := m.made(ctx)
	if err != nil {
		return err
	}
	kept := slices.Concat(own, sometimes)
	for _, action := range []string{"EPERM", "ENOSYS"} {
		always := slices.DeleteFunc(slices.Clone(made), func(name string) bool { return slices.Contains(kept, name) })
		kept = append(kept, m.reduce(ctx, action, always, kept)...)
	}
	if ctx.Err() != nil {
		return ctx.Err() // and every start failed
	}
	isOwn := func(name string) bool { return slices.Contains(own, name) }
	fmt.Printf("%s no_new_privs=%v %s\n", m.runtime, m.noNewPrivileges, m.arguments)
	for _, list := range []struct {
		what  string
		calls []string
	}{{"made", made}, {"not at each start", sometimes}, {"needed", kept}} {
		calls := slices.DeleteFunc(slices.Clone(list.calls), isOwn)
		slices.Sort(calls)
		fmt.Printf("  %s: %s\n", list.what, strings.Join(calls, " "))
	}
	return nil
}

// made are all calls that are made, and those of them that are not made at each start.
func (m *measurement) made(ctx context.Context) (made, sometimes []string, err error) {
	log, err := openLog(m.runtime)
	if err != nil {
		return nil, nil, err
	}
	defer log.Close()
	made = slices.Clone(own)
	for good, silent := 0, 0; good < m.often; {
		// The first starts find what is always made, and the machine is idle.
		if good == m.often/10 {
			stop := beBusy()
			defer stop()
		}
		said, err := m.start(ctx, "kill", made)
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		if err == nil {
			good++
			continue
		}
		name := log.killer()
		if name == "" || slices.Contains(made, name) {
			// The log is limited in how much it takes in a time.
			if silent++; silent > 30 {
				return nil, nil, fmt.Errorf("%s did not start, and the kernel does not say why: %w, %q", m.runtime, err, said)
			}
			time.Sleep(200 * time.Millisecond)
			continue
		}
		silent = 0
		made = append(made, name)
		if good > 0 {
			sometimes = append(sometimes, name)
		}
		fmt.Fprintf(os.Stderr, "after %d starts: %s\n", good, name)
	}
	return made, sometimes, nil
}

// reduce takes calls away, many at once as long as that works, and returns what is left of
// them: with these and the others the program starts.
func (m *measurement) reduce(ctx context.Context, action string, calls, others []string) []string {
	if len(calls) == 0 || m.starts(ctx, action, others) {
		return nil
	}
	if len(calls) == 1 {
		return calls
	}
	half := len(calls) / 2
	first := m.reduce(ctx, action, calls[:half], slices.Concat(others, calls[half:]))
	second := m.reduce(ctx, action, calls[half:], slices.Concat(others, first))
	return slices.Concat(first, second)
}

// starts reports whether the program starts each time with these calls.
func (m *measurement) starts(ctx context.Context, action string, allowed []string) bool {
	for range tries {
		if _, err := m.start(ctx, action, allowed); err != nil {
			return false
		}
	}
	return true
}

// start starts the program once. The error says that it did not, and the text why.
func (m *measurement) start(ctx context.Context, action string, allowed []string) (said string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	var stdout, stderr bytes.Buffer
	switch m.runtime {
	case "bwrap":
		err = m.bwrap(ctx, action, allowed, &stdout, &stderr)
	case "firejail":
		err = m.firejail(ctx, action, allowed, &stdout, &stderr)
	default:
		err = m.container(ctx, action, slices.Concat(allowed, newest), &stdout, &stderr)
	}
	if err == nil && stdout.String() != "started\n" {
		err = fmt.Errorf("the program did not start")
	}
	return stderr.String(), err
}

// beBusy keeps all processors busy until it is told to stop.
func beBusy() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	for range runtime.NumCPU() {
		go func() {
			for ctx.Err() == nil {
			}
		}()
	}
	return cancel
}
