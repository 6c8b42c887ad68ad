package main

import "strings"

// The names of the variants beside enforce. Those of peers are their command lines.
const (
	gate        = "turnstile enforce"
	emptyFilter = "a filter that allows everything"
	straceOpens = "strace --seccomp-bpf -f -e trace=openat -o /dev/null"
	bubblewrap  = "bwrap --dev-bind / /"
	firejail    = "firejail --quiet --noprofile"
)

// peerLine is the command line that a name is of.
func peerLine(name string) []string { return append(strings.Fields(name), "--") }

// gatePeers are those that are installed. The two boxes decide nothing about a file
// when it is opened: the view of the file system that they make is all.
func (b *bench) gatePeers() []string {
	var found []string
	for _, name := range []string{straceOpens, bubblewrap, firejail} {
		if b.peers[strings.Fields(name)[0]] {
			found = append(found, name)
		}
	}
	return found
}
