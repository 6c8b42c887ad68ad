package policy

import (
	"slices"

	"golang.org/x/sys/unix"
)

// doorCalls are the system calls of each side door. They reach files, peers or other
// processes past the calls that are gated, and fail as they do for who may not make them.
var doorCalls = map[Door][]string{
	// Operations that are no system calls.
	DoorIOUring: {"io_uring_setup", "io_uring_enter", "io_uring_register"},
	// Other names for the same files.
	DoorMount: {
		"mount", "umount", "umount2", "open_tree", "open_tree_attr", "move_mount", "fsopen", "fsmount", "fspick",
		"fsconfig", "mount_setattr",
	},
	DoorChroot: {"chroot", "pivot_root"},
	// With unshare and clone, whose flags say what they do.
	DoorNamespaces: {"setns"},
	DoorHandles:    {"open_by_handle_at"},
	DoorFanotify:   {"fanotify_init"},
	// Files that the kernel uses by itself.
	DoorKernelFiles: {"swapon", "swapoff", "acct", "quotactl", "quotactl_fd"},
	// Memory and descriptors of others, this process among them.
	DoorPtrace: {
		"ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "pidfd_getfd", "kcmp",
	},
	DoorUserfaultfd: {"userfaultfd"},
	DoorBPF:         {"bpf"},
	DoorPerf:        {"perf_event_open"},
	DoorModules:     {"init_module", "finit_module", "delete_module"},
	DoorKexec:       {"kexec_load", "kexec_file_load"},
	DoorIOPorts:     {"iopl", "ioperm"},
	DoorKeyrings:    {"add_key", "request_key", "keyctl"},
	DoorObsolete:    {"uselib", "lookup_dcookie", "nfsservctl", "vm86", "vm86old"},
}

// doorIoctls are the commands of ioctl(2) of each side door.
var doorIoctls = map[Door][]uint64{
	DoorTTYInjection: {
		unix.TIOCSTI,
		0x541c, // TIOCLINUX, include/uapi/asm-generic/ioctls.h
	},
	// Names and attributes that change by numbers for which package syscalls has no role.
	DoorFileIoctls: {
		// BTRFS_IOC_SNAP_CREATE, SUBVOL_CREATE, SNAP_DESTROY and their second versions,
		// include/uapi/linux/btrfs.h: names in a directory that is open for reading.
		0x50009401, 0x5000940e, 0x5000940f, 0x50009417, 0x50009418, 0x5000943f,
		0x40086604, // EXT4_IOC_SETVERSION_OLD, fs/ext4/ext4.h
	},
	DoorHandles: {
		// XFS_IOC_OPEN_BY_HANDLE, READLINK_BY_HANDLE, ATTRLIST_BY_HANDLE and
		// ATTRMULTI_BY_HANDLE, fs/xfs/libxfs/xfs_fs.h.
		0xc038586b, 0xc038586c, 0x4058587a, 0x4048587b,
	},
}

// NamespaceFlags are the CLONE_NEW* of unshare(2) and clone(2) after which a path means
// another file, or a capability more than it did: those of [DoorNamespaces].
const NamespaceFlags = unix.CLONE_NEWNS | unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNET |
	unix.CLONE_NEWIPC | unix.CLONE_NEWUTS | unix.CLONE_NEWCGROUP

// Calls are the names of the system calls of a single door, whatever their arguments.
func (d Door) Calls() []string { return doorCalls[d] }

// DoorOf is the side door that a call is for whatever its arguments, 0 for none.
func DoorOf(call string) Door {
	for door, calls := range doorCalls {
		if slices.Contains(calls, call) {
			return door
		}
	}
	return 0
}

// Ioctls are the commands of ioctl(2) of a single door.
func (d Door) Ioctls() []uint64 { return doorIoctls[d] }
