package enforce

import (
	"bytes"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/enforce/resolve"
)

// protection is one of fs.protected_regular and fs.protected_fifos (proc_sys_fs(5)).
func protection(name string) int {
	text, err := os.ReadFile("/proc/sys/fs/" + name)
	text = bytes.TrimSpace(text)
	if err != nil || len(text) != 1 {
		return 2 // the strictest
	}
	return int(text[0] - '0')
}

var (
	protectedRegular = sync.OnceValue(func() int { return protection("protected_regular") })
	protectedFIFOs   = sync.OnceValue(func() int { return protection("protected_fifos") })
)

// maySpoil is may_create_in_sticky of the kernel (fs/namei.c): in a sticky directory that
// others may write, O_CREAT does not open what belongs to somebody else. The kernel looks
// when it walks, and what is opened here is pinned already.
func (c *call) maySpoil(o *resolve.Object) error {
	var level int
	switch {
	case o.Is(unix.S_IFREG):
		level = protectedRegular()
	case o.Is(unix.S_IFIFO):
		level = protectedFIFOs()
	}
	if level == 0 || !o.Named() {
		return nil
	}
	before, _ := resolve.Split(o.Path)
	var dir unix.Stat_t
	if err := unix.Fstatat(c.root, "."+before, &dir, 0); err != nil {
		return err
	}
	owner := c.ours.fsuid
	if c.who != nil {
		owner = c.who.fsuid
	}
	if dir.Mode&unix.S_ISVTX == 0 || o.Stat.Uid == dir.Uid || o.Stat.Uid == owner {
		return nil
	}
	if dir.Mode&unix.S_IWOTH != 0 || dir.Mode&unix.S_IWGRP != 0 && level >= 2 {
		return unix.EACCES
	}
	return nil
}
