package syscalls

import (
	"slices"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
)

// Memory gives what the arguments of one call pointed to. A source reads each
// of them once and keeps the copy.
type Memory interface {
	// String is the NUL-terminated string that argument i points to,
	// without the NUL; false if it could not be read.
	String(i int) ([]byte, bool)
	// Sockaddr is the socket address that argument i points to, directly
	// or through a struct msghdr; false if it could not be read. A call
	// without an address has an empty one.
	Sockaddr(i int) ([]byte, bool)
	// Word is the first 64-bit word of the struct that argument i points
	// to.
	Word(i int) (uint64, bool)
}

// Decode fills a with what the call asks for: the operation, the flags, the
// paths as passed and the socket address. Where a relative path starts from and
// what object it led to is for the source to add; then [Classify] judges it.
//
// The slices of a are used again; what mem returns is kept in a without a copy.
// Decode returns the number of arguments that mem could not give.
func Decode(call event.Call, mem Memory, a *event.Access) (unreadable int) {
	*a = event.Access{Targets: a.Targets[:0]}
	s := Lookup(call.ABI, call.Nr)
	if s == nil {
		return 0
	}
	if !happens(s, call) {
		return 0
	}
	a.Op = s.Op
	a.Flags = s.Implied
	for i, r := range s.Args {
		switch r {
		case Flags:
			a.Flags |= uint64(uint32(call.Args[i]))
		case Prot:
			a.Flags |= uint64(uint32(call.Args[i]))
		case How:
			w, ok := mem.Word(i)
			if !ok {
				unreadable++
			}
			a.Flags |= w
		case Path:
			p, ok := mem.String(i)
			if !ok {
				unreadable++
			}
			a.Targets = append(a.Targets, event.Target{Asked: p})
		case Addr, Msg, MMsg:
			b, ok := mem.Sockaddr(i)
			if !ok {
				unreadable++
				continue
			}
			ParseSockaddr(b, &a.Socket)
		case FD:
			if a.Op.Category() == event.CategoryFile {
				a.Targets = append(a.Targets, event.Target{})
			}
		}
	}
	if a.Op == event.OpUnlink && a.Flags&unix.AT_REMOVEDIR != 0 {
		a.Op = event.OpRmdir
	}
	if s.ReturnsFD && len(s.Operands) == 0 {
		a.Targets = append(a.Targets, event.Target{}) // known by the descriptor alone
	}
	if s := &a.Socket; s.Family == unix.AF_UNIX && !s.Abstract && len(s.Path) > 0 {
		a.Targets = append(a.Targets, event.Target{Asked: s.Path})
	}
	return unreadable
}

// happens says whether a call does what its Spec says, which for some depends on an
// argument.
func happens(s *Spec, call event.Call) bool {
	switch s.Op {
	case event.OpMapExec:
		i := slices.Index(s.Args[:], Prot)
		return i < 0 || call.Args[i]&unix.PROT_EXEC != 0
	case event.OpSetflags:
		return slices.Contains(AttributeIoctls[:], uint32(call.Args[1]))
	default:
		return true
	}
}
