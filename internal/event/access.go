package event

import "net/netip"

// Op is what a call does with the object it names.
type Op uint8

// The operations. A system call has at most one of them.
const (
	OpNone Op = iota
	OpOpen
	OpMkdir
	OpMknod
	OpSymlink
	OpLink
	OpRename
	OpUnlink
	OpRmdir
	OpTruncate
	OpStat
	OpAccess
	OpReadlink
	OpGetxattr
	OpListxattr
	OpSetxattr
	OpRemovexattr
	OpChmod
	OpChown
	OpUtime
	OpSetflags
	OpStatfs
	OpChdir
	OpChroot
	OpWatch
	OpMount
	OpHandle
	OpSwap
	OpAcct
	OpQuota
	OpMapExec
	OpExec
	OpFork
	OpExit
	OpConnect
	OpBind
	OpListen
	OpAccept
	OpSend
)

var opNames = [...]string{
	"none", "open", "mkdir", "mknod", "symlink", "link", "rename", "unlink", "rmdir", "truncate",
	"stat", "access", "readlink", "getxattr", "listxattr", "setxattr", "removexattr",
	"chmod", "chown", "utime", "setflags", "statfs", "chdir", "chroot", "watch", "mount", "handle", "swap",
	"acct", "quota", "map_exec", "exec", "fork", "exit",
	"connect", "bind", "listen", "accept", "send",
}

func (o Op) String() string { return name(opNames[:], int(o)) }

// Category of the objects that o is about.
func (o Op) Category() Category {
	switch {
	case o == OpNone:
		return CategoryOther
	case o < OpExec:
		return CategoryFile
	case o <= OpExit:
		return CategoryProcess
	default:
		return CategoryNetwork
	}
}

// Access is an operation and what it was applied to.
type Access struct {
	Op Op
	// Flags as passed: open(2) flags for OpOpen, AT_* and RENAME_* flags
	// for the others.
	Flags uint64
	// Targets are the files, none for sockets without a path. Rename and
	// link have two: old and new. A successful exec has all that was
	// executed: the program or script; for a script its interpreter, and
	// the scripts between them; and last, with no Asked, the ELF
	// interpreter.
	Targets []Target
	Socket  Socket
}

// Target is one file of an access.
type Target struct {
	// Asked is the path as passed, nil if the call named the file by a
	// descriptor alone.
	Asked []byte
	// Base is the directory that a relative Asked starts from.
	Base []byte
	// Path is the best known name of the object; How says how good.
	Path []byte
	How  How
	// Class is what the access does to this target, in the words of a
	// policy.
	Class Class
	// Created says that the access made the file, or would.
	Created bool
	// Mode is the type and permissions of the object (inode(7)), 0 while
	// unknown.
	Mode uint32
}

// How says how the path of a target is known.
type How uint8

// The ways, from the weakest to the strongest.
const (
	// HowUnknown: there is no path.
	HowUnknown How = iota
	// HowAsked: the absolute path as passed; symbolic links unresolved.
	HowAsked
	// HowJoined: the base directory and the path as passed, joined.
	HowJoined
	// HowFD: the kernel's own name of the object behind a descriptor.
	HowFD
	// HowWalk: resolved by Turnstile, component by component.
	HowWalk
)

var howNames = [...]string{"unknown", "asked", "joined", "fd", "walk"}

func (h How) String() string { return name(howNames[:], int(h)) }

// ParseHow is the inverse of [How.String].
func ParseHow(s string) (How, bool) {
	for i, n := range howNames {
		if n == s {
			return How(i), true
		}
	}
	return HowUnknown, false
}

// Socket is the socket side of an access; Family is 0 (AF_UNSPEC) when there
// is none.
type Socket struct {
	// Family, Type and Protocol as in socket(2), without SOCK_CLOEXEC and
	// SOCK_NONBLOCK. TypeKnown is false if the socket could not be read.
	Family, Type, Protocol uint16
	TypeKnown              bool
	// Addr and Port for AF_INET and AF_INET6.
	Addr netip.Addr
	Port uint16
	// Path for AF_UNIX, without the NUL that begins an abstract name.
	Path     []byte
	Abstract bool
	// Raw address for every other family, after the family field.
	Raw []byte
}
