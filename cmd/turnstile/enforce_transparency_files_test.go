package main

import (
	"regexp"
	"strings"
	"testing"
)

// Each call that names files has the same result on files of each kind. This is where
// to look first when a program behaves differently.
// knownCalls are the lines about calls that differ; docs/limitations.md has them all.
var knownCalls = regexp.MustCompile(`(?m)^(` + strings.Join([]string{
	// What the kernel grants a process about its own directory of descriptors.
	`open b'/proc/self/fd' tmpfile.*`, `(set|remove)xattr .*b'/proc/self/fd'.*`, `f?access.* b'/proc/self/fd' [2367] .*`, `rmdir b'/dev/fd/0' .*`,
	// Two errors are due, and another one is told.
	`open b'/dev/tty' noatime .*`, `missing at the limit .*`, `linkat both .*`,
	// A descriptor without access cannot be given away.
	`openat2 flags [13]2000000 .*`,
	// Disks are not made.
	`mknod 60000 = .*(\n  .*)*`,
	// The length of a process id.
	`readlink b'/proc/self' .*`,
	// A process may always write to itself; whoever acts for it asks for its mode.
	`user with dac opens /proc/self/(mem|environ) 1 .*`,
}, "|") + `)$`)

func TestTransparentCalls(t *testing.T) {
	for _, part := range []string{
		"opens", "bases", "openat2s", "names", "changes", "looks", "pointers",
		"sockets", "limits", "blocking", "threads", "rights", "locks",
	} {
		demandTransparent(t, workload{
			script:   "calls",
			args:     []string{part},
			programs: []string{"/usr/bin/python3"},
			known:    knownCalls,
		})
	}
}

// The everyday tools see and leave the same files.
func TestTransparentFiles(t *testing.T) {
	for _, w := range []workload{
		{script: "coreutils"},
		{script: "attributes", programs: []string{"setfacl", "setfattr", "chattr", "setpriv"}},
		{script: "tar", programs: []string{"tar", "setfacl", "setfattr", "setcap"}, opaque: []string{"snar"}},
		{script: "tree"},
		{script: "look"},
		{script: "pipeline"},
		{script: "rsync", programs: []string{"rsync", "setfacl", "setfattr"}},
		{script: "vim", programs: []string{"vim.tiny"}},
		{script: "deb", programs: []string{"dpkg-deb"}, opaque: []string{"*.log"}},
	} {
		demandTransparent(t, w)
	}
}
