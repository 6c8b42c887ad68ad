package enforce

import (
	"encoding/binary"
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/syscalls"
)

// use is what an address is for.
type use uint8

const (
	connecting use = iota
	sending
	binding
)

// meant is what the kernel takes an address for.
type meant struct {
	// bytes are the address in a form that means the same to every protocol, nil for
	// none: a socket may become another kind of socket after it was looked at
	// (IPV6_ADDRFORM, ipv6(7)).
	bytes []byte
	// socket is what is judged, nil for an address at which nothing is reached.
	socket *event.Socket
}

// path is the one in an address of unix(7), "" if it has none.
func (m *meant) path() string {
	if m.socket == nil || m.socket.Family != unix.AF_UNIX || m.socket.Abstract {
		return ""
	}
	return string(m.socket.Path)
}

// plain says that the kernel gets the bytes, and there is nothing to judge.
func plain(address []byte) meant { return meant{bytes: address} }

// empty is an address that the kernel refuses: of the same family and length, with nothing
// in it for a protocol that should not refuse it.
func empty(address []byte) meant {
	b := make([]byte, len(address))
	copy(b, address[:min(2, len(address))])
	return plain(b)
}

// read says what an address is to a socket. It depends on what the socket is, and only
// then on what the address says of itself. The errors are those that the kernel has.
func (e *endpoint) read(u use, address []byte, flags uint64) (meant, error) {
	if address == nil || u == sending && e.ignoresAddress(flags) {
		return meant{}, nil
	}
	if len(address) < 2 {
		return empty(address), nil
	}
	family := binary.NativeEndian.Uint16(address)
	if family == unix.AF_UNSPEC && u == connecting {
		return plain(address[:2]), nil // it ends what was connected
	}
	switch {
	case e.isIP():
		return e.readIP(u, family, address)
	case e.domain == unix.AF_UNIX:
		return e.readUnix(u, family, address)
	case e.domain == unix.AF_NETLINK:
		return e.readNetlink(u, family, address)
	default:
		return e.other(address), nil
	}
}

// ignoresAddress says whether a message goes to who is connected, whatever it says.
func (e *endpoint) ignoresAddress(flags uint64) bool {
	if e.domain == unix.AF_UNIX {
		return e.kind == unix.SOCK_SEQPACKET // net/unix/af_unix.c, unix_seqpacket_sendmsg
	}
	return e.isTCP() && flags&unix.MSG_FASTOPEN == 0
}

func (e *endpoint) other(address []byte) meant {
	s := &event.Socket{Family: uint16(e.domain), Raw: address[2:]}
	e.describe(s)
	return meant{address, s}
}

// readIP reads an address of IPv4 or IPv6. AF_UNSPEC is often taken for a family, by
// protocols in different ways (inet_bind_sk, udp_sendmsg, udpv6_sendmsg, raw_sendmsg,
// rawv6_sendmsg), and raw_bind does not look at the family at all.
func (e *endpoint) readIP(u use, family uint16, address []byte) (meant, error) {
	v6 := e.domain == unix.AF_INET6
	unspecified := family == unix.AF_UNSPEC
	switch {
	case unspecified && u == sending && e.isTCP():
		return plain(address[:2]), nil // EOPNOTSUPP
	case unspecified && u == sending && v6 && e.isUDP():
		return meant{}, nil
	case unspecified && u == sending && v6:
		family = unix.AF_INET6
	case unspecified && !v6:
		family = unix.AF_INET
	case family == unix.AF_INET, family == unix.AF_INET6 && e.domain != unix.AF_INET:
	case e.kind == unix.SOCK_RAW && u == binding:
		return meant{}, unix.EAFNOSUPPORT
	default:
		return empty(address), nil
	}
	b := slices.Clone(address)
	binary.NativeEndian.PutUint16(b, family)
	s := &event.Socket{}
	syscalls.ParseSockaddr(b, s)
	e.describe(s)
	switch {
	case !s.Addr.IsValid():
		return empty(address), nil // it is too short
	case u == binding && unspecified && !s.Addr.IsUnspecified():
		return meant{}, unix.EAFNOSUPPORT
	case u != binding && s.Addr.Unmap().IsUnspecified():
		e.turnHome(b, s)
	}
	return meant{b, s}, nil
}

// turnHome puts an address of this machine in the place of 0.0.0.0 and ::, as the kernel
// does: that to which the socket is bound, or the loopback (ip_route_output_key_hash_rcu,
// net/ipv4/route.c; tcp_v6_connect, net/ipv6/tcp_ipv6.c).
func (e *endpoint) turnHome(b []byte, s *event.Socket) {
	var home netip.Addr
	if own, err := e.own(); err == nil {
		home = own.Addr
	}
	bound := home.IsValid() && !home.Unmap().IsUnspecified()
	switch {
	case s.Addr.Unmap().Is4() && bound && home.Unmap().Is4():
		home = home.Unmap()
	case s.Addr.Unmap().Is4() || home.Is4In6():
		home = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	default:
		home = netip.IPv6Loopback()
	}
	if s.Addr.Is4() {
		ip := home.As4()
		copy(b[4:], ip[:]) // sin_addr
	} else {
		ip := home.As16()
		copy(b[8:], ip[:]) // sin6_addr
	}
	s.Addr = home
}

// readUnix reads an address of unix(7).
func (e *endpoint) readUnix(u use, family uint16, address []byte) (meant, error) {
	if u == sending && e.kind == unix.SOCK_STREAM {
		return empty(address), nil // it has no use for one
	}
	if family != unix.AF_UNIX || len(address) > unix.SizeofSockaddrUnix {
		return meant{}, unix.EINVAL
	}
	s := &event.Socket{}
	syscalls.ParseSockaddr(address, s)
	e.describe(s)
	if len(address) == 2 {
		if u != binding {
			return meant{}, unix.EINVAL
		}
		// The kernel chooses an abstract name of five hexadecimal digits.
		s.Abstract, s.Path = true, []byte("00000")
	}
	return meant{address, s}, nil
}

// readNetlink reads an address of netlink(7). What the kernel is told there is bounded by
// capabilities; other processes are another matter.
func (e *endpoint) readNetlink(u use, family uint16, address []byte) (meant, error) {
	if family != unix.AF_NETLINK || len(address) < unix.SizeofSockaddrNetlink {
		return meant{}, unix.EINVAL
	}
	port, groups := binary.NativeEndian.Uint32(address[4:]), binary.NativeEndian.Uint32(address[8:])
	if u == binding || port == 0 && groups == 0 {
		return plain(address), nil
	}
	return e.other(address), nil
}
