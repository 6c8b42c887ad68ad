package policy

import (
	"fmt"
	"strings"
)

// Door is a set of side doors: ways to reach files, peers or other processes that no rule
// is asked about. Each is closed unless a policy opens it.
type Door uint32

// The doors. Calls of which every use leads through one are in
// doorcalls.go, the rest is in package plan.
const (
	DoorIOUring Door = 1 << iota
	DoorMount
	DoorChroot
	DoorNamespaces
	DoorHandles
	DoorFanotify
	DoorFileIoctls
	DoorKernelFiles
	DoorDevices
	DoorPtrace
	DoorUserfaultfd
	DoorBPF
	DoorPerf
	DoorModules
	DoorKexec
	DoorIOPorts
	DoorKeyrings
	DoorTTYInjection
	DoorRawSockets
	DoorSocketFamilies
	DoorForeignABI
	DoorObsolete
)

// doors in the order of the constants: the name, what comes through it, and what is not
// held any more once it is open.
var doors = [...]struct{ name, what, bypasses string }{
	{"io_uring", "asynchronous operations on files and sockets", "files and sockets that are used by way of io_uring"},
	{"mount", "mounting, unmounting and moving of filesystems", "files under the names that new mounts give them"},
	{"chroot", "chroot and pivot_root", "the files of processes that have another root directory"},
	{"namespaces", "new namespaces and joining others", "the files of processes in other mount or user namespaces, and addresses in other networks"},
	{"handles", "files opened by handle, without a name", "files that are opened by handle"},
	{"fanotify", "fanotify, which opens what others use", "files that fanotify opens"},
	{"file_ioctls", "ioctls that make subvolumes or change attributes by number", "subvolumes of btrfs, and version numbers of ext4"},
	{"kernel_files", "swap areas, process accounting and quota files", "files that the kernel reads and writes for swap, accounting and quotas"},
	{"devices", "making device files", "disks and memory behind device files that are made"},
	{"ptrace", "memory and descriptors of other processes", "what other processes of the same user are made to do, and what is executed by those that are traced"},
	{"userfaultfd", "page faults handled by programs", "the time that a call may take: who reads memory of the command waits for it"},
	{"bpf", "programs and maps in the kernel", "what programs in the kernel do"},
	{"perf", "perf events and profiles", "what perf events tell of other processes"},
	{"modules", "loading and unloading of kernel modules", "anything: modules can do all"},
	{"kexec", "starting another kernel", "anything: another kernel knows no rules"},
	{"io_ports", "I/O ports (iopl, ioperm)", "devices that are driven by their ports"},
	{"keyrings", "keys in the kernel", "keys that are shared with processes outside, and helpers that run for them"},
	{"tty_injection", "input faked on a terminal (TIOCSTI, TIOCLINUX)", "what is typed into the terminal for others, and answers to questions"},
	{"raw_sockets", "raw and packet sockets", "packets to any address"},
	{"socket_families", "sockets other than unix, TCP, UDP, ping and routing netlink", "peers that no rule can name"},
	{"foreign_abi", "calls of other ABIs (32-bit programs, x32)", "anything: calls of other ABIs are not looked at"},
	{"obsolete", "calls that no program makes any more (uselib, lookup_dcookie, nfsservctl, vm86)", "files that are mapped by uselib"},
}

// AllDoors are all doors there are.
const AllDoors Door = 1<<len(doors) - 1

// Doors are the doors of the set one by one, in the order of the constants.
func (d Door) Doors() []Door {
	var all []Door
	for i := range doors {
		if one := Door(1) << i; d&one != 0 {
			all = append(all, one)
		}
	}
	return all
}

// Names are the keys of the doors in the set.
func (d Door) Names() []string {
	var names []string
	for i := range doors {
		if d&(1<<i) != 0 {
			names = append(names, doors[i].name)
		}
	}
	return names
}

// String is the names joined by commas.
func (d Door) String() string { return strings.Join(d.Names(), ",") }

// What says in a few words what comes through a single door.
func (d Door) What() string { return d.describe(func(i int) string { return doors[i].what }) }

// Bypasses says what is not held any more once a single door is open.
func (d Door) Bypasses() string { return d.describe(func(i int) string { return doors[i].bypasses }) }

func (d Door) describe(text func(int) string) string {
	var all []string
	for i := range doors {
		if d&(1<<i) != 0 {
			all = append(all, text(i))
		}
	}
	return strings.Join(all, "; ")
}

// ParseDoor is the door of a key.
func ParseDoor(name string) (Door, error) {
	for i := range doors {
		if doors[i].name == name {
			return 1 << i, nil
		}
	}
	if near := Nearest(name, AllDoors.Names()); near != "" {
		return 0, fmt.Errorf("%q is no side door; did you mean %q?", name, near)
	}
	return 0, fmt.Errorf("%q is no side door; they are %s", name, strings.Join(AllDoors.Names(), ", "))
}
