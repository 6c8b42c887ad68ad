package syscalls

import (
	"sync"

	"github.com/turnstile-project/turnstile/internal/event"
)

// Spec says what a system call does and what each of its arguments is for.
type Spec struct {
	Name string
	Op   event.Op
	Args [6]Role
	// ReturnsFD is set if the call returns a descriptor of the object that
	// it names, or of a new socket.
	ReturnsFD bool
	// Implied are open(2) flags that the call has without being passed.
	Implied uint64
	// Operands are the files that the call is about, old before new.
	Operands []Operand
}

// Operand is one file of a call: the argument that has its path, the descriptor
// that a relative path starts from, or the descriptor that is the file itself.
// An index is -1 if the call has no such argument.
type Operand struct {
	Path, Dir, FD int
}

// Role is what an argument is for.
type Role uint8

// The roles.
const (
	_ Role = iota
	// Path is a path that the kernel looks up.
	Path
	// Dir is the descriptor that the next Path starts from.
	Dir
	// FD is a descriptor of the file or socket that the call is about.
	FD
	// Flags are the open(2), AT_* or RENAME_* flags.
	Flags
	// How is a struct open_how, which begins with the flags.
	How
	// Prot is the protection of mmap(2).
	Prot
	// Addr is a socket address; the next argument is its length.
	Addr
	// AddrOut is where the kernel puts the address of the peer.
	AddrOut
	// Msg is a struct msghdr with an optional address.
	Msg
	// MMsg is an array of struct mmsghdr; the next argument is its length.
	MMsg
	// Argv is the argument vector of the new program.
	Argv
	// Selector is a small number that decides what the call does.
	Selector
	// CloneArgs is a struct clone_args, which begins with the flags.
	CloneArgs
	// SockArgs is the argument block of socketcall(2).
	SockArgs
)

// Lookup is the Spec of call nr, nil for calls that touch nothing that
// Turnstile names.
func Lookup(abi event.ABI, nr int32) *Spec {
	t := specs()
	if int(abi) >= len(t) || nr < 0 || int(nr) >= len(t[abi]) {
		return nil
	}
	return t[abi][nr]
}

// specs are the rows of roles.go by ABI and number.
var specs = sync.OnceValue(func() [][]*Spec {
	all := make([][]*Spec, len(event.ABIs())+1)
	for abi, names := range tables {
		all[abi] = make([]*Spec, len(names))
		for _, rows := range [][]Spec{roles, rolesOf[abi]} {
			for _, s := range rows {
				if nr, ok := Number(abi, s.Name); ok {
					s.Operands = operands(s.Args)
					all[abi][nr] = &s
				}
			}
		}
	}
	return all
})

// operands finds the files in a list of roles.
func operands(args [6]Role) []Operand {
	var found []Operand
	dir := -1
	for i, r := range args {
		switch r {
		case Dir:
			dir = i
		case Path:
			found = append(found, Operand{Path: i, Dir: dir, FD: -1})
			dir = -1
		case FD:
			found = append(found, Operand{Path: -1, Dir: -1, FD: i})
		}
	}
	return found
}
