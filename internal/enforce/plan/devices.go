package plan

import (
	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/seccomp"
)

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
		rules = append(rules, both(when(mode, unix.S_IFMT, unix.S_IFCHR, otherwise), when(mode+1, anyInt, device, otherwise)))
	}
	return append(rules, when(mode, unix.S_IFMT, unix.S_IFCHR, refuse))
}
