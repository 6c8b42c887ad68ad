package emit

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/policy"
	"github.com/turnstile-project/turnstile/internal/profile"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// socketRule is what a rule says of sockets.
type socketRule struct {
	class event.Class
	text  string
	why   string // how it is wider than what was seen
}

// socketClasses are the classes of operations on sockets. accept is not judged.
var socketClasses = map[string]event.Class{"connect": event.Connect, "send": event.Connect, "bind": event.Bind, "listen": event.Bind}

// The ports that the kernel chooses by itself, as it is set up (ip_local_port_range,
// net/ipv4/ip_sockglue.c and ip-sysctl.rst).
const firstLocalPort, lastLocalPort = 32768, 60999

// socketRules are the rules about addresses, and notes about what no rule can name.
func socketRules(p *profile.Profile) ([]socketRule, []string) {
	var rules []socketRule
	var notes []string
	for _, s := range p.Sockets {
		class, judged := socketClasses[s.Op]
		if !judged || refusedSocket(s) {
			continue
		}
		rule, note := socketRuleOf(s, class, p)
		if note != "" && !slices.Contains(notes, note) {
			notes = append(notes, note)
		}
		if rule.text != "" {
			rules = append(rules, rule)
		}
	}
	slices.SortFunc(rules, func(a, b socketRule) int {
		return cmp.Or(cmp.Compare(a.class, b.class), cmp.Compare(a.text, b.text), cmp.Compare(a.why, b.why))
	})
	return slices.CompactFunc(rules, func(a, b socketRule) bool { return a.class == b.class && a.text == b.text }), notes
}

// refusedSocket says that an address was never allowed.
func refusedSocket(s *trace.Socket) bool {
	return s.Count > 0 && s.Errors.Get("EACCES")+s.Errors.Get("EPERM") >= s.Count
}

func socketRuleOf(s *trace.Socket, class event.Class, p *profile.Profile) (socketRule, string) {
	switch {
	case s.Addr != "":
		return internetRule(s, class, p.WideAddresses)
	case s.Family == "unix" && s.Abstract:
		return abstractRule(s, class)
	case s.Family == "unix" && strings.HasPrefix(s.Path, "/") && p.Files == nil:
		glob := profile.Literal(s.Path)
		return socketRule{class: class, text: "unix:" + policyGlob(&glob)}, ""
	case s.Family == "unix", s.Family == "unspec", s.Family == "netlink":
		return socketRule{}, "" // a file, the end of a connection, or the kernel
	}
	return socketRule{}, fmt.Sprintf("addresses of the family %s are in no rule: it needs the side door socket_families or raw_sockets", s.Family)
}

// abstractRule is for a name that is no file.
func abstractRule(s *trace.Socket, class event.Class) (socketRule, string) {
	switch {
	case s.Path == "":
		return socketRule{}, ""
	case !utf8.ValidString(s.Path):
		return socketRule{class, "unix:@" + policyLiteral(s.Path), "a name that is no text"}, ""
	}
	return socketRule{class: class, text: "unix:@" + policy.Quote(s.Path)}, ""
}

// internetRule is for an address of IPv4 or IPv6.
func internetRule(s *trace.Socket, class event.Class, widens bool) (socketRule, string) {
	ip, err := netip.ParseAddr(s.Addr)
	if err != nil {
		return socketRule{}, fmt.Sprintf("the address %q is none, and in no rule", s.Addr)
	}
	ip = ip.Unmap().WithZone("")
	if class == event.Connect && ip.IsUnspecified() {
		ip = home(ip) // as the kernel does
	}
	rule := socketRule{class: class}
	host := ip.String()
	if ip.Is6() {
		host = "[" + host + "]"
	}
	if widens && class == event.Connect && isElsewhere(ip) {
		rule.why, host = "was "+host, "*"
	}
	scheme := schemeOf(s)
	if scheme == "ip" || s.Port == nil {
		rule.text = "ip:" + host
		return rule, ""
	}
	ports := fmt.Sprint(*s.Port)
	if widens && *s.Port >= firstLocalPort && *s.Port <= lastLocalPort {
		rule.why = strings.TrimPrefix(rule.why+", was port "+ports, ", ")
		ports = fmt.Sprintf("%d-%d", firstLocalPort, lastLocalPort)
	}
	rule.text = scheme + ":" + host + ":" + ports
	return rule, ""
}

func home(ip netip.Addr) netip.Addr {
	if ip.Is4() {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return netip.IPv6Loopback()
}

// isElsewhere says whether an address is one of the internet, where what a name leads to is
// not the same tomorrow.
func isElsewhere(ip netip.Addr) bool {
	return ip.IsGlobalUnicast() && !ip.IsPrivate()
}

// schemeOf is how a policy calls a protocol.
func schemeOf(s *trace.Socket) string {
	switch s.Protocol {
	case "tcp", "mptcp":
		return "tcp"
	case "udp", "udplite":
		return "udp"
	}
	return "ip"
}

// sockets writes the rules about addresses.
func (p *policyWriter) sockets(rules []socketRule) {
	for i, r := range rules {
		if i == 0 || rules[i-1].class != r.class {
			p.section(map[event.Class]string{event.Connect: "Who is spoken to.", event.Bind: "Where it listens."}[r.class])
			fmt.Fprintf(p, "  - allow: [%s]\n    sockets:\n", r.class)
		}
		fmt.Fprintf(p, "      - %q", r.text)
		if r.why != "" {
			fmt.Fprintf(p, " # %s", r.why)
		}
		fmt.Fprint(p, "\n")
	}
}
