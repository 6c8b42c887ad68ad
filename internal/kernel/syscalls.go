package kernel

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Calls that the supervisor makes on behalf of a target.
const (
	Openat2     ID = "syscall.openat2"
	PidfdOpen   ID = "syscall.pidfd_open"
	PidfdGetfd  ID = "syscall.pidfd_getfd"
	PidfdThread ID = "syscall.pidfd_thread"
	ProcessVM   ID = "syscall.process_vm_readv"
	CloseRange  ID = "syscall.close_range"
	Fchmodat2   ID = "syscall.fchmodat2"
)

var syscallFeatures = []entry{
	{Feature{
		ID: Openat2, Name: "openat2", Since: "5.6", Needs: required(Enforce),
		Without: "A path cannot be resolved without following what the target put there.",
	}, openat2Answer},
	{Feature{
		ID: PidfdOpen, Name: "pidfd_open", Since: "5.3", Needs: required(Enforce),
		Without: "A process cannot be held on to, only its number, which may be used again.",
	}, func(*session) answer { return pidfdAnswer(0) }},
	{Feature{
		ID: PidfdGetfd, Name: "pidfd_getfd", Since: "5.6", Needs: required(Enforce),
		Without: "The target's sockets and directories cannot be used on its behalf.",
	}, pidfdGetfdAnswer},
	{Feature{
		ID: PidfdThread, Name: "pidfd of a thread", Since: "6.9", Needs: optional(Enforce),
		Without: "Threads with a descriptor table of their own are reached through their process only.",
	}, func(*session) answer { return pidfdAnswer(pidfdThread) }},
	{Feature{
		ID: ProcessVM, Name: "process_vm_readv", Since: "3.2", Config: "CONFIG_CROSS_MEMORY_ATTACH", Needs: optional(Enforce),
		Without: "Arguments are read through /proc/PID/mem, which takes longer.",
	}, processVMAnswer},
	{Feature{
		ID: CloseRange, Name: "close_range", Since: "5.9", Needs: optional(Enforce),
		Without: "Inherited descriptors are closed one by one.",
	}, closeRangeAnswer},
	{Feature{
		ID: Fchmodat2, Name: "fchmodat2", Since: "6.6", Needs: optional(Enforce),
		Without: "The mode of an object is changed through /proc/self/fd.",
	}, fchmodat2Answer},
}

// syscallAnswer judges a call that ends with known if the kernel knows it, nil
// for success.
func syscallAnswer(call string, err, known error) answer {
	switch {
	case errors.Is(err, known):
		return present("")
	case is(err, unix.ENOSYS):
		return lacking(fmt.Sprintf("the kernel has no %s (ENOSYS)", call))
	case is(err, unix.EINVAL):
		return lacking("the kernel does not know it (EINVAL)")
	case is(err, unix.EPERM, unix.EACCES):
		return forbidden(fmt.Sprintf("%s answers %s: a seccomp filter or a security module forbids it", call, named(err)),
			"run it outside of that sandbox, or let the sandbox's profile allow "+call)
	default:
		return unknown(fmt.Sprintf("%s answers %s", call, named(err)), "")
	}
}

func openat2Answer(*session) answer {
	how := unix.OpenHow{Flags: unix.O_RDONLY | unix.O_DIRECTORY | unix.O_CLOEXEC, Resolve: unix.RESOLVE_NO_MAGICLINKS}
	fd, err := unix.Openat2(unix.AT_FDCWD, "/", &how)
	if err == nil {
		_ = unix.Close(fd)
	}
	return syscallAnswer("openat2(2)", err, nil)
}

// pidfdThread is PIDFD_THREAD of include/uapi/linux/pidfd.h.
const pidfdThread = unix.O_EXCL

// pidfdAnswer holds this process, which is a thread too.
func pidfdAnswer(flags int) answer {
	fd, err := unix.PidfdOpen(unix.Getpid(), flags)
	if err == nil {
		_ = unix.Close(fd)
	}
	return syscallAnswer("pidfd_open(2)", err, nil)
}

// pidfdGetfdAnswer takes a descriptor from this very process, which every
// ptrace policy allows.
func pidfdGetfdAnswer(*session) answer {
	self, err := unix.PidfdOpen(unix.Getpid(), 0)
	if err != nil {
		return syscallAnswer("pidfd_open(2)", err, nil)
	}
	defer closeProbe(self)
	fd, err := unix.PidfdGetfd(self, self, 0)
	if err == nil {
		_ = unix.Close(fd)
	}
	return syscallAnswer("pidfd_getfd(2)", err, nil)
}

// processVMAnswer reads a byte of this very process.
func processVMAnswer(*session) answer {
	from, to := []byte{1}, []byte{0}
	local := []unix.Iovec{{Base: &to[0], Len: 1}}
	remote := []unix.RemoteIovec{{Base: uintptr(unsafe.Pointer(&from[0])), Len: 1}}
	_, err := unix.ProcessVMReadv(unix.Getpid(), local, remote, 0)
	runtime.KeepAlive(from)
	return syscallAnswer("process_vm_readv(2)", err, nil)
}

// closeRangeAnswer closes the one descriptor that no process can have.
func closeRangeAnswer(*session) answer {
	return syscallAnswer("close_range(2)", unix.CloseRange(math.MaxUint32, math.MaxUint32, 0), nil)
}

// fchmodat2Answer names a file relative to no descriptor.
func fchmodat2Answer(*session) answer {
	name := []byte("x\x00")
	_, _, errno := unix.Syscall6(unix.SYS_FCHMODAT2, ^uintptr(0), uintptr(unsafe.Pointer(&name[0])), 0, 0, 0, 0)
	return syscallAnswer("fchmodat2(2)", errno, unix.EBADF)
}
