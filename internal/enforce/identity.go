package enforce

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
)

// identity is what the kernel looks at when a thread touches a file (credentials(7)).
type identity struct {
	uid, gid     uint32 // real: access(2) asks about them
	euid, egid   uint32
	fsuid, fsgid uint32
	groups       []uint32
	effective    uint64 // capabilities, bit n for capability n
	permitted    uint64
	bounding     uint64
}

// status is what is asked of a thread in proc_pid_status(5).
type status struct {
	identity
	tgid  int
	umask int
	// uniform says that all uids are one and all gids are one.
	uniform bool
}

// survivesExec says whether a program that is executed has the rights of whoever executes
// it: root has all that it had, and who has no capabilities gets none.
func (s *status) survivesExec() bool {
	return s.uniform && s.effective == s.permitted && s.permitted&^s.bounding == 0 && (s.uid == 0 || s.permitted == 0)
}

// privileged says whether a process can become somebody else, or more than others.
func (id *identity) privileged() bool { return id.permitted != 0 || id.fsuid == 0 }

func (id *identity) is(other *identity) bool {
	return id.euid == other.euid && id.egid == other.egid && id.fsuid == other.fsuid && id.fsgid == other.fsgid && id.effective == other.effective &&
		slices.Equal(id.groups, other.groups)
}

func ownStatus() (status, error) {
	s, err := readStatus("/proc/thread-self/status", make([]byte, 8192))
	if err != nil {
		return s, err
	}
	if !s.privileged() && !s.uniform {
		return s, errors.New("a set-user-ID or set-group-ID turnstile cannot enforce: its targets would have rights to choose from")
	}
	return s, nil
}

// readStatus reads a status file into room, which has to be large enough.
func readStatus(file string, room []byte) (status, error) {
	fd, err := unix.Open(file, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return status{}, fmt.Errorf("reading %q: %w", file, err)
	}
	defer func() { _ = unix.Close(fd) }()
	n, err := unix.Read(fd, room)
	if err != nil {
		return status{}, fmt.Errorf("reading %q: %w", file, err)
	}
	s, err := parseStatus(room[:n])
	if err != nil {
		return status{}, fmt.Errorf("reading %q: %w", file, err)
	}
	return s, nil
}

// statusLines are the lines of a status file that are read.
var statusLines = []string{"Umask", "Tgid", "Uid", "Gid", "Groups", "CapPrm", "CapEff", "CapBnd"}

// parseStatus reads the lines of a status file that say who a thread is.
func parseStatus(text []byte) (s status, err error) {
	number := func(field []byte, base, bits int) uint64 {
		n, problem := strconv.ParseUint(string(field), base, bits)
		err = errors.Join(err, problem)
		return n
	}
	found := 0
	for line := range bytes.Lines(text) {
		key, value, _ := bytes.Cut(line, []byte(":"))
		if !slices.Contains(statusLines, string(key)) {
			continue
		}
		found++
		fields := bytes.Fields(value)
		switch string(key) {
		case "Umask":
			s.umask = int(number(first(fields), 8, 16))
		case "Tgid":
			s.tgid = int(number(first(fields), 10, 31))
		case "Uid", "Gid":
			if len(fields) != 4 {
				return s, fmt.Errorf("line %q", line)
			}
			one := bytes.Equal(fields[0], fields[1]) && bytes.Equal(fields[0], fields[2]) && bytes.Equal(fields[0], fields[3])
			if string(key) == "Uid" {
				s.euid = uint32(number(fields[1], 10, 32))
				s.uid, s.fsuid = uint32(number(fields[0], 10, 32)), uint32(number(fields[3], 10, 32))
				s.uniform = one
			} else {
				s.egid = uint32(number(fields[1], 10, 32))
				s.gid, s.fsgid = uint32(number(fields[0], 10, 32)), uint32(number(fields[3], 10, 32))
				s.uniform = s.uniform && one
			}
		case "Groups":
			for _, f := range fields {
				s.groups = append(s.groups, uint32(number(f, 10, 32)))
			}
		case "CapPrm":
			s.permitted = number(first(fields), 16, 64)
		case "CapEff":
			s.effective = number(first(fields), 16, 64)
		case "CapBnd":
			s.bounding = number(first(fields), 16, 64)
		}
	}
	if found != len(statusLines) {
		return s, errors.Join(err, fmt.Errorf("it has %d of %d lines", found, len(statusLines)))
	}
	return s, err
}

func first(fields [][]byte) []byte {
	if len(fields) == 0 {
		return nil
	}
	return fields[0]
}

// actor is whose rights a call is made with. access(2) asks about the real ids: with all
// capabilities that the target has for root, and none for others (fs/open.c,
// access_override_creds).
func (c *call) actor() *identity {
	if c.spec.Op != event.OpAccess || c.flags&unix.AT_EACCESS != 0 {
		return &c.who.identity
	}
	who := c.who.identity
	who.euid, who.egid, who.fsuid, who.fsgid, who.effective = who.uid, who.gid, who.uid, who.gid, 0
	if who.uid == 0 {
		who.effective = who.permitted
	}
	return &who
}

// asTarget runs f with the rights of the target. The calls are the raw ones, because the
// wrappers of Go change every thread.
func (c *call) asTarget(f func() error) error {
	if !c.varied.Load() || c.who == nil {
		return f()
	}
	who := c.actor()
	if who.is(&c.acting) {
		return f()
	}
	if err := c.assume(who); err != nil {
		return err
	}
	defer c.resume()
	return f()
}

// assume gives the thread the groups, the ids and the capabilities of another.
func (w *worker) assume(id *identity) error {
	if _, _, errno := unix.RawSyscall(unix.SYS_SETGROUPS, uintptr(len(id.groups)), uintptr(unsafe.Pointer(unsafe.SliceData(id.groups))), 0); errno != 0 {
		return fmt.Errorf("taking the groups of the target: %w", errno)
	}
	if errno := w.setIDs(id); errno != 0 {
		w.resume()
		return fmt.Errorf("taking the ids of the target: %w", errno)
	}
	if err := setEffective(id.effective&w.ours.permitted, w.ours.permitted); err != nil {
		w.resume()
		return err
	}
	w.acting = *id
	return nil
}

// resume gives the thread its own rights back.
func (w *worker) resume() {
	// The capabilities first, which the others need.
	err := setEffective(w.ours.permitted, w.ours.permitted)
	ids := w.setIDs(&w.ours)
	_, _, errno := unix.RawSyscall(unix.SYS_SETGROUPS, uintptr(len(w.ours.groups)), uintptr(unsafe.Pointer(unsafe.SliceData(w.ours.groups))), 0)
	err = errors.Join(err, setEffective(w.ours.effective, w.ours.permitted))
	if err != nil || errno != 0 || ids != 0 {
		panic(fmt.Sprintf("a worker cannot get its rights back: %v, %v, %v", err, ids, errno))
	}
	w.acting = w.ours
}

// setIDs changes the effective ids, which those for files follow. /proc/sys looks at the
// effective uid, and peers of unix sockets see it. The real and the saved ids stay, so
// that nobody else may send this process signals, and that there is a way back.
func (w *worker) setIDs(id *identity) unix.Errno {
	const same = ^uintptr(0)
	if _, _, errno := unix.RawSyscall(unix.SYS_SETRESGID, same, uintptr(id.egid), same); errno != 0 {
		return errno
	}
	if id.fsgid != id.egid { // setfsgid(2) and setfsuid(2) have no errors
		_, _, _ = unix.RawSyscall(unix.SYS_SETFSGID, uintptr(id.fsgid), 0, 0)
	}
	if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, same, uintptr(id.euid), same); errno != 0 {
		return errno
	}
	if id.fsuid != id.euid {
		_, _, _ = unix.RawSyscall(unix.SYS_SETFSUID, uintptr(id.fsuid), 0, 0)
	}
	return 0
}

// asTracer runs f with the rights of this process, which may look into the target.
func (w *worker) asTracer(f func()) {
	if w.acting.is(&w.ours) {
		f()
		return
	}
	acting := w.acting
	w.resume()
	defer func() {
		if err := w.assume(&acting); err != nil {
			panic(err)
		}
	}()
	f()
}

// setEffective changes the effective capabilities of the calling thread.
func setEffective(effective, permitted uint64) error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	data := [2]unix.CapUserData{
		{Effective: uint32(effective), Permitted: uint32(permitted)},
		{Effective: uint32(effective >> 32), Permitted: uint32(permitted >> 32)},
	}
	if _, _, errno := unix.RawSyscall(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&data[0])), 0); errno != 0 {
		return fmt.Errorf("setting capabilities: %w", errno)
	}
	return nil
}
