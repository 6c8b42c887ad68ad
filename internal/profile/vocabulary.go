package profile

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/syscalls"
)

// Vocabulary is what a profile is written in: what a call is called there.
type Vocabulary uint8

// The vocabularies. A program may make calls that one lacks: of a number that no kernel
// has, or that the tables of system calls do not know yet.
const (
	_ Vocabulary = iota // calls are not written
	// Numbers are those that a call can have.
	Numbers
	// Names are those of the tables.
	Names
)

// NumberLimit is above the numbers of the calls of all ABIs: where x32 has a bit of its own
// (__X32_SYSCALL_BIT, asm/unistd.h).
const NumberLimit = 0x40000000

// lacks says why a call cannot be said, "" if it can.
func (v Vocabulary) lacks(abi event.ABI, nr int32) string {
	if v == Names {
		if _, known := syscalls.Known(abi, nr); !known {
			return "has no name, and this format has names only: seccomp-h, go and cbpf have numbers"
		}
	}
	if v == Numbers && (nr < 0 || nr >= NumberLimit) {
		return "has a number that no call can have"
	}
	return ""
}

// leaveOut takes out the calls that a vocabulary lacks, if that makes no difference: where
// other calls fail with ENOSYS, as one does that the kernel does not have.
func (p *Profile) leaveOut(v Vocabulary) error {
	var said []Call
	for _, c := range p.Calls {
		why := v.lacks(c.ABI, c.Nr)
		switch {
		case why == "":
			said = append(said, c)
		case p.Default != Action{Errno, unix.ENOSYS}:
			return fmt.Errorf("call %d of %v %s (--errno ENOSYS leaves it out, so that it fails as where the kernel lacks it)", c.Nr, c.ABI, why)
		default:
			p.Notes = append(p.Notes, fmt.Sprintf("call %d of %v is left out, and fails with ENOSYS: it %s", c.Nr, c.ABI, why))
		}
	}
	p.Calls = said
	return nil
}
