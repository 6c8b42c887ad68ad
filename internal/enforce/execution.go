package enforce

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/enforce/notify"
	"github.com/turnstile-project/turnstile/internal/enforce/resolve"
	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/policy"
)

// execution is a call of execve that the kernel makes: a [tracer.Visitor]. Whatever the
// target has put in the place of what was judged, be it a path, a link or a file, what the
// kernel has mapped in the end is a fact, and if it may not be executed the process is
// killed before it runs an instruction of it.
type execution struct {
	*call
	images images // that were judged
	gone   bool
}

// Proceed implements [tracer.Visitor].
func (e *execution) Proceed() {
	// The answer depends on memory that the target can change. It is sound because the
	// thread is traced: see Executed.
	err := e.listener.Continue(e.notification.ID)
	if err != nil && !errors.Is(err, notify.ErrGone) {
		e.news.fail(err)
	}
	e.gone = err != nil
}

// Executed implements [tracer.Visitor].
func (e *execution) Executed(pid int) (runs bool) {
	defer func() {
		if broken := recover(); broken != nil {
			e.news.fail(fmt.Errorf("looking at an executed program, which is killed: %v", broken))
			runs = false
		}
		e.end()
	}()
	if err := e.judgeFacts("/proc/" + strconv.Itoa(pid)); err != nil {
		if _, is := errors.AsType[denied](err); !is {
			e.news.fail(fmt.Errorf("looking at an executed program, which is killed: %w", err))
		}
		e.news.tell(e.call, event.Outcome{Known: true, Errno: event.Errno(unix.EACCES)})
		return false
	}
	e.argv = argumentsOf(pid)
	e.news.tell(e.call, event.Outcome{Known: true})
	return true
}

// Failed implements [tracer.Visitor].
func (e *execution) Failed(errno unix.Errno) {
	defer e.end()
	if !e.gone && errno != 0 {
		e.news.tell(e.call, event.Outcome{Known: true, Errno: event.Errno(errno)})
	}
}

// Gone implements [tracer.Visitor].
func (e *execution) Gone() { e.end() }

// Refused implements [tracer.Visitor].
func (e *execution) Refused(err error) {
	defer e.end()
	if !e.listener.Valid(e.notification.ID) {
		return // it is being killed, which ptrace(2) says in the same way
	}
	if e.policy.Open&policy.DoorPtrace != 0 && errors.Is(err, unix.EPERM) {
		// Somebody else traces it, by the open door, and what it executes is given up.
		e.settle(event.Outcome{}, e.listener.Continue(e.notification.ID), -1)
		return
	}
	e.news.fail(fmt.Errorf("%w; a program that nobody can look at before it runs is not executed", err))
	e.fail(unix.EACCES)
}

func (e *execution) end() {
	e.images.close()
	e.unpin()
}

// judgeFacts judges what a process has mapped.
func (e *execution) judgeFacts(proc string) error {
	fd, err := unix.Open(proc+"/exe", unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("opening %q: %w", proc+"/exe", err)
	}
	program, err := e.target.Descriptor(fd)
	_ = unix.Close(fd)
	if err != nil {
		return fmt.Errorf("opening %q: %w", proc+"/exe", err)
	}
	defer program.Close()
	same := func(o resolve.Object) bool { return idOf(&o.Stat) == idOf(&program.Stat) }
	if !slices.ContainsFunc(e.images.programs, same) {
		if err := e.judgeProgram(&program); err != nil {
			return e.tooLate(err, &program)
		}
	}
	if e.images.foreign {
		return nil
	}
	linker, err := linkerOf(proc)
	if err != nil || linker == "" || linker == e.images.linker {
		return err
	}
	return e.judgeLinker(linker)
}

// tooLate denies what was to be asked about: there is no time for it.
func (e *execution) tooLate(err error, program *resolve.Object) error {
	if wait, is := errors.AsType[*waiting](err); is {
		e.judged = append(e.judged, wait.judgement)
		return e.refuseImage(program, "turnstile: it is not what was asked about")
	}
	return err
}

// linkerOf is the dynamic linker that the kernel has mapped for a program, "" for none.
func linkerOf(proc string) (string, error) {
	vector, err := os.ReadFile(filepath.Join(proc, "auxv"))
	if err != nil {
		return "", err
	}
	base := auxiliary(vector, atBase)
	if base == 0 {
		return "", nil
	}
	maps, err := os.ReadFile(filepath.Join(proc, "maps"))
	if err != nil {
		return "", err
	}
	name, found := mappedAt(maps, base)
	if !found {
		return "", fmt.Errorf("no file is mapped where the dynamic linker of %q should be", proc)
	}
	return name, nil
}

const atBase = 7 // AT_BASE, include/uapi/linux/auxvec.h

// auxiliary is a value of the auxiliary vector (getauxval(3)), 0 if it has none.
func auxiliary(vector []byte, key uint64) uint64 {
	const pair = 16
	for ; len(vector) >= pair; vector = vector[pair:] {
		if binary.NativeEndian.Uint64(vector) == key {
			return binary.NativeEndian.Uint64(vector[8:])
		}
	}
	return 0
}

// mappedAt is the file that is mapped at an address (proc_pid_maps(5)), by the name that
// it had.
func mappedAt(maps []byte, address uint64) (name string, found bool) {
	for line := range bytes.Lines(maps) {
		fields := bytes.Fields(line)
		const beforeName = 5
		if len(fields) <= beforeName {
			continue
		}
		from, to, _ := strings.Cut(string(fields[0]), "-")
		first, err := strconv.ParseUint(from, 16, 64)
		last, err2 := strconv.ParseUint(to, 16, 64)
		if err != nil || err2 != nil || address < first || address >= last {
			continue
		}
		at := bytes.IndexByte(line, '/')
		if at < 0 {
			return "", false
		}
		text := strings.TrimSuffix(string(line[at:]), "\n")
		return strings.TrimSuffix(strings.ReplaceAll(text, `\012`, "\n"), " (deleted)"), true
	}
	return "", false
}

// argumentsOf are the arguments that a new image got, as far as an event has room.
func argumentsOf(pid int) [][]byte {
	f, err := os.Open("/proc/" + strconv.Itoa(pid) + "/cmdline")
	if err != nil {
		return nil
	}
	defer f.Close()
	const most = 4096
	b := make([]byte, most)
	n, err := f.Read(b)
	if err != nil {
		return nil
	}
	return bytes.Split(bytes.TrimSuffix(b[:n], []byte{0}), []byte{0})
}
