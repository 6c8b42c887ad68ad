package policy

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
)

// Protocol is what an address is of, in the words of a rule about sockets.
type Protocol uint8

// The protocols.
const (
	// OtherProtocol is none that a rule can name: an address of another family.
	OtherProtocol Protocol = iota
	// IP is any protocol over IPv4 and IPv6; of an address, one that is not below.
	IP
	TCP // also MPTCP and SMC, which are TCP to who does not speak them
	UDP // also UDP-Lite
	// Abstract is the abstract namespace of unix(7). Names in the file system are
	// paths.
	Abstract
)

var protocolNames = [...]string{"", "ip", "tcp", "udp", "unix"}

// Address is where a socket is bound, or what it speaks to.
type Address struct {
	Protocol Protocol
	// IP has no zone, and is an IPv4 address if it is one that is mapped to IPv6.
	IP netip.Addr
	// Port is 0 for a protocol that has none.
	Port uint16
	// Name is an abstract one.
	Name   string
	family uint16
	// Exe is the program of the process that asks: see [Path].
	Exe string
}

// Protocols of IP that package unix does not have: include/uapi/linux/in.h, and of SMC
// SMCPROTO_SMC and SMCPROTO_SMC6, include/uapi/linux/smc.h.
const ipprotoSMC = 256

// AddressOf is what rules are asked about an address of a socket.
func AddressOf(s *event.Socket) Address {
	a := Address{family: s.Family}
	switch {
	case s.Family == unix.AF_UNIX && s.Abstract:
		a.Protocol, a.Name = Abstract, string(s.Path)
	case s.Addr.IsValid():
		a.Protocol, a.IP = protocolOf(s), s.Addr.Unmap().WithZone("")
		if a.Protocol != IP {
			a.Port = s.Port
		}
	}
	return a
}

func protocolOf(s *event.Socket) Protocol {
	if !s.TypeKnown {
		return IP
	}
	switch {
	case s.Type == unix.SOCK_STREAM && (s.Protocol <= 1 || s.Protocol == unix.IPPROTO_TCP || s.Protocol == unix.IPPROTO_MPTCP || s.Protocol == ipprotoSMC):
		return TCP // 0 and 1 are SMC's own numbers
	case s.Type == unix.SOCK_DGRAM && (s.Protocol == unix.IPPROTO_UDP || s.Protocol == unix.IPPROTO_UDPLITE):
		return UDP
	default:
		return IP
	}
}

// String is the address as a rule has it that is about nothing else. Where no rule can
// name it, it is the number of its family.
func (a Address) String() string {
	switch a.Protocol {
	case OtherProtocol:
		return "family " + strconv.Itoa(int(a.family))
	case Abstract:
		return "unix:@" + Quote(a.Name)
	case IP:
		return "ip:" + hostText(a.IP)
	default:
		return protocolNames[a.Protocol] + ":" + hostText(a.IP) + ":" + strconv.Itoa(int(a.Port))
	}
}

// Named says whether a rule can name the address.
func (a Address) Named() bool { return a.Protocol != OtherProtocol }

func hostText(ip netip.Addr) string {
	if ip.Is4() {
		return ip.String()
	}
	return "[" + ip.String() + "]"
}

// ParseAddress reads an address as [Address.String] writes it: tcp:, udp: or ip: and an
// address, with its port but for ip, or unix:@ and an abstract name.
func ParseAddress(text string) (Address, error) {
	scheme, rest, _ := strings.Cut(text, ":")
	if name, isAbstract := strings.CutPrefix(rest, "@"); scheme == "unix" && isAbstract {
		return Address{Protocol: Abstract, Name: name}, nil
	}
	a := Address{}
	switch scheme {
	case "tcp":
		a.Protocol = TCP
	case "udp":
		a.Protocol = UDP
	case "ip":
		ip, err := netip.ParseAddr(strings.Trim(rest, "[]"))
		if err != nil {
			return a, fmt.Errorf("%q is no address, such as ip:10.0.0.1", text)
		}
		return Address{Protocol: IP, IP: ip.Unmap().WithZone("")}, nil
	}
	at, err := netip.ParseAddrPort(rest)
	if err != nil || a.Protocol == OtherProtocol {
		return a, fmt.Errorf("%q is no address, such as tcp:10.0.0.1:443, udp:[::1]:53 or unix:@name", text)
	}
	a.IP, a.Port = at.Addr().Unmap().WithZone(""), at.Port()
	return a, nil
}
