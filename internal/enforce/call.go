package enforce

import (
	"encoding/binary"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/enforce/notify"
	"github.com/turnstile-project/turnstile/internal/enforce/resolve"
	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/policy"
	"github.com/turnstile-project/turnstile/internal/syscalls"
)

// call is one call of the target, from its notification to its answer.
type call struct {
	*worker
	notification notify.Notification
	spec         *syscalls.Spec
	received     time.Time
	answered     bool

	// What its arguments say, copied once.
	operands []operand
	flags    uint64 // of open(2), or AT_* and RENAME_*
	how      unix.OpenHow
	address  []byte // of a socket

	// spoken is the address that was judged, as the kernel is given it, and sent how
	// much of a message that still waits is on its way.
	spoken event.Socket
	sent   int
	// limited says that the socket limits how long it waits, so that no signal
	// restarts the call (signal(7)).
	limited bool

	// Who makes it.
	launched bool    // the first execve of the command, from the child that becomes it
	who      *status // nil until it is needed, if the target can only be who we are
	group    int     // its process, 0 until it is needed
	target   resolve.Target
	exe      string // its program, if rules ask for that; "" if it is not known
	// process is for those who are told; nil if nobody is.
	process *event.Process

	argv [][]byte // of the image that it executed

	// What was judged, and what the user has said about it.
	judged  []judgement
	granted []grant
	// mayBlock says that the thread is one that may wait.
	mayBlock bool
	wait     *ticket
}

// operand is a file that a call names: by a path, or by a descriptor alone.
type operand struct {
	name string
	// dir is the directory that a relative path starts from, -1 for an absolute one.
	// Without a name it is the object itself.
	dir  int
	byFD bool
	// number is the descriptor in the target.
	number int32
}

func (c *call) name() string            { return syscalls.Name(nativeABI, c.notification.Nr) }
func (c *call) arg(i int) uint64        { return c.notification.Args[i] }
func (c *call) tid() int                { return int(c.notification.TID) }
func (c *call) is(names ...string) bool { return slices.Contains(names, c.spec.Name) }

// take copies the arguments and pins what they start from.
func (c *call) take() error {
	c.spec = syscalls.Lookup(nativeABI, c.notification.Nr)
	if c.spec == nil {
		return unix.ENOSYS
	}
	c.launched = c.spec.Op == event.OpExec && c.launch.is(c.tid())
	if !c.launched && c.seesOtherwise() {
		return errElsewhere
	}
	c.flags = c.spec.Implied
	for i, role := range c.spec.Args {
		switch role {
		case syscalls.Flags:
			c.flags |= uint64(uint32(c.arg(i)))
		case syscalls.How:
			if err := c.takeHow(i); err != nil {
				return err
			}
		}
	}
	if c.is("open") {
		c.flags = uint64(uint32(c.arg(1)))
	}
	if err := c.checkArguments(); err != nil {
		return err
	}
	for _, spec := range c.spec.Operands {
		o, err := c.takeOperand(spec)
		if err != nil {
			return err
		}
		c.operands = append(c.operands, o)
	}
	if c.varied.Load() {
		if err := c.identify(); err != nil {
			return err
		}
	}
	c.target = resolve.Target{TID: c.tid(), TGID: c.tgid, Root: c.root, FSUID: c.ours.fsuid}
	if c.who != nil {
		c.target.FSUID = c.who.fsuid
		c.target.AsTracer = c.asTracer
	}
	if c.byProgram {
		c.exe = c.program()
	}
	// What was read of this thread, and opened below its directory of /proc, is its
	// own if the call still waits: a number can belong to another by now.
	if !c.listener.Valid(c.notification.ID) {
		return notify.ErrGone
	}
	return nil
}

// takeHow copies struct open_how (openat2(2)). What a newer kernel has behind it has to
// be zero, as for a kernel that does not know it.
func (c *call) takeHow(i int) error {
	size := c.arg(i + 1)
	switch {
	case size < unix.SizeofOpenHow:
		return unix.EINVAL
	case size > uint64(pageSize):
		return unix.E2BIG
	}
	b := make([]byte, size)
	if err := c.read(c.arg(i), b); err != nil {
		return err
	}
	for _, x := range b[unix.SizeofOpenHow:] {
		if x != 0 {
			return unix.E2BIG
		}
	}
	c.how = unix.OpenHow{
		Flags:   binary.NativeEndian.Uint64(b[0:]),
		Mode:    binary.NativeEndian.Uint64(b[8:]),
		Resolve: binary.NativeEndian.Uint64(b[16:]),
	}
	c.flags = c.how.Flags
	return nil
}

const pageSize = 4096 // the most that openat2(2) takes: PAGE_SIZE, of the smallest pages

// takeOperand copies a path and pins the directory that it starts from, or pins what a
// descriptor is.
func (c *call) takeOperand(spec syscalls.Operand) (operand, error) {
	o := operand{dir: -1, number: unix.AT_FDCWD}
	switch {
	case spec.FD >= 0:
		o.number, o.byFD = int32(c.arg(spec.FD)), true
		if c.spec.Op.Category() == event.CategoryNetwork {
			return o, nil // a socket: taken when it is used
		}
		return o, c.pin(&o)
	case spec.Dir >= 0:
		o.number = int32(c.arg(spec.Dir))
	}
	address := c.arg(spec.Path)
	if address == 0 && c.takesNull() && o.number != unix.AT_FDCWD {
		o.byFD = true
		return o, c.pin(&o)
	}
	name, err := c.readString(address, c.room)
	if err != nil {
		return o, err
	}
	o.name = string(name)
	switch {
	case o.name == "" && c.emptyIsDescriptor():
		o.byFD = true
		return o, c.pin(&o)
	case o.name == "" && len(c.operands) == 0:
		return o, unix.ENOENT // a second one is told after the first was looked up
	case o.name == "":
		return o, nil
	case o.name[0] == '/' && c.how.Resolve&(unix.RESOLVE_IN_ROOT|unix.RESOLVE_BENEATH) == 0:
		return o, nil
	}
	return o, c.pin(&o)
}

// takesNull says whether no path at all means the descriptor: utimensat(2), and since
// Linux 6.11 all that take AT_EMPTY_PATH but linkat and execveat.
func (c *call) takesNull() bool {
	switch c.spec.Op {
	case event.OpUtime:
		return c.is("utimensat", "futimesat")
	case event.OpWatch:
		return c.is("fanotify_mark")
	case event.OpLink, event.OpExec:
		return false
	default:
		return c.emptyIsDescriptor()
	}
}

func (c *call) emptyIsDescriptor() bool {
	return c.spec.Op != event.OpOpen && c.spec.Op != event.OpRename && c.spec.Op != event.OpUnlink &&
		c.flags&unix.AT_EMPTY_PATH != 0 || c.is("readlinkat")
}

// pin opens what a descriptor of the target is, or its working directory, without any
// right to its contents.
func (c *call) pin(o *operand) error {
	var room [40]byte
	file := strconv.AppendInt(append(room[:0], "/proc/"...), int64(c.host()), 10)
	if o.number == unix.AT_FDCWD {
		file = append(file, "/cwd"...)
	} else {
		if o.number < 0 {
			return unix.EBADF
		}
		file = strconv.AppendInt(append(file, "/fd/"...), int64(o.number), 10)
	}
	fd, err := unix.Open(string(file), unix.O_PATH|unix.O_CLOEXEC, 0)
	switch {
	case errors.Is(err, unix.ENOENT):
		return unix.EBADF
	case err != nil:
		return unix.EACCES
	}
	o.dir = fd
	return nil
}

// host is whose memory and directory the call's are. The child that becomes the command
// cannot be looked into, and shares them with this process (vfork(2)).
func (c *call) host() int {
	if c.launched {
		return unix.Getpid()
	}
	return c.tid()
}

// identify reads who makes the call.
func (c *call) identify() error {
	who, err := readStatus("/proc/"+strconv.Itoa(c.tid())+"/status", c.more)
	if err != nil {
		return unix.EACCES
	}
	c.who = &who
	return nil
}

// status is who makes the call. If it cannot be read, the thread is gone.
func (c *call) status() (*status, error) {
	if c.who == nil {
		if err := c.identify(); err != nil {
			return nil, err
		}
		if !c.listener.Valid(c.notification.ID) {
			return nil, notify.ErrGone
		}
	}
	return c.who, nil
}

// tgid is the process of the thread.
func (c *call) tgid() int {
	if c.group == 0 {
		c.group = c.findGroup()
	}
	return c.group
}

// findGroup asks first whether the thread is the one that its process is called after, as
// most are. That is said to who could send it a signal, and sends none (kill(2)): status
// takes much longer to read.
func (c *call) findGroup() int {
	if c.who == nil && unix.Tgkill(c.tid(), c.tid(), 0) == nil && c.listener.Valid(c.notification.ID) {
		return c.tid()
	}
	who, err := c.status()
	if err != nil {
		return c.tid() // a name that leads nowhere, or to the thread itself
	}
	return who.tgid
}

// withUmask runs f with the umask of the target.
func (c *call) withUmask(f func() error) error {
	who, err := c.status()
	if err != nil {
		return err
	}
	unix.Umask(who.umask)
	return f()
}

// release lets go of what was pinned.
func (c *call) release() {
	if c.wait != nil {
		return // it goes on elsewhere
	}
	c.unpin()
	c.operands = c.operands[:0]
}

// unpin closes what the operands start from.
func (c *call) unpin() {
	for i := range c.operands {
		if o := &c.operands[i]; o.dir >= 0 {
			_ = unix.Close(o.dir)
			o.dir = -1
		}
	}
}

// file pins the file of an operand.
func (c *call) file(i int, follow bool) (resolve.Object, error) {
	o := &c.operands[i]
	if o.byFD {
		return c.target.Descriptor(o.dir)
	}
	return c.target.File(resolve.Lookup{Dir: o.dir, Name: o.name, Follow: follow})
}

// existing pins the file of the first operand, which has to be there.
func (c *call) existing(follow bool) (resolve.Object, error) {
	o, err := c.file(0, follow)
	if err == nil && !o.Exists() {
		o.Close()
		err = unix.ENOENT
	}
	return o, err
}

// place pins the directory of an operand that is made, removed or renamed.
func (c *call) place(i int) (resolve.Place, error) {
	o := &c.operands[i]
	return c.target.Place(o.dir, o.name)
}

// pathOf is the name of an object for the policy.
func (c *call) pathOf(name string) policy.Path {
	return policy.Path{Name: name, Self: c.selfName(name), Exe: c.exe}
}

func (c *call) selfName(name string) string {
	if !strings.HasPrefix(name, "/proc/") {
		return ""
	}
	return c.target.Self(name)
}
