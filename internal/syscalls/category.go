package syscalls

import (
	"github.com/turnstile-project/turnstile/internal/event"
)

// Category is the part of the system that call nr concerns.
func Category(abi event.ABI, nr int32) event.Category {
	if s := Lookup(abi, nr); s != nil && s.Op != event.OpNone && s.Op != event.OpMapExec {
		return s.Op.Category()
	}
	n, _ := Known(abi, nr)
	return categories[n]
}

// categories are those of the calls that name no object.
var categories = make(map[string]event.Category)

func init() {
	for c, names := range map[event.Category][]string{
		event.CategoryFile: {
			"read", "write", "close", "fstat", "fstat64", "lseek", "_llseek", "pread64", "pwrite64",
			"readv", "writev", "preadv", "pwritev", "preadv2", "pwritev2", "getdents", "getdents64",
			"fsync", "fdatasync", "sync", "syncfs", "fallocate", "flock", "dup", "dup2", "dup3",
			"fcntl", "fcntl64", "ioctl", "getcwd", "fgetxattr", "flistxattr", "fstatfs", "fstatfs64",
			"sendfile", "sendfile64", "splice", "tee", "vmsplice", "copy_file_range", "readahead",
			"fadvise64", "fadvise64_64", "pipe", "pipe2", "close_range", "umask", "sync_file_range",
		},
		event.CategoryNetwork: {
			"socket", "socketpair", "socketcall", "getsockname", "getpeername", "getsockopt",
			"setsockopt", "recvfrom", "recvmsg", "recvmmsg", "recvmmsg_time64", "shutdown", "send", "recv",
		},
		event.CategoryProcess: {
			"fork", "vfork", "clone", "clone3", "exit", "exit_group", "wait4", "waitid", "waitpid",
			"kill", "tkill", "tgkill", "getpid", "getppid", "gettid", "getpgid", "setpgid", "getpgrp",
			"getsid", "setsid", "prctl", "arch_prctl", "unshare", "setns", "pidfd_open",
			"pidfd_send_signal", "pidfd_getfd", "ptrace", "seccomp", "set_tid_address",
		},
		event.CategoryMemory: {
			"mmap", "mmap2", "munmap", "mremap", "mprotect", "pkey_mprotect", "brk", "madvise",
			"process_madvise", "mlock", "mlock2", "munlock", "mlockall", "munlockall", "mincore",
			"msync", "membarrier", "memfd_create", "memfd_secret", "mseal", "mbind", "remap_file_pages",
		},
	} {
		for _, n := range names {
			categories[n] = c
		}
	}
}
