// Package event is the vocabulary that every part of Turnstile speaks.
//
// A source (eBPF, seccomp notifications) yields two things: an [Event],
// something that happened, and a [Tally], what a kernel table held when it was
// read. A [Sink] takes both: the printers, the JSON lines and the trace
// recorder are sinks.
//
// The package holds words, not behaviour: it opens nothing, reads nothing and
// imports no other package of Turnstile. Start reading at [Event].
package event
