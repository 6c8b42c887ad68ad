package plan

import (
	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/seccomp"
)

// Calls that reach files, or the gate itself, past the calls that are gated. They fail as
// they do for who may not make them.
var closed = []string{
	// Operations that are no system calls.
	"io_uring_setup", "io_uring_enter", "io_uring_register",
	// Other names for the same files. What names files itself is in the table of
	// package syscalls.
	"open_tree", "open_tree_attr", "move_mount", "fsopen", "fsmount", "fspick", "fsconfig", "mount_setattr",
	"setns", "fanotify_init", "quotactl_fd",
	// Memory and descriptors of others, this process among them.
	"ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "kcmp", "process_madvise",
	// Programs and modules in the kernel.
	"bpf", "perf_event_open", "userfaultfd", "init_module", "finit_module", "delete_module",
	"kexec_load", "kexec_file_load", "lookup_dcookie", "nfsservctl", "vm86", "vm86old",
}

// namespaceFlags are the CLONE_NEW* of unshare(2) and clone(2) after which a path means
// another file, or a capability more than it did.
const namespaceFlags = unix.CLONE_NEWNS | unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNET |
	unix.CLONE_NEWIPC | unix.CLONE_NEWUTS | unix.CLONE_NEWCGROUP

// closedIoctls are commands of ioctl(2) that type into a terminal, or change names or
// attributes by numbers that package syscalls has no role for.
var closedIoctls = []uint64{
	unix.TIOCSTI,
	0x541c, // TIOCLINUX, include/uapi/asm-generic/ioctls.h
	// BTRFS_IOC_SNAP_CREATE, SUBVOL_CREATE, SNAP_DESTROY and their second versions,
	// include/uapi/linux/btrfs.h: names in a directory that is open for reading.
	0x50009401, 0x5000940e, 0x5000940f, 0x50009417, 0x50009418, 0x5000943f,
	0x40086604, // EXT4_IOC_SETVERSION_OLD, fs/ext4/ext4.h
}

// doors are the rules of the calls that go around the gate.
func doors(o Options) map[string][]seccomp.Rule {
	refuse := seccomp.Errno(unix.EPERM)
	all := map[string][]seccomp.Rule{
		// Its flags are in memory. All C libraries go on with clone.
		"clone3": {{Action: seccomp.Errno(unix.ENOSYS)}},
	}
	for _, name := range closed {
		all[name] = []seccomp.Rule{{Action: refuse}}
	}
	for _, name := range []string{"clone", "unshare"} {
		for flag := uint64(1); flag <= namespaceFlags; flag <<= 1 {
			if namespaceFlags&flag != 0 {
				all[name] = append(all[name], when(0, flag, flag, refuse))
			}
		}
	}
	for _, command := range closedIoctls {
		all["ioctl"] = append(all["ioctl"], when(1, 0xffffffff, command, refuse))
	}
	if o.FakeUndumpable {
		undumpable := when(0, 0xffffffff, unix.PR_SET_DUMPABLE, seccomp.Errno(0))
		undumpable.Conditions = append(undumpable.Conditions, seccomp.Condition{Arg: 1, Mask: ^uint64(0)})
		all["prctl"] = []seccomp.Rule{undumpable}
	}
	for name, mode := range map[string]uint8{"mknod": 1, "mknodat": 2} {
		all[name] = deviceRules(mode, o)
	}
	if o.Credentials {
		for _, name := range changers {
			all[name] = []seccomp.Rule{{Action: seccomp.Notify}}
		}
		for _, option := range []uint64{unix.PR_SET_SECUREBITS, unix.PR_SET_KEEPCAPS} {
			all["prctl"] = append(all["prctl"], when(0, 0xffffffff, option, seccomp.Notify))
		}
	}
	return all
}

// deviceRules refuse to make devices, by which a disk is read past the names of its files.
// /dev/null, zero, full, random and urandom are harmless, and device 0 is a whiteout.
func deviceRules(mode uint8, o Options) []seccomp.Rule {
	refuse := seccomp.Errno(unix.EPERM)
	otherwise := seccomp.Allow
	if o.Classes&(event.Create|event.Bind) != 0 {
		otherwise = seccomp.Notify
	}
	rules := []seccomp.Rule{when(mode, unix.S_IFMT, unix.S_IFBLK, refuse)}
	const memory = 1 << 8 // the major number of what is made of memory
	for _, device := range []uint64{0, memory | 3, memory | 5, memory | 7, memory | 8, memory | 9} {
		harmless := when(mode, unix.S_IFMT, unix.S_IFCHR, otherwise)
		harmless.Conditions = append(harmless.Conditions, seccomp.Condition{Arg: mode + 1, Mask: 0xffffffff, Value: device})
		rules = append(rules, harmless)
	}
	return append(rules, when(mode, unix.S_IFMT, unix.S_IFCHR, refuse))
}

func when(arg uint8, mask, value uint64, action seccomp.Action) seccomp.Rule {
	return seccomp.Rule{Conditions: []seccomp.Condition{{Arg: arg, Mask: mask, Value: value}}, Action: action}
}
