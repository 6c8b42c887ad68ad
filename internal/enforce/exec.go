package enforce

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/enforce/image"
	"github.com/turnstile-project/turnstile/internal/enforce/resolve"
	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/policy"
)

// execute is execve and execveat. Nobody can execute a program for another, so the kernel
// reads the arguments again, and what came of it is looked at before it runs: see
// execution.
func (c *call) execute() error {
	images, err := c.judgeImages()
	if err != nil {
		images.close()
		return err
	}
	if c.flags&atExecveCheck != 0 {
		defer images.close()
		return c.checkExecutable(images.programs[0].FD)
	}
	c.news.meet(c)
	if c.launched {
		// Its arguments are in our memory, and nobody of the target runs yet.
		images.close()
		c.settle(event.Outcome{}, c.listener.Continue(c.notification.ID), -1)
		return nil
	}
	c.tracer.Follow(c.tid(), c.tgid(), &execution{call: c.handOver(), images: images})
	return nil
}

// images are the files that an execve maps or has interpreted.
type images struct {
	// programs are the one that is executed and, if it is a script, who interprets it.
	programs []resolve.Object
	// linker is the path of the dynamic linker, "" for none. It is no program that may
	// be executed.
	linker string
	// foreign says that the last program is of an ABI to which a door is open. What its
	// linker is nobody asks.
	foreign bool
}

func (i *images) close() {
	for n := range i.programs {
		i.programs[n].Close()
	}
}

// maxInterpreters is how many scripts may interpret each other (fs/exec.c, exec_binprm).
const maxInterpreters = 5

// judgeImages pins and judges the program of a call, and those that interpret it.
func (c *call) judgeImages() (all images, err error) {
	program, err := c.existing(c.flags&unix.AT_SYMLINK_NOFOLLOW == 0)
	for err == nil {
		all.programs = append(all.programs, program)
		if err := c.judgeProgram(&program); err != nil {
			return all, err
		}
		read, err := c.readImage(&program)
		switch {
		case err != nil:
			return all, err
		case read.Kind == image.Foreign && c.policy.Open&policy.DoorForeignABI == 0:
			return all, c.refuseImage(&program, "turnstile: its system calls are those of another ABI; --open foreign_abi lets them through")
		case read.Kind == image.Native && read.Interpreter != "":
			all.linker, err = c.pinLinker(read.Interpreter)
			return all, err
		case read.Kind == image.Foreign:
			all.foreign = true
			return all, nil
		case read.Kind != image.Script:
			return all, nil // the kernel may know what it is, and we see what came of it
		case len(all.programs) > maxInterpreters:
			return all, unix.ELOOP
		}
		c.operands = append(c.operands[:len(all.programs)], operand{name: read.Interpreter, dir: -1})
		if program, err = c.byName(read.Interpreter); err != nil {
			return all, err
		}
	}
	return all, err
}

// pinLinker judges the dynamic linker that a program names, and returns its path.
func (c *call) pinLinker(name string) (string, error) {
	o, err := c.byName(name)
	if err != nil {
		return "", err
	}
	defer o.Close()
	c.linkers.add(&o)
	return o.Path, c.judgeLinker(o.Path)
}

// byName pins a file that an image names.
func (c *call) byName(name string) (resolve.Object, error) {
	dir, err := c.workingDirectory(name)
	if err != nil {
		return resolve.Object{}, err
	}
	if dir >= 0 {
		defer func() { _ = unix.Close(dir) }()
	}
	o, err := c.target.File(resolve.Lookup{Dir: dir, Name: name, Follow: true})
	if err == nil && !o.Exists() {
		o.Close()
		err = unix.ENOENT
	}
	return o, err
}

// judgeProgram asks the policy about a file that is executed, or that interprets one. A
// memfd has a name too here, which no file has.
func (c *call) judgeProgram(o *resolve.Object) error {
	switch {
	case o.Is(unix.S_IFLNK):
		return unix.ELOOP
	case !o.Is(unix.S_IFREG):
		return unix.EACCES
	}
	if err := c.judgeFile(event.Exec, o.Path, &o.Stat); err != nil {
		return err
	}
	if last := &c.judged[len(c.judged)-1]; c.linkers.has(o) && last.by != "user" && !namesAlone(last.decision.Rule) {
		last.decision.Verdict, last.by = event.VerdictDeny, "turnstile: a dynamic linker executes any file; a rule without wildcards can allow it"
		return denied{unix.EACCES}
	}
	return nil
}

// namesAlone says whether a rule is about one file only.
func namesAlone(r *policy.Rule) bool {
	if r == nil {
		return false
	}
	_, literal := r.Patterns[0].Literal()
	return literal
}

// judgeLinker asks about the dynamic linker of a program that is allowed. It needs no
// right to be executed, but a rule can deny it.
func (c *call) judgeLinker(path string) error {
	d := c.policy.Decide(event.Exec, c.pathOf(path))
	if d.Rule == nil || d.Verdict != event.VerdictDeny {
		return nil
	}
	c.judged = append(c.judged, judgement{classes: event.Exec, path: path, decision: d})
	return denied{d.Denied()}
}

// refuseImage denies a program that cannot be held to anything.
func (c *call) refuseImage(o *resolve.Object, by string) error {
	c.judged = append(c.judged, judgement{classes: event.Exec, path: o.Path, mode: o.Stat.Mode, by: by, decision: policy.Decision{Verdict: event.VerdictDeny}})
	return denied{unix.EACCES}
}

// readImage reads the beginning of a program. A user who may execute a file and not read
// it makes a process that the gate cannot look into.
func (c *call) readImage(o *resolve.Object) (i image.Image, err error) {
	var fd int
	c.asTracer(func() { fd, err = resolve.Reopen(o.FD, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC) })
	if err != nil {
		return i, c.refuseImage(o, "turnstile, which cannot read it: its process could not be looked into")
	}
	f := os.NewFile(uintptr(fd), o.Path)
	defer f.Close()
	if i, err = image.Read(f); err != nil {
		return i, unix.EIO
	}
	return i, nil
}

// checkExecutable is AT_EXECVE_CHECK (Linux 6.14): nothing is executed.
func (c *call) checkExecutable(fd int) error {
	var empty [1]byte
	var none [1]uintptr
	if _, _, errno := unix.RawSyscall6(unix.SYS_EXECVEAT, uintptr(fd), uintptr(unsafe.Pointer(&empty)), uintptr(unsafe.Pointer(&none)),
		uintptr(unsafe.Pointer(&none)), unix.AT_EMPTY_PATH|atExecveCheck, 0); errno != 0 {
		return errno
	}
	return c.returns(0)
}

// atExecveCheck is AT_EXECVE_CHECK, include/uapi/linux/fcntl.h.
const atExecveCheck = 0x10000
