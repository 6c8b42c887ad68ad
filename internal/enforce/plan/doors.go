package plan

import (
	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/policy"
	"github.com/turnstile-project/turnstile/internal/seccomp"
)

// doorCalls are the system calls of each side door. They reach files, peers or other
// processes past the calls that are gated, and fail as they do for who may not make them.
var doorCalls = map[policy.Door][]string{
	// Operations that are no system calls.
	policy.DoorIOUring: {"io_uring_setup", "io_uring_enter", "io_uring_register"},
	// Other names for the same files.
	policy.DoorMount: {
		"mount", "umount", "umount2", "open_tree", "open_tree_attr", "move_mount", "fsopen", "fsmount", "fspick",
		"fsconfig", "mount_setattr",
	},
	policy.DoorChroot: {"chroot", "pivot_root"},
	// With unshare and clone, whose flags say what they do.
	policy.DoorNamespaces: {"setns"},
	policy.DoorHandles:    {"open_by_handle_at"},
	policy.DoorFanotify:   {"fanotify_init"},
	// Files that the kernel uses by itself.
	policy.DoorKernelFiles: {"swapon", "swapoff", "acct", "quotactl", "quotactl_fd"},
	// Memory and descriptors of others, this process among them.
	policy.DoorPtrace: {
		"ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "pidfd_getfd", "kcmp",
	},
	policy.DoorUserfaultfd: {"userfaultfd"},
	policy.DoorBPF:         {"bpf"},
	policy.DoorPerf:        {"perf_event_open"},
	policy.DoorModules:     {"init_module", "finit_module", "delete_module"},
	policy.DoorKexec:       {"kexec_load", "kexec_file_load"},
	policy.DoorIOPorts:     {"iopl", "ioperm"},
	policy.DoorKeyrings:    {"add_key", "request_key", "keyctl"},
	policy.DoorObsolete:    {"uselib", "lookup_dcookie", "nfsservctl", "vm86", "vm86old"},
}

// doorIoctls are the commands of ioctl(2) of each side door.
var doorIoctls = map[policy.Door][]uint64{
	policy.DoorTTYInjection: {
		unix.TIOCSTI,
		0x541c, // TIOCLINUX, include/uapi/asm-generic/ioctls.h
	},
	// Names and attributes that change by numbers for which package syscalls has no role.
	policy.DoorFileIoctls: {
		// BTRFS_IOC_SNAP_CREATE, SUBVOL_CREATE, SNAP_DESTROY and their second versions,
		// include/uapi/linux/btrfs.h: names in a directory that is open for reading.
		0x50009401, 0x5000940e, 0x5000940f, 0x50009417, 0x50009418, 0x5000943f,
		0x40086604, // EXT4_IOC_SETVERSION_OLD, fs/ext4/ext4.h
	},
	policy.DoorHandles: {
		// XFS_IOC_OPEN_BY_HANDLE, READLINK_BY_HANDLE, ATTRLIST_BY_HANDLE and
		// ATTRMULTI_BY_HANDLE, fs/xfs/libxfs/xfs_fs.h.
		0xc038586b, 0xc038586c, 0x4058587a, 0x4048587b,
	},
}

// doorPrctls are the operations of PR_SET_MM by which a process that may do so says that it
// runs another file: rules can be about that (prctl(2)).
var doorPrctls = []uint64{unix.PR_SET_MM_EXE_FILE, unix.PR_SET_MM_MAP}

// doorOf is the side door of each call of doorCalls.
var doorOf = func() map[string]policy.Door {
	all := map[string]policy.Door{}
	for door, names := range doorCalls {
		for _, name := range names {
			all[name] = door
		}
	}
	return all
}()

// closed says whether a door is.
func (o Options) closed(door policy.Door) bool { return o.Open&door == 0 }

// namespaceFlags are the CLONE_NEW* of unshare(2) and clone(2) after which a path means
// another file, or a capability more than it did.
const namespaceFlags = unix.CLONE_NEWNS | unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNET |
	unix.CLONE_NEWIPC | unix.CLONE_NEWUTS | unix.CLONE_NEWCGROUP

// doors are the rules of the calls that go around the gate.
func doors(o Options) map[string][]seccomp.Rule {
	refuse := seccomp.Errno(unix.EPERM)
	all := map[string][]seccomp.Rule{}
	for name, door := range doorOf {
		if o.closed(door) {
			all[name] = []seccomp.Rule{{Action: refuse}}
		}
	}
	if o.closed(policy.DoorNamespaces) {
		// Its flags are in memory. All C libraries go on with clone.
		all["clone3"] = []seccomp.Rule{{Action: seccomp.Errno(unix.ENOSYS)}}
		for _, name := range []string{"clone", "unshare"} {
			for flag := uint64(1); flag <= namespaceFlags; flag <<= 1 {
				if namespaceFlags&flag != 0 {
					all[name] = append(all[name], when(0, flag, flag, refuse))
				}
			}
		}
	}
	for _, door := range (policy.AllDoors &^ o.Open).Doors() {
		for _, command := range doorIoctls[door] {
			all["ioctl"] = append(all["ioctl"], when(1, anyInt, command, refuse))
		}
	}
	if !o.closed(policy.DoorFanotify) {
		// The gate has no part in a group that opens by itself.
		all["fanotify_mark"] = []seccomp.Rule{{Action: seccomp.Allow}}
	}
	if o.closed(policy.DoorPtrace) {
		for _, operation := range doorPrctls {
			all["prctl"] = append(all["prctl"], both(when(0, anyInt, unix.PR_SET_MM, refuse), when(1, anyInt, operation, refuse)))
		}
	}
	if o.FakeUndumpable {
		done := seccomp.Errno(0)
		all["prctl"] = append(all["prctl"], both(when(0, anyInt, unix.PR_SET_DUMPABLE, done), when(1, ^uint64(0), 0, done)))
	}
	if o.closed(policy.DoorDevices) {
		for name, mode := range map[string]uint8{"mknod": 1, "mknodat": 2} {
			all[name] = deviceRules(mode, o)
		}
	}
	all["socket"], all["socketpair"] = socketRules(o), socketPairRules(o)
	if o.Credentials {
		for _, name := range changers {
			all[name] = []seccomp.Rule{{Action: seccomp.Notify}}
		}
		for _, option := range []uint64{unix.PR_SET_SECUREBITS, unix.PR_SET_KEEPCAPS} {
			all["prctl"] = append(all["prctl"], when(0, anyInt, option, seccomp.Notify))
		}
	}
	return all
}
