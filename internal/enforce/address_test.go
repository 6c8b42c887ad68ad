package enforce

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/policy"
	"github.com/turnstile-project/turnstile/internal/syscalls"
)

// inet is a struct sockaddr_in or sockaddr_in6 that says it is of a family.
func inet(family uint16, at string) []byte {
	a := netip.MustParseAddrPort(at)
	b := binary.NativeEndian.AppendUint16(nil, family)
	b = binary.BigEndian.AppendUint16(b, a.Port())
	if a.Addr().Is4() {
		return append(append(b, a.Addr().AsSlice()...), make([]byte, 8)...)
	}
	b = append(b, 1, 2, 3, 4) // the flow, where IPv4 has the address
	return append(append(b, a.Addr().AsSlice()...), 5, 6, 7, 8)
}

func (m *meant) text() string {
	switch {
	case m.socket == nil && m.bytes == nil:
		return "none"
	case m.socket == nil && len(bytes.Trim(m.bytes, "\x00")) <= 1 && (len(m.bytes) != 2 || m.bytes[0] != 0) && !bytes.HasPrefix(m.bytes, []byte{unix.AF_NETLINK}):
		return "empty"
	case m.socket == nil:
		return "plain"
	case m.path() != "":
		return m.path()
	}
	a := policy.AddressOf(m.socket)
	return a.String()
}

func TestReadAddress(t *testing.T) {
	const in, in6, unspec, netlink = unix.AF_INET, unix.AF_INET6, unix.AF_UNSPEC, unix.AF_NETLINK
	sockets := map[string]endpoint{
		"tcp":    {-1, in, unix.SOCK_STREAM, unix.IPPROTO_TCP},
		"tcp6":   {-1, in6, unix.SOCK_STREAM, unix.IPPROTO_TCP},
		"mptcp":  {-1, in, unix.SOCK_STREAM, unix.IPPROTO_MPTCP},
		"udp":    {-1, in, unix.SOCK_DGRAM, unix.IPPROTO_UDP},
		"udp6":   {-1, in6, unix.SOCK_DGRAM, unix.IPPROTO_UDP},
		"raw":    {-1, in, unix.SOCK_RAW, unix.IPPROTO_UDP},
		"raw6":   {-1, in6, unix.SOCK_RAW, unix.IPPROTO_UDP},
		"smc":    {-1, unix.AF_SMC, unix.SOCK_STREAM, 0},
		"stream": {-1, unix.AF_UNIX, unix.SOCK_STREAM, 0},
		"packet": {-1, unix.AF_UNIX, unix.SOCK_SEQPACKET, 0},
		"link":   {-1, netlink, unix.SOCK_RAW, 0},
		"device": {-1, unix.AF_PACKET, unix.SOCK_DGRAM, 0},
	}
	for _, tt := range []struct {
		socket  string
		use     use
		flags   uint64
		address []byte
		want    string
	}{
		{"tcp", connecting, 0, inet(in, "10.0.0.1:80"), "tcp:10.0.0.1:80"},
		{"mptcp", connecting, 0, inet(in, "10.0.0.1:80"), "tcp:10.0.0.1:80"},
		{"smc", connecting, 0, inet(in, "10.0.0.1:80"), "tcp:10.0.0.1:80"},
		{"tcp6", connecting, 0, inet(in6, "[2001:db8::1]:80"), "tcp:[2001:db8::1]:80"},
		{"tcp6", connecting, 0, inet(in6, "[::ffff:10.0.0.1]:80"), "tcp:10.0.0.1:80"},
		{"tcp6", connecting, 0, inet(in6, "[2001:db8::1]:80")[:24], "tcp:[2001:db8::1]:80"},
		{"tcp6", connecting, 0, inet(in6, "[2001:db8::1]:80")[:23], "empty"},
		{"tcp", connecting, 0, inet(in, "10.0.0.1:80")[:15], "empty"},
		{"tcp", connecting, 0, []byte{2}, "empty"},
		{"tcp", connecting, 0, []byte{}, "empty"},
		{"tcp", connecting, 0, inet(in6, "[2001:db8::1]:80"), "empty"},
		{"tcp", connecting, 0, []byte("\x01\x00/path"), "empty"},
		// Nowhere is here.
		{"tcp", connecting, 0, inet(in, "0.0.0.0:80"), "tcp:127.0.0.1:80"},
		{"tcp6", connecting, 0, inet(in6, "[::]:80"), "tcp:[::1]:80"},
		{"tcp6", connecting, 0, inet(in6, "[::ffff:0.0.0.0]:80"), "tcp:127.0.0.1:80"},
		{"udp6", sending, 0, inet(in, "0.0.0.0:80"), "udp:127.0.0.1:80"},
		{"tcp", binding, 0, inet(in, "0.0.0.0:80"), "tcp:0.0.0.0:80"},
		{"tcp6", binding, 0, inet(in6, "[::]:80"), "tcp:[::]:80"},
		// No family.
		{"tcp", connecting, 0, inet(unspec, "10.0.0.1:80"), "plain"},
		{"udp6", connecting, 0, inet(unspec, "10.0.0.1:80"), "plain"},
		{"tcp", binding, 0, inet(unspec, "0.0.0.0:80"), "tcp:0.0.0.0:80"},
		{"tcp", binding, 0, inet(unspec, "10.0.0.1:80"), "EAFNOSUPPORT"},
		{"tcp6", binding, 0, inet(unspec, "0.0.0.0:80"), "empty"},
		{"udp", sending, 0, inet(unspec, "10.0.0.1:53"), "udp:10.0.0.1:53"},
		{"udp6", sending, 0, inet(unspec, "10.0.0.1:53"), "none"},
		{"raw", sending, 0, inet(unspec, "10.0.0.1:53"), "ip:10.0.0.1"},
		{"raw6", sending, 0, inet(unspec, "[2001:db8::1]:53"), "ip:[2001:db8::1]"},
		{"raw", binding, 0, inet(7, "10.0.0.1:53"), "EAFNOSUPPORT"},
		{"raw", binding, 0, inet(in6, "[2001:db8::1]:53"), "EAFNOSUPPORT"},
		{"udp6", sending, 0, inet(in, "10.0.0.1:53"), "udp:10.0.0.1:53"},
		{"udp", sending, 0, []byte{}, "empty"},
		{"udp", sending, 0, nil, "none"},
		// A stream goes where it is connected to.
		{"tcp", sending, 0, inet(in, "10.0.0.1:80"), "none"},
		{"tcp", sending, 0, []byte{}, "none"},
		{"tcp", sending, unix.MSG_FASTOPEN, inet(in, "10.0.0.1:80"), "tcp:10.0.0.1:80"},
		{"mptcp", sending, unix.MSG_FASTOPEN | unix.MSG_DONTWAIT, inet(in, "10.0.0.1:80"), "tcp:10.0.0.1:80"},
		{"tcp", sending, unix.MSG_FASTOPEN, inet(unspec, "10.0.0.1:80"), "plain"},
		{"packet", sending, 0, []byte("\x01\x00/path"), "none"},
		{"stream", connecting, 0, []byte("\x01\x00/path"), "/path"},
		{"stream", connecting, 0, []byte("\x01\x00/path\x00more"), "/path"},
		{"stream", connecting, 0, []byte("\x01\x00\x00name\x00"), "unix:@name\x00"},
		{"stream", connecting, 0, []byte("\x01\x00"), "EINVAL"},
		{"stream", binding, 0, []byte("\x01\x00"), "unix:@00000"},
		{"stream", binding, 0, []byte("\x01\x00" + strings.Repeat("x", 108)), strings.Repeat("x", 108)},
		{"stream", binding, 0, []byte("\x01\x00" + strings.Repeat("x", 109)), "EINVAL"},
		{"stream", binding, 0, inet(in, "10.0.0.1:80"), "EINVAL"},
		{"link", binding, 0, []byte{netlink, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0}, "plain"},
		{"link", sending, 0, []byte{netlink, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, "plain"},
		{"link", sending, 0, []byte{netlink, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0}, "family 16"},
		{"link", sending, 0, []byte{netlink, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0}, "family 16"},
		{"link", sending, 0, []byte{netlink, 0, 0, 0}, "EINVAL"},
		// It does not look at the family (packet_snd), so nor may we.
		{"device", sending, 0, inet(in, "10.0.0.1:80"), "family 17"},
		{"device", sending, 0, []byte("\x01\x00/path"), "family 17"},
	} {
		e := sockets[tt.socket]
		m, err := e.read(tt.use, tt.address, tt.flags)
		got := m.text()
		if errno, ok := errors.AsType[unix.Errno](err); ok {
			got = unix.ErrnoName(errno)
		}
		if got != tt.want {
			t.Errorf("%s, use %d, flags %#x, %q: %q, want %q", tt.socket, tt.use, tt.flags, tt.address, got, tt.want)
		}
	}
}

// TestTurnHome: what nowhere means depends on where a socket is bound.
func TestTurnHome(t *testing.T) {
	for _, tt := range []struct {
		domain   int
		bound    []byte
		to, want string
	}{
		{unix.AF_INET, inet(unix.AF_INET, "127.0.0.2:0"), "0.0.0.0:9", "udp:127.0.0.2:9"},
		{unix.AF_INET, inet(unix.AF_INET, "0.0.0.0:0"), "0.0.0.0:9", "udp:127.0.0.1:9"},
		{unix.AF_INET6, inet(unix.AF_INET6, "[::ffff:127.0.0.2]:0"), "[::ffff:0.0.0.0]:9", "udp:127.0.0.2:9"},
		{unix.AF_INET6, inet(unix.AF_INET6, "[::ffff:127.0.0.2]:0"), "[::]:9", "udp:127.0.0.1:9"},
		{unix.AF_INET6, inet(unix.AF_INET6, "[::1]:0"), "[::]:9", "udp:[::1]:9"},
	} {
		fd, err := unix.Socket(tt.domain, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		e := endpoint{fd, tt.domain, unix.SOCK_DGRAM, unix.IPPROTO_UDP}
		bound := bytes.Clone(tt.bound)
		if tt.domain == unix.AF_INET6 {
			clear(bound[24:])
		}
		if err := bindTo(fd, bound); err != nil {
			t.Fatal(err)
		}
		address := inet(uint16(tt.domain), tt.to)
		m, err := e.read(connecting, address, 0)
		if err != nil || m.text() != tt.want {
			t.Errorf("bound to %q, to %s: %q, %v, want %q", tt.bound, tt.to, m.text(), err, tt.want)
		}
		if tt.domain == unix.AF_INET6 {
			clear(m.bytes[24:])
		}
		// The kernel agrees.
		for _, b := range [][]byte{m.bytes, address} {
			if tt.domain == unix.AF_INET6 {
				clear(b[24:])
				clear(b[4:8])
			}
			if err := connect(fd, b); err != nil {
				t.Fatal(err)
			}
			peer, err := unix.Getpeername(fd)
			if err != nil {
				t.Fatal(err)
			}
			var to netip.AddrPort
			switch peer := peer.(type) {
			case *unix.SockaddrInet4:
				to = netip.AddrPortFrom(netip.AddrFrom4(peer.Addr), uint16(peer.Port))
			case *unix.SockaddrInet6:
				to = netip.AddrPortFrom(netip.AddrFrom16(peer.Addr).Unmap(), uint16(peer.Port))
			}
			if got := "udp:" + to.String(); got != tt.want {
				t.Errorf("bound to %q, to %s: the kernel goes to %q, want %q", tt.bound, tt.to, got, tt.want)
			}
		}
		e.close()
	}
}

// FuzzReadAddress: what the kernel is given says the same as what is judged, to a socket
// of any kind.
func FuzzReadAddress(f *testing.F) {
	for _, address := range [][]byte{nil, {}, {2}, inet(2, "1.2.3.4:5"), inet(0, "1.2.3.4:5"), inet(2, "0.0.0.0:5"), inet(10, "[::]:5"), inet(10, "[::ffff:1.2.3.4]:5"), []byte("\x01\x00/x"), []byte("\x01\x00\x00x"), {1, 0}, {16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}} {
		for _, domain := range []uint8{unix.AF_INET, unix.AF_INET6, unix.AF_UNIX, unix.AF_NETLINK, unix.AF_PACKET} {
			f.Add(domain, uint8(unix.SOCK_DGRAM), uint16(unix.IPPROTO_UDP), uint8(sending), uint64(0), address)
			f.Add(domain, uint8(unix.SOCK_STREAM), uint16(unix.IPPROTO_TCP), uint8(connecting), uint64(0), address)
		}
	}
	f.Fuzz(func(t *testing.T, domain, kind uint8, protocol uint16, how uint8, flags uint64, address []byte) {
		u := use(how % 3)
		e := endpoint{-1, int(domain), int(kind), int(protocol)}
		passed := bytes.Clone(address)
		m, err := e.read(u, address, flags)
		if !bytes.Equal(address, passed) {
			t.Fatal("the address as passed is another")
		}
		switch {
		case err != nil:
			if m.bytes != nil || m.socket != nil {
				t.Fatalf("an address with %v", err)
			}
			return
		case m.socket == nil && m.bytes != nil:
			if len(m.bytes) > 2 && bytes.Trim(m.bytes[2:], "\x00") != nil && domain != unix.AF_NETLINK {
				t.Fatalf("%q is judged by nobody", m.bytes)
			}
			return
		case m.socket == nil:
			return
		}
		if !m.socket.TypeKnown {
			t.Fatal("it does not say of what kind it is")
		}
		if !e.isIP() && domain != unix.AF_UNIX {
			if m.socket.Family != uint16(domain) {
				t.Fatalf("family %d of a socket of family %d", m.socket.Family, domain)
			}
			return
		}
		var again event.Socket
		syscalls.ParseSockaddr(m.bytes, &again)
		autobind := domain == unix.AF_UNIX && len(m.bytes) == 2 && u == binding
		if again.Family != m.socket.Family || again.Addr.Unmap() != m.socket.Addr.Unmap() || again.Port != m.socket.Port || !autobind && !bytes.Equal(again.Path, m.socket.Path) {
			t.Fatalf("judged %+v, used %+v", m.socket, again)
		}
		if e.isIP() && u != binding && again.Addr.Unmap().IsUnspecified() {
			t.Fatalf("%q leads to where it does not say", m.bytes)
		}
	})
}
