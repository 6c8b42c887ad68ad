package observe

import "github.com/cilium/ebpf/btf"

// Options say what to watch for, beyond the counts of every system call.
type Options struct {
	// Files, Net: which files and sockets were touched.
	Files, Net bool
	// Errors: how often each call failed, by errno.
	Errors bool
	// Args: the values of arguments that decide what a call does.
	Args bool
	// All: every call becomes an event. Implies the four above but Args.
	All bool

	// Cgroup is the cgroup v2 directory whose tasks are followed, "" to
	// follow what [Observer.Fork] forks or [Observer.FollowTree] finds.
	Cgroup string
	// Tree is the pid of the process that [Observer.FollowTree] begins at.
	Tree int

	// Tasks is how many threads can be told apart at one time, 0 for the
	// default, which depends on the number of CPUs.
	Tasks int
	// RingBytes is the size of the ring buffer, a power of two of at least
	// a page; 0 for the default, which depends on what is watched.
	RingBytes int
	// KernelTypes is the BTF of the running kernel, nil to read
	// /sys/kernel/btf/vmlinux.
	KernelTypes *btf.Spec
}

// results says whether the end of calls must be watched.
func (o *Options) results() bool { return o.Files || o.Net || o.Errors || o.All }
