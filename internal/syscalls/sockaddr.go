package syscalls

import (
	"bytes"
	"encoding/binary"
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
)

// ParseSockaddr sets the family and the address of s from a struct sockaddr. An
// address that is too short for its family is kept as [event.Socket.Raw]: the
// kernel refuses it, and the trace shows it as it was.
func ParseSockaddr(b []byte, s *event.Socket) {
	if len(b) < 2 {
		return
	}
	s.Family = binary.NativeEndian.Uint16(b)
	rest := b[2:]
	switch {
	case s.Family == unix.AF_INET && len(b) >= unix.SizeofSockaddrInet4:
		s.Port = binary.BigEndian.Uint16(rest)
		s.Addr = netip.AddrFrom4([4]byte(rest[2:6]))
	case s.Family == unix.AF_INET6 && len(b) >= 24: // SIN6_LEN_RFC2133: sin6_scope_id may be absent
		s.Port = binary.BigEndian.Uint16(rest)
		s.Addr = netip.AddrFrom16([16]byte(rest[6:22]))
	case s.Family == unix.AF_UNIX:
		ParseUnixPath(rest, s)
	default:
		s.Raw = rest
	}
}

// ParseUnixPath sets the name of a unix socket from sun_path, cut to the length of
// the address (unix(7)): a path, an abstract name after a NUL, or none.
func ParseUnixPath(b []byte, s *event.Socket) {
	if len(b) > 0 && b[0] == 0 {
		s.Abstract = true
		s.Path = b[1:]
		return
	}
	s.Path, _, _ = bytes.Cut(b, []byte{0})
}
