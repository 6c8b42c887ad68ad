package strace

import (
	"encoding/binary"
	"net/netip"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/syscalls"
)

// sockaddr is the struct sockaddr that strace writes as {sa_family=AF_INET, …}; false if
// it cannot be put together again. An address that is NULL is empty.
func sockaddr(s string) ([]byte, bool) {
	if withoutComments(s) == "NULL" {
		return nil, true
	}
	name, ok := field(s, "sa_family")
	if !ok {
		return nil, false
	}
	family, ok := number(name)
	if !ok || family > 0xffff {
		return nil, false
	}
	b := binary.NativeEndian.AppendUint16(nil, uint16(family))
	switch family {
	case unix.AF_UNSPEC:
		return append(b, make([]byte, 14)...), true
	case unix.AF_INET:
		return internetAddress(s, b)
	case unix.AF_INET6:
		return internet6Address(s, b)
	case unix.AF_UNIX:
		return unixAddress(s, b)
	case unix.AF_NETLINK:
		return netlinkAddress(s, b)
	}
	return nil, false
}

func internetAddress(s string, b []byte) ([]byte, bool) {
	port, ok1 := port(s, "sin_port")
	value, ok2 := field(s, "sin_addr")
	addr, ok3 := quotedAddress(value)
	if !ok1 || !ok2 || !ok3 || !addr.Is4() {
		return nil, false
	}
	b = append(binary.BigEndian.AppendUint16(b, port), addr.AsSlice()...)
	return append(b, make([]byte, 8)...), true
}

func internet6Address(s string, b []byte) ([]byte, bool) {
	port, ok := port(s, "sin6_port")
	// inet_pton(AF_INET6, "::1", &sin6_addr) is the address, with no name before it;
	// strace before 4.19 too.
	_, value, found := strings.Cut(s, "inet_pton(AF_INET6, ")
	if !ok || !found {
		return nil, false
	}
	addr, ok := quotedAddress(value)
	if !ok || !addr.Is6() {
		return nil, false
	}
	b = binary.BigEndian.AppendUint16(b, port)
	b = append(b, 0, 0, 0, 0) // sin6_flowinfo
	b = append(b, addr.AsSlice()...)
	return append(b, 0, 0, 0, 0), true // sin6_scope_id
}

func unixAddress(s string, b []byte) ([]byte, bool) {
	path, ok := field(s, "sun_path")
	if !ok {
		return b, true // a name that the kernel is to choose
	}
	quoted, abstract := strings.CutPrefix(path, "@")
	if abstract {
		b = append(b, 0)
	}
	name, cut, ok := text(quoted)
	return append(b, name...), ok && !cut
}

// netlinkAddress is a struct sockaddr_nl (netlink(7)).
func netlinkAddress(s string, b []byte) ([]byte, bool) {
	b = append(b, 0, 0)
	pid, _ := field(s, "nl_pid")
	groups, _ := field(s, "nl_groups")
	if i := strings.IndexByte(pid, '<'); i >= 0 {
		pid = pid[:i]
	}
	n, ok1 := number(pid)
	// The groups are eight hexadecimal digits.
	g, ok2 := number("0x" + strings.TrimPrefix(groups, "0x"))
	b = binary.NativeEndian.AppendUint32(b, uint32(n))
	return binary.NativeEndian.AppendUint32(b, uint32(g)), ok1 && ok2
}

// port is the value of a field like htons(80).
func port(s, name string) (uint16, bool) {
	value, ok := field(s, name)
	if !ok {
		return 0, false
	}
	value = strings.TrimSuffix(strings.TrimPrefix(value, "htons("), ")")
	n, ok := number(value)
	return uint16(n), ok && n <= 0xffff
}

// quotedAddress is the first string in s as an address.
func quotedAddress(s string) (netip.Addr, bool) {
	i := strings.IndexByte(s, '"')
	if i < 0 {
		return netip.Addr{}, false
	}
	b, _, ok := text(s[i:])
	if !ok {
		return netip.Addr{}, false
	}
	addr, err := netip.ParseAddr(string(b))
	return addr, err == nil && addr.Zone() == ""
}

// messageAddress is the address in a struct msghdr, or in the first of an array of struct
// mmsghdr that has one.
func messageAddress(s string) ([]byte, bool) {
	messages, ok := list(s)
	if !ok {
		messages = []string{s}
	}
	for _, m := range messages {
		if inner, ok := field(m, "msg_hdr"); ok {
			m = inner
		}
		if strings.HasPrefix(m, "...") {
			break // strace writes no more of them
		}
		name, ok := field(m, "msg_name")
		if !ok {
			return nil, false
		}
		if b, ok := sockaddr(name); !ok || len(b) > 0 {
			return b, ok
		}
	}
	return nil, true
}

// sockaddrPassed is an address that is there.
func sockaddrPassed(s string) (event.Socket, bool) {
	b, ok := sockaddr(s)
	var socket event.Socket
	syscalls.ParseSockaddr(b, &socket)
	return socket, ok && len(b) > 0
}
