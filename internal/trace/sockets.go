package trace

import (
	"cmp"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
)

// socketTable collects sockets by what was done and the address.
type socketTable struct {
	limit  int
	folded map[string]uint64
	byKey  map[socketKey]*Socket
}

type socketKey struct {
	op                    event.Op
	family, typ, protocol string
	addr, path, raw       string
	port                  uint16
	hasPort, abstract     bool
}

func newSocketTable(limit int, folded map[string]uint64) socketTable {
	return socketTable{limit: limit, folded: folded, byKey: make(map[socketKey]*Socket)}
}

func (t *socketTable) add(e *event.Event, id int) *Socket {
	k := keyOf(&e.Access)
	s := t.byKey[k]
	if s == nil && len(t.byKey) >= t.limit {
		t.folded["sockets"]++
		k = socketKey{op: k.op, family: k.family, typ: k.typ, protocol: k.protocol}
		s = t.byKey[k]
	}
	if s == nil {
		s = k.socket()
		t.byKey[k] = s
	}
	s.Count++
	if e.Outcome.Errno != 0 {
		s.Errors.Add(e.Outcome.Errno.String(), 1)
	}
	s.Processes = insert(s.Processes, id)
	return s
}

func keyOf(a *event.Access) socketKey {
	s := &a.Socket
	k := socketKey{
		op: a.Op, family: FamilyName(s.Family),
		path: string(s.Path), abstract: s.Abstract, raw: string(s.Raw),
	}
	if s.TypeKnown {
		k.typ, k.protocol = TypeName(s.Type), ProtocolName(s.Family, s.Protocol)
	}
	if len(a.Targets) > 0 && a.Targets[0].Path != nil {
		k.path = string(a.Targets[0].Path) // the same name elsewhere is another socket
	}
	if s.Addr.IsValid() {
		k.addr, k.port, k.hasPort = s.Addr.String(), s.Port, true
	}
	return k
}

func (k *socketKey) socket() *Socket {
	s := &Socket{
		Op: k.op.String(), Family: k.family, Type: k.typ, Protocol: k.protocol,
		Addr: k.addr, Path: k.path, Abstract: k.abstract, Raw: []byte(k.raw),
	}
	if k.hasPort {
		s.Port = &k.port
	}
	return s
}

func (t *socketTable) all() []*Socket {
	all := make([]*Socket, 0, len(t.byKey))
	for _, s := range t.byKey {
		all = append(all, s)
	}
	slices.SortFunc(all, compareSockets)
	return all
}

func compareSockets(a, b *Socket) int {
	return cmp.Or(
		cmp.Compare(a.Op, b.Op), cmp.Compare(a.Family, b.Family), cmp.Compare(a.Addr, b.Addr),
		cmp.Compare(port(a), port(b)), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Type, b.Type),
		cmp.Compare(a.Protocol, b.Protocol), slices.Compare(a.Raw, b.Raw))
}

// SocketKey is all that tells one entry of the sockets from another.
type SocketKey struct {
	Op, Family, Type, Protocol string
	Addr, Path, Raw            string
	Port                       uint16
	HasPort, Abstract          bool
}

// Key is what an entry is about.
func (s *Socket) Key() SocketKey {
	return SocketKey{
		Op: s.Op, Family: s.Family, Type: s.Type, Protocol: s.Protocol,
		Addr: s.Addr, Path: s.Path, Raw: string(s.Raw),
		Port: port(s), HasPort: s.Port != nil, Abstract: s.Abstract,
	}
}

func port(s *Socket) uint16 {
	if s.Port == nil {
		return 0
	}
	return *s.Port
}

var familyNames = map[uint16]string{
	unix.AF_UNSPEC: "unspec", unix.AF_UNIX: "unix", unix.AF_INET: "inet", unix.AF_INET6: "inet6",
	unix.AF_NETLINK: "netlink", unix.AF_PACKET: "packet", unix.AF_ALG: "alg", unix.AF_VSOCK: "vsock",
	unix.AF_BLUETOOTH: "bluetooth", unix.AF_CAN: "can", unix.AF_TIPC: "tipc", unix.AF_XDP: "xdp",
	unix.AF_KEY: "key", unix.AF_QIPCRTR: "qipcrtr",
}

// FamilyName is the name of an address family without AF_, in lower case; the
// number if it has none here.
func FamilyName(f uint16) string {
	if n, ok := familyNames[f]; ok {
		return n
	}
	return strconv.Itoa(int(f))
}

var typeNames = map[uint16]string{
	unix.SOCK_STREAM: "stream", unix.SOCK_DGRAM: "dgram", unix.SOCK_RAW: "raw",
	unix.SOCK_RDM: "rdm", unix.SOCK_SEQPACKET: "seqpacket", unix.SOCK_PACKET: "packet",
}

// TypeName is the name of a socket type without SOCK_, in lower case.
func TypeName(t uint16) string {
	if n, ok := typeNames[t]; ok {
		return n
	}
	return strconv.Itoa(int(t))
}

var protocolNames = map[uint16]string{
	unix.IPPROTO_TCP: "tcp", unix.IPPROTO_UDP: "udp", unix.IPPROTO_ICMP: "icmp",
	unix.IPPROTO_ICMPV6: "icmpv6", unix.IPPROTO_SCTP: "sctp", unix.IPPROTO_MPTCP: "mptcp",
	unix.IPPROTO_UDPLITE: "udplite", unix.IPPROTO_RAW: "raw",
}

// ProtocolName is the name of the protocol of a socket of the internet families,
// "" where the family has but one.
func ProtocolName(family, protocol uint16) string {
	if family != unix.AF_INET && family != unix.AF_INET6 {
		if protocol == 0 {
			return ""
		}
		return strconv.Itoa(int(protocol))
	}
	if n, ok := protocolNames[protocol]; ok {
		return n
	}
	return strconv.Itoa(int(protocol))
}
