// Package observe is the eBPF source: it follows a command, a running tree of
// processes or a cgroup, and yields what they do as events and tallies.
//
// The way of an event: the kernel side (bpf/observe.bpf.c) puts a record into
// the ring buffer; [Observer.Run] drains it, record.go finds the parts of a
// record, decode.go makes an [event.Event] of them, and the sink gets it. What
// the kernel only counts (account.go) follows as tallies when a process has
// ended, and at the end.
//
// The package never changes what it watches: it sends no signal, stops nothing
// and writes no memory of the target. It prints nothing.
//
// Start reading at [Open].
package observe
