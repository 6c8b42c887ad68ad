package main

import (
	"context"
	"os/exec"
	"strings"
)

// peers are the tracers and the boxes to compare with, and the Debian packages that
// have them.
var peers = []struct{ program, pkg, version string }{
	{"strace", "strace", "--version"},
	{"perf", "linux-perf", "--version"},
	{"bpftrace", "bpftrace", "--version"},
	{"bwrap", "bubblewrap", "--version"},
	{"firejail", "firejail", "--version"},
}

// findPeers notes which peers are there, in which version, and which are not.
func (b *bench) findPeers(ctx context.Context) {
	for _, p := range peers {
		out, err := exec.CommandContext(ctx, p.program, p.version).Output()
		if err != nil {
			b.page.note("%s is not installed (Debian package %s): its rows are missing. (%v)", p.program, p.pkg, err)
			continue
		}
		b.peers[p.program] = true
		line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
		b.page.note("Compared with: %s.", line)
	}
}
