package syscalls

import (
	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
)

// roles is the table of calls that name files, programs or sockets, and of
// those with an argument that decides what they do. A call has the same
// arguments in every ABI; the exceptions are in rolesOf.
//
// Strings that name nothing in the filesystem (the text of a symbolic link, the
// name of an attribute, a filesystem type) have no role.
var roles = []Spec{
	// Open.
	{Name: "open", Op: event.OpOpen, Args: args{Path, Flags}, ReturnsFD: true},
	{Name: "openat", Op: event.OpOpen, Args: args{Dir, Path, Flags}, ReturnsFD: true},
	{Name: "openat2", Op: event.OpOpen, Args: args{Dir, Path, How}, ReturnsFD: true},
	{Name: "creat", Op: event.OpOpen, Args: args{Path}, ReturnsFD: true, Implied: unix.O_CREAT | unix.O_WRONLY | unix.O_TRUNC},
	{Name: "open_by_handle_at", Op: event.OpOpen, Args: args{0, 0, Flags}, ReturnsFD: true},
	{Name: "open_tree", Op: event.OpMount, Args: args{Dir, Path, Flags}},
	{Name: "open_tree_attr", Op: event.OpMount, Args: args{Dir, Path, Flags}},
	{Name: "uselib", Op: event.OpMapExec, Args: args{Path}},

	// Names in directories.
	{Name: "mkdir", Op: event.OpMkdir, Args: args{Path}},
	{Name: "mkdirat", Op: event.OpMkdir, Args: args{Dir, Path}},
	{Name: "mknod", Op: event.OpMknod, Args: args{Path}},
	{Name: "mknodat", Op: event.OpMknod, Args: args{Dir, Path}},
	{Name: "symlink", Op: event.OpSymlink, Args: args{0, Path}},
	{Name: "symlinkat", Op: event.OpSymlink, Args: args{0, Dir, Path}},
	{Name: "link", Op: event.OpLink, Args: args{Path, Path}},
	{Name: "linkat", Op: event.OpLink, Args: args{Dir, Path, Dir, Path, Flags}},
	{Name: "rename", Op: event.OpRename, Args: args{Path, Path}},
	{Name: "renameat", Op: event.OpRename, Args: args{Dir, Path, Dir, Path}},
	{Name: "renameat2", Op: event.OpRename, Args: args{Dir, Path, Dir, Path, Flags}},
	{Name: "unlink", Op: event.OpUnlink, Args: args{Path}},
	{Name: "unlinkat", Op: event.OpUnlink, Args: args{Dir, Path, Flags}},
	{Name: "rmdir", Op: event.OpRmdir, Args: args{Path}},

	// Contents.
	{Name: "truncate", Op: event.OpTruncate, Args: args{Path}},
	{Name: "truncate64", Op: event.OpTruncate, Args: args{Path}},
	{Name: "ftruncate", Op: event.OpTruncate, Args: args{FD}},
	{Name: "ftruncate64", Op: event.OpTruncate, Args: args{FD}},

	// What a file is like.
	{Name: "stat", Op: event.OpStat, Args: args{Path}},
	{Name: "lstat", Op: event.OpStat, Args: args{Path}},
	{Name: "oldstat", Op: event.OpStat, Args: args{Path}},
	{Name: "oldlstat", Op: event.OpStat, Args: args{Path}},
	{Name: "stat64", Op: event.OpStat, Args: args{Path}},
	{Name: "lstat64", Op: event.OpStat, Args: args{Path}},
	{Name: "newfstatat", Op: event.OpStat, Args: args{Dir, Path, 0, Flags}},
	{Name: "fstatat64", Op: event.OpStat, Args: args{Dir, Path, 0, Flags}},
	{Name: "statx", Op: event.OpStat, Args: args{Dir, Path, Flags}},
	{Name: "access", Op: event.OpAccess, Args: args{Path}},
	{Name: "faccessat", Op: event.OpAccess, Args: args{Dir, Path}},
	{Name: "faccessat2", Op: event.OpAccess, Args: args{Dir, Path, 0, Flags}},
	{Name: "readlink", Op: event.OpReadlink, Args: args{Path}},
	{Name: "readlinkat", Op: event.OpReadlink, Args: args{Dir, Path}},
	{Name: "statfs", Op: event.OpStatfs, Args: args{Path}},
	{Name: "statfs64", Op: event.OpStatfs, Args: args{Path}},
	{Name: "getxattr", Op: event.OpGetxattr, Args: args{Path}},
	{Name: "lgetxattr", Op: event.OpGetxattr, Args: args{Path}},
	{Name: "getxattrat", Op: event.OpGetxattr, Args: args{Dir, Path, Flags}},
	{Name: "listxattr", Op: event.OpListxattr, Args: args{Path}},
	{Name: "llistxattr", Op: event.OpListxattr, Args: args{Path}},
	{Name: "listxattrat", Op: event.OpListxattr, Args: args{Dir, Path, Flags}},
	{Name: "file_getattr", Op: event.OpStat, Args: args{Dir, Path, 0, 0, Flags}},
	{Name: "name_to_handle_at", Op: event.OpHandle, Args: args{Dir, Path, 0, 0, Flags}},

	// Attributes.
	{Name: "chmod", Op: event.OpChmod, Args: args{Path}},
	{Name: "fchmod", Op: event.OpChmod, Args: args{FD}},
	{Name: "fchmodat", Op: event.OpChmod, Args: args{Dir, Path}},
	{Name: "fchmodat2", Op: event.OpChmod, Args: args{Dir, Path, 0, Flags}},
	{Name: "chown", Op: event.OpChown, Args: args{Path}},
	{Name: "lchown", Op: event.OpChown, Args: args{Path}},
	{Name: "fchown", Op: event.OpChown, Args: args{FD}},
	{Name: "chown32", Op: event.OpChown, Args: args{Path}},
	{Name: "lchown32", Op: event.OpChown, Args: args{Path}},
	{Name: "fchown32", Op: event.OpChown, Args: args{FD}},
	{Name: "fchownat", Op: event.OpChown, Args: args{Dir, Path, 0, 0, Flags}},
	{Name: "utime", Op: event.OpUtime, Args: args{Path}},
	{Name: "utimes", Op: event.OpUtime, Args: args{Path}},
	{Name: "futimesat", Op: event.OpUtime, Args: args{Dir, Path}},
	{Name: "utimensat", Op: event.OpUtime, Args: args{Dir, Path, 0, Flags}},
	{Name: "utimensat_time64", Op: event.OpUtime, Args: args{Dir, Path, 0, Flags}},
	{Name: "setxattr", Op: event.OpSetxattr, Args: args{Path}},
	{Name: "lsetxattr", Op: event.OpSetxattr, Args: args{Path}},
	{Name: "fsetxattr", Op: event.OpSetxattr, Args: args{FD}},
	{Name: "setxattrat", Op: event.OpSetxattr, Args: args{Dir, Path, Flags}},
	{Name: "removexattr", Op: event.OpRemovexattr, Args: args{Path}},
	{Name: "lremovexattr", Op: event.OpRemovexattr, Args: args{Path}},
	{Name: "fremovexattr", Op: event.OpRemovexattr, Args: args{FD}},
	{Name: "removexattrat", Op: event.OpRemovexattr, Args: args{Dir, Path, Flags}},
	{Name: "file_setattr", Op: event.OpSetxattr, Args: args{Dir, Path, 0, 0, Flags}},
	{Name: "ioctl", Op: event.OpSetflags, Args: args{FD, Selector}},

	// Where names begin.
	{Name: "chdir", Op: event.OpChdir, Args: args{Path}},
	{Name: "fchdir", Op: event.OpChdir, Args: args{FD}},
	{Name: "chroot", Op: event.OpChroot, Args: args{Path}},
	{Name: "pivot_root", Op: event.OpMount, Args: args{Path, Path}},
	{Name: "mount", Op: event.OpMount, Args: args{0, Path, 0, Flags}},
	{Name: "umount", Op: event.OpMount, Args: args{Path}},
	{Name: "umount2", Op: event.OpMount, Args: args{Path, Flags}},
	{Name: "move_mount", Op: event.OpMount, Args: args{Dir, Path, Dir, Path, Flags}},
	{Name: "mount_setattr", Op: event.OpMount, Args: args{Dir, Path, Flags}},
	{Name: "fspick", Op: event.OpMount, Args: args{Dir, Path, Flags}},

	// Marks, accounting, swap, quota.
	{Name: "inotify_add_watch", Op: event.OpWatch, Args: args{0, Path}},
	{Name: "fanotify_mark", Op: event.OpWatch, Args: args{0, 0, 0, Dir, Path}},
	{Name: "acct", Op: event.OpAcct, Args: args{Path}},
	{Name: "swapon", Op: event.OpSwap, Args: args{Path}},
	{Name: "swapoff", Op: event.OpSwap, Args: args{Path}},
	{Name: "quotactl", Op: event.OpQuota, Args: args{Selector, Path}},

	// Programs.
	{Name: "execve", Op: event.OpExec, Args: args{Path, Argv}},
	{Name: "execveat", Op: event.OpExec, Args: args{Dir, Path, Argv, 0, Flags}},
	{Name: "mmap", Op: event.OpMapExec, Args: args{0, 0, Prot, Selector, FD}},
	{Name: "mmap2", Op: event.OpMapExec, Args: args{0, 0, Prot, Selector, FD}},

	// Sockets.
	{Name: "connect", Op: event.OpConnect, Args: args{FD, Addr}},
	{Name: "bind", Op: event.OpBind, Args: args{FD, Addr}},
	{Name: "listen", Op: event.OpListen, Args: args{FD}},
	{Name: "accept", Op: event.OpAccept, Args: args{FD, AddrOut}, ReturnsFD: true},
	{Name: "accept4", Op: event.OpAccept, Args: args{FD, AddrOut}, ReturnsFD: true},
	{Name: "sendto", Op: event.OpSend, Args: args{FD, 0, 0, Flags, Addr}},
	{Name: "sendmsg", Op: event.OpSend, Args: args{FD, Msg, Flags}},
	{Name: "sendmmsg", Op: event.OpSend, Args: args{FD, MMsg, 0, Flags}},

	// Calls that are many calls in one.
	{Name: "socket", Args: args{Selector, Selector, Selector}},
	{Name: "socketpair", Args: args{Selector, Selector, Selector}},
	{Name: "clone", Args: args{Selector}},
	{Name: "clone3", Args: args{CloneArgs}},
	{Name: "unshare", Args: args{Selector}},
	{Name: "setns", Args: args{0, Selector}},
	{Name: "prctl", Args: args{Selector}},
	{Name: "arch_prctl", Args: args{Selector}},
	{Name: "fcntl", Args: args{0, Selector}},
	{Name: "fcntl64", Args: args{0, Selector}},
	{Name: "personality", Args: args{Selector}},
	{Name: "ptrace", Args: args{Selector}},
	{Name: "bpf", Args: args{Selector}},
	{Name: "keyctl", Args: args{Selector}},
	{Name: "seccomp", Args: args{Selector, Selector}},
	{Name: "futex", Args: args{0, Selector}},
	{Name: "futex_time64", Args: args{0, Selector}},
	{Name: "madvise", Args: args{0, 0, Selector}},
	{Name: "mprotect", Args: args{0, 0, Selector}},
	{Name: "getsockopt", Args: args{0, Selector, Selector}},
	{Name: "setsockopt", Args: args{0, Selector, Selector}},
	{Name: "prlimit64", Args: args{0, Selector}},
	{Name: "clock_gettime", Args: args{Selector}},
	{Name: "clock_nanosleep", Args: args{Selector}},
	{Name: "timer_create", Args: args{Selector}},
	{Name: "fsconfig", Args: args{0, Selector}},
	{Name: "landlock_add_rule", Args: args{0, Selector}},
}

// rolesOf are the calls whose arguments differ in one ABI.
var rolesOf = map[event.ABI][]Spec{
	event.I386: {
		// The 64-bit mask takes two registers.
		{Name: "fanotify_mark", Op: event.OpWatch, Args: args{0, 0, 0, 0, Dir, Path}},
		// The old mmap has one argument, a pointer to the six.
		{Name: "mmap"},
		{Name: "socketcall", Args: args{Selector, SockArgs}},
		{Name: "ipc", Args: args{Selector}},
	},
	event.ARM: {
		{Name: "fanotify_mark", Op: event.OpWatch, Args: args{0, 0, 0, 0, Dir, Path}},
	},
}

type args = [6]Role

// AttributeIoctls are the commands of ioctl(2) that change attributes of a file,
// through a descriptor that may be read-only (include/uapi/linux/fs.h,
// fscrypt.h, fsverity.h, msdos_fs.h). All others touch nothing that Turnstile names.
var AttributeIoctls = [8]uint32{
	unix.FS_IOC_SETFLAGS,
	0x40046602, // FS_IOC32_SETFLAGS, of a 32-bit program
	0x401c5820, // FS_IOC_FSSETXATTR
	0x40087602, // FS_IOC_SETVERSION
	0x40047602, // FS_IOC32_SETVERSION
	unix.FS_IOC_SET_ENCRYPTION_POLICY,
	unix.FS_IOC_ENABLE_VERITY,
	0x40047211, // FAT_IOCTL_SET_ATTRIBUTES
}
