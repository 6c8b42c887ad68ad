package ask

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// The tests need processes with a controlling terminal: one that asks, one that
// touches the terminal when it should not, and a shell with job control. The test binary plays them when this variable says so.
const roleVariable = "ASK_TEST_ROLE"

// What the roles have from their test.
const (
	logFD    = 3 // where they write their lines
	ordersFD = 4 // where the shell reads its orders
)

func TestMain(m *testing.M) {
	switch os.Getenv(roleVariable) {
	case "":
		os.Exit(m.Run())
	case "asker":
		playAsker(example())
	case "asker with a hostile target":
		playAsker(hostile())
	case "meddler":
		playMeddler()
	case "shell":
		playShell()
	}
	panic("no such role")
}

func hostile() *Question {
	q := example()
	q.Comm = "\x1b[2Jx\nturnst"
	q.Exe = "/tmp/\x1b]0;title\a"
	q.Path = []byte("/tmp/\u202egnp.\xff\r\nturnstile: sh[1] wants to open \"/dev/null\"")
	q.Asked = []byte("\u009b2J\b\b\x7f")
	q.Allow = "--allow write:/tmp/\u2066\x1b[A"
	return q
}

// playAsker asks, until SIGUSR1 or SIGINT says that nobody waits any more, and tells
// the answer.
func playAsker(q *Question) {
	signal.Ignore(unix.SIGHUP) // which comes when the terminal hangs up
	ends := make(chan os.Signal, 1)
	signal.Notify(ends, unix.SIGUSR1, unix.SIGINT)
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		say("%s", unix.SignalName((<-ends).(syscall.Signal)))
		cancel()
	}()

	asker := NewTerminal()
	runtime.LockOSThread() // whose signal mask is compared
	filesBefore, maskBefore := openFiles(), signalMask()
	say("asker %d", os.Getpid())
	answer := asker.Ask(ctx, q)
	if mask := signalMask(); mask != maskBefore {
		say("the signal mask is %x, and was %x", mask, maskBefore)
	}
	// The end of a context is told by a goroutine, which may not be through.
	if files := openFiles(); ctx.Err() == nil && files != filesBefore {
		say("%d files are open, and %d were", files, filesBefore)
	}
	say("%+v", answer)
	os.Exit(0)
}

// playMeddler does from the background what an asker does that has just been put
// there, as often as it is told to by SIGUSR1.
func playMeddler() {
	meddle := make(chan os.Signal, 1)
	signal.Notify(meddle, unix.SIGUSR1)
	undo := unstoppable()
	defer undo()
	withdrawn, done, err := endOf(context.Background())
	mustDo(err)
	defer done()
	t := tty{fd: NewTerminal().(*Terminal).fd, withdrawn: withdrawn}
	say("asker %d", os.Getpid())
	for range meddle {
		front, err := t.inFront()
		mustDo(err)
		changed, err := t.hold()
		mustDo(err)
		mustDo(t.forget())
		mustDo(t.write("meddled"))
		input, err := t.read()
		mustDo(err)
		t.release()
		say("front %v, changed %v, read %q", front, changed, input)
	}
}

func openFiles() int {
	entries, err := os.ReadDir("/proc/self/fd")
	mustDo(err)
	return len(entries)
}

func signalMask() unix.Sigset_t {
	var mask unix.Sigset_t
	mustDo(unix.PthreadSigmask(unix.SIG_BLOCK, nil, &mask))
	return mask
}

// playShell is a shell with one job, whose role is its second argument, in the
// foreground ("fg") or the background ("bg") as the first says. When the job stops it
// takes the terminal, with the modes that it wants. "fg" in its orders continues the
// job, "bg" takes the terminal from one that runs.
func playShell() {
	modes, err := unix.IoctlGetTermios(0, unix.TCGETS)
	mustDo(err)

	job := exec.Command("/proc/self/exe")
	job.Stdin, job.Stdout, job.Stderr = os.Stdin, os.Stdout, os.Stderr
	job.ExtraFiles = []*os.File{os.NewFile(logFD, "log")}
	job.Env = append(os.Environ(), roleVariable+"="+os.Args[2])
	job.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Foreground: os.Args[1] == "fg"}
	mustDo(job.Start())
	pid := job.Process.Pid

	go func() {
		unstoppable()
		for lines := bufio.NewScanner(os.NewFile(ordersFD, "orders")); lines.Scan(); {
			fmt.Println(lines.Text())
			switch lines.Text() {
			case "fg":
				mustDo(unix.IoctlSetPointerInt(0, unix.TIOCSPGRP, pid))
				mustDo(unix.Kill(-pid, unix.SIGCONT))
			case "bg":
				mustDo(unix.IoctlSetPointerInt(0, unix.TIOCSPGRP, unix.Getpgrp()))
				say("in the background")
			}
		}
	}()
	unstoppable() // only now: the job would inherit it
	for {
		var status syscall.WaitStatus
		_, err := syscall.Wait4(pid, &status, unix.WUNTRACED, nil)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			panic(err)
		case status.Stopped():
			mustDo(unix.IoctlSetPointerInt(0, unix.TIOCSPGRP, unix.Getpgrp()))
			mustDo(unix.IoctlSetTermios(0, unix.TCSETS, modes))
			say("stopped %s", unix.SignalName(status.StopSignal()))
		default:
			select {} // the session goes on until the test ends
		}
	}
}

// say writes one line, whole, to whoever reads the log.
func say(format string, args ...any) {
	_, err := unix.Write(logFD, fmt.Appendf(nil, format+"\n", args...))
	mustDo(err)
}

func mustDo(err error) {
	if err != nil {
		panic(err)
	}
}
