package policy

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/turnstile-project/turnstile/internal/event"
)

// Socket is a set of addresses of sockets.
type Socket struct {
	text     string
	protocol Protocol
	// prefix has the addresses, all of them if it is not valid.
	prefix netip.Prefix
	// low and high are the first port and the last.
	low, high uint16
	// name is a glob of abstract names, spelled as [spell] does.
	name string
	// path is what "unix:/…" names: files, which rules name by patterns.
	path *Pattern
}

const maxPort = 1<<16 - 1

// IsSocket says whether a text is about sockets and not about paths.
func IsSocket(text string) bool {
	scheme, _, found := strings.Cut(text, ":")
	return found && (scheme == "tcp" || scheme == "udp" || scheme == "ip" || scheme == "unix")
}

// ParseSocket reads what a rule says of sockets:
//
//	tcp:ADDRESS[/PREFIX][:PORT|:LOW-HIGH]	also udp, and ip for every protocol
//	unix:/GLOB	a name in the file system: see [Socket.Path]
//	unix:@GLOB	an abstract name; here * is any bytes, "/" among them
//
// ADDRESS is that of an IPv4, an IPv6 in brackets, or * for all.
func ParseSocket(text string) (Socket, error) {
	s := Socket{text: text, high: maxPort}
	if err := s.parse(text); err != nil {
		return s, fmt.Errorf("socket %q: %w", text, err)
	}
	return s, nil
}

func (s *Socket) parse(text string) error {
	scheme, rest, found := strings.Cut(text, ":")
	switch scheme {
	case "tcp":
		s.protocol = TCP
	case "udp":
		s.protocol = UDP
	case "ip":
		s.protocol = IP
	case "unix":
		return s.parseUnix(rest)
	default:
		return errors.New("only what begins with tcp, udp, ip or unix and a colon is about sockets")
	}
	if !found {
		return errors.New("there is no address behind it; " + scheme + ":* is for all")
	}
	ports, err := s.parseHost(rest)
	if err != nil {
		return err
	}
	return s.parsePorts(ports)
}

func (s *Socket) parseUnix(name string) error {
	switch {
	case strings.HasPrefix(name, "/"):
		p, err := ParsePattern(name)
		s.path = &p
		return err
	case !strings.HasPrefix(name, "@"):
		return errors.New("behind unix: is a path that begins with \"/\", or @ and an abstract name")
	case len(name) == 1:
		return errors.New("behind @ is a name, or * for all")
	case !doublestar.ValidatePattern(name):
		return errors.New("a bracket, a brace or a backslash is without its other half")
	}
	s.protocol, s.name = Abstract, spell(name[1:])
	return nil
}

// parseHost reads the address, and returns what is behind it.
func (s *Socket) parseHost(text string) (ports string, err error) {
	if rest, all := strings.CutPrefix(text, "*"); all {
		return rest, nil
	}
	var host, rest string
	if inside, isV6 := strings.CutPrefix(text, "["); isV6 {
		var closed bool
		if host, rest, closed = strings.Cut(inside, "]"); !closed {
			return "", errors.New("a bracket is without its other half")
		}
		if strings.Contains(host, "/") {
			return "", errors.New("the prefix stands behind the bracket: [2001:db8::]/32")
		}
	} else {
		end := strings.IndexAny(text, "/:")
		if end < 0 {
			end = len(text)
		}
		host, rest = text[:end], text[end:]
	}
	ip, err := parseIP(host, strings.HasPrefix(text, "["))
	if err != nil {
		if strings.Count(text, ":") > 1 && !strings.HasPrefix(text, "[") {
			return "", errors.New("an IPv6 address stands in brackets: [::1]:80")
		}
		return "", err
	}
	bits := ip.BitLen()
	if prefix, has := strings.CutPrefix(rest, "/"); has {
		prefix, rest = cutBefore(prefix, ":")
		if bits, err = strconv.Atoi(prefix); err != nil || bits < 0 || bits > ip.BitLen() || len(prefix) > 3 {
			return "", fmt.Errorf("%q is no length of a prefix: it is from 0 to %d", prefix, ip.BitLen())
		}
	}
	s.prefix, err = prefixOf(ip, bits)
	return rest, err
}

func parseIP(host string, brackets bool) (netip.Addr, error) {
	ip, err := netip.ParseAddr(host)
	switch {
	case host == "":
		return ip, errors.New("there is no address; * is for all")
	case err != nil:
		return ip, fmt.Errorf("%q is no address; names are not resolved, as what they lead to can change: write the address, or * for all", host)
	case ip.Zone() != "":
		return ip, errors.New("an address has no zone here: it is meant on every interface")
	case ip.Is4() && brackets:
		return ip, errors.New("an IPv4 address stands without brackets")
	}
	return ip, nil
}

// prefixOf is a prefix of judged addresses: what is mapped to IPv6 is IPv4.
func prefixOf(ip netip.Addr, bits int) (netip.Prefix, error) {
	const mapped = 96 // bits of ::ffff:0:0/96
	if ip.Is4In6() {
		if bits < mapped {
			return netip.Prefix{}, errors.New("a prefix of IPv4-mapped addresses has 96 bits at least; IPv4 addresses are written as such")
		}
		ip, bits = ip.Unmap(), bits-mapped
	}
	p := netip.PrefixFrom(ip, bits)
	if p.Masked() != p {
		return p, fmt.Errorf("the address has bits behind its prefix; write %s", p.Masked())
	}
	return p, nil
}

// cutBefore is strings.Cut with the separator left in the second part.
func cutBefore(s, separator string) (before, rest string) {
	if i := strings.Index(s, separator); i >= 0 {
		return s[:i], s[i:]
	}
	return s, ""
}

func (s *Socket) parsePorts(text string) error {
	if text == "" {
		return nil
	}
	ports, found := strings.CutPrefix(text, ":")
	if !found {
		return fmt.Errorf("%q is no port; it is :PORT or :LOW-HIGH", text)
	}
	low, high, isRange := strings.Cut(ports, "-")
	if !isRange {
		high = low
	}
	for i, text := range []string{low, high} {
		port, err := strconv.ParseUint(text, 10, 16)
		if err != nil {
			return fmt.Errorf("%q is no port: it is a number from 0 to %d, or LOW-HIGH", ports, maxPort)
		}
		*[]*uint16{&s.low, &s.high}[i] = uint16(port)
	}
	if s.low > s.high {
		return fmt.Errorf("the ports %q end before they begin", ports)
	}
	return nil
}

// spell gives bytes as characters, none of them a "/": for doublestar that is a
// separator, and in an abstract name a byte like others. No two names get one spelling.
func spell(name string) string {
	const private = 0xe000 // the first of Unicode's private use area
	var b strings.Builder
	for i := range len(name) {
		if c := name[i]; c == '/' || c >= 0x80 {
			b.WriteRune(private + rune(c))
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// String is the text of the set.
func (s *Socket) String() string { return s.text }

// Path is the pattern of "unix:/…", nil for all else.
func (s *Socket) Path() *Pattern { return s.path }

// Match says whether an address is in the set.
func (s *Socket) Match(a Address) bool {
	switch {
	case s.protocol == Abstract || a.Protocol == Abstract:
		return s.protocol == a.Protocol && doublestar.MatchUnvalidated(s.name, spell(a.Name))
	case !s.speaks(a):
		return false
	case s.prefix.IsValid() && !s.prefix.Contains(a.IP):
		return false
	default:
		return s.allPorts() || a.Protocol != IP && s.low <= a.Port && a.Port <= s.high
	}
}

// touches says whether what is done at an address can be done at one in the set: bound to
// no address a socket is at all of them, and a protocol without known ports may have any.
func (s *Socket) touches(class event.Class, a Address) bool {
	if s.Match(a) {
		return true
	}
	if s.protocol == Abstract || !s.speaks(a) {
		return false
	}
	all := class == event.Bind && a.IP.IsUnspecified()
	return (all || !s.prefix.IsValid() || s.prefix.Contains(a.IP)) &&
		(a.Protocol == IP || s.low <= a.Port && a.Port <= s.high)
}

// speaks says whether the protocol of an address is one of the set's.
func (s *Socket) speaks(a Address) bool {
	return a.IP.IsValid() && s.path == nil && (s.protocol == IP || s.protocol == a.Protocol)
}

func (s *Socket) allPorts() bool { return s.low == 0 && s.high == maxPort }

// compare orders sets by how much they say: by the bits of the address, or the bytes
// of the name before a wildcard; then by how few ports there are; then a protocol is
// more than any.
func (s *Socket) compare(other *Socket) int {
	return cmp.Or(
		cmp.Compare(s.fixed(), other.fixed()),
		cmp.Compare(other.high-other.low, s.high-s.low),
		cmp.Compare(s.protocol, other.protocol),
	)
}

func (s *Socket) fixed() int {
	switch {
	case s.protocol == Abstract:
		if i := strings.IndexAny(s.name, `*?[{\`); i >= 0 {
			return i
		}
		return len(s.name) + 1
	case s.prefix.IsValid():
		return s.prefix.Bits()
	default:
		return -1
	}
}

// matchesAddress says whether a rule is about an address.
func (r *Rule) matchesAddress(class event.Class, a Address) bool {
	if r.Socket == nil {
		return false
	}
	if r.Verdict == event.VerdictAllow {
		return r.Socket.Match(a)
	}
	return r.Socket.touches(class, a)
}

// SetSocket makes the rule one about sockets: by path, or by address.
func (r *Rule) SetSocket(s Socket) {
	if s.path != nil {
		r.Patterns = []Pattern{*s.path}
		return
	}
	r.Socket = &s
}

// DecideAddress gives the verdict for a class, connect or bind, at an address that is no
// path. A deny wins always; between allow and ask it is the rule that says more of the
// address, then of the port, then that for some programs only, then ask.
func (p *Policy) DecideAddress(class event.Class, a Address) Decision {
	var c contest
	for i := range p.Rules {
		if r := &p.Rules[i]; r.Classes&class != 0 && r.matchesAddress(class, a) {
			c.enter(match{rule: r, place: i}, a.Exe)
		}
	}
	return c.decision(p, class)
}
