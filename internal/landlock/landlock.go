// Package landlock makes rulesets of Landlock (landlock(7)) and puts them around one
// thread, and with it around all that this thread will fork.
//
// It decides nothing: what is held and what is granted comes from package plan.
package landlock

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Rights is a set of LANDLOCK_ACCESS_FS_*.
type Rights uint64

// OfFiles are the rights that a rule about a file, which is no directory, can have
// (security/landlock/fs.c, ACCESS_FILE).
const OfFiles Rights = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_WRITE_FILE |
	unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE

// Network is a set of LANDLOCK_ACCESS_NET_*.
type Network uint64

// TCP is to bind and to connect TCP sockets, whatever the port.
const TCP Network = unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP

// Scope is a set of LANDLOCK_SCOPE_*.
type Scope uint64

// The scopes: what is done to processes and sockets outside of the ruleset fails.
const (
	AbstractSockets Scope = unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET
	Signals         Scope = unix.LANDLOCK_SCOPE_SIGNAL
)

// Version is that of the ABI (landlock_create_ruleset(2)). The error is ENOSYS or
// EOPNOTSUPP where there is no Landlock, and EPERM where a sandbox forbids it.
func Version() (int, error) {
	abi, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return 0, errno
	}
	return int(abi), nil
}

// Ruleset is one that can be added to.
type Ruleset struct{ fd int }

// New makes a ruleset that denies all of these rights that no rule grants, and what is said
// of the network, and keeps those in it within these scopes.
func New(handled Rights, denied Network, scope Scope) (*Ruleset, error) {
	attr := unix.LandlockRulesetAttr{Handled_access_fs: uint64(handled), Handled_access_net: uint64(denied), Scoped: uint64(scope)}
	fd, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr), 0)
	if errno != 0 {
		return nil, fmt.Errorf("making a Landlock ruleset: %w", errno)
	}
	return &Ruleset{int(fd)}, nil
}

// Grant lets the rights have their way with an object, and all below it. It may be an
// O_PATH descriptor, and is not needed any more after that.
func (r *Ruleset) Grant(object int, rights Rights) error {
	attr := unix.LandlockPathBeneathAttr{Allowed_access: uint64(rights), Parent_fd: int32(object)}
	if _, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(r.fd), unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&attr)), 0, 0, 0); errno != 0 {
		return fmt.Errorf("adding a Landlock rule: %w", errno)
	}
	return nil
}

// RestrictThread puts the ruleset around the calling thread and nobody else. The thread
// must have given up gaining privileges (PR_SET_NO_NEW_PRIVS).
func (r *Ruleset) RestrictThread() error {
	if _, _, errno := unix.RawSyscall(unix.SYS_LANDLOCK_RESTRICT_SELF, uintptr(r.fd), 0, 0); errno != 0 {
		return fmt.Errorf("restricting a thread by Landlock: %w", errno)
	}
	return nil
}

// Close lets the ruleset go. It goes on around those whom it restricts.
func (r *Ruleset) Close() error { return unix.Close(r.fd) }
