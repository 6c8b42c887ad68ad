package policy

import (
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
)

func mustSocket(t testing.TB, text string) Socket {
	t.Helper()
	s, err := ParseSocket(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// address reads the text of an address, as [Address.String] makes it; "sctp:" is one that
// is neither TCP nor UDP.
func address(t testing.TB, text string) Address {
	t.Helper()
	scheme, rest, _ := strings.Cut(text, ":")
	if scheme == "unix" {
		return AddressOf(&event.Socket{Family: unix.AF_UNIX, Abstract: true, Path: []byte(rest[1:])})
	}
	if !strings.Contains(rest, ":") || strings.HasSuffix(rest, "]") {
		rest += ":0"
	}
	at, err := netip.ParseAddrPort(rest)
	if err != nil {
		t.Fatal(err)
	}
	s := event.Socket{Family: unix.AF_INET6, Addr: at.Addr(), Port: at.Port(), TypeKnown: true}
	switch scheme {
	case "tcp":
		s.Type, s.Protocol = unix.SOCK_STREAM, unix.IPPROTO_TCP
	case "udp":
		s.Type, s.Protocol = unix.SOCK_DGRAM, unix.IPPROTO_UDP
	case "sctp":
		s.Type, s.Protocol = unix.SOCK_STREAM, unix.IPPROTO_SCTP
	}
	return AddressOf(&s)
}

func TestSocketMatch(t *testing.T) {
	for _, tt := range []struct{ socket, has, hasNot string }{
		{"tcp:*", "tcp:1.2.3.4:80 tcp:[::1]:80 tcp:0.0.0.0:0", "udp:1.2.3.4:80 sctp:1.2.3.4 unix:@x"},
		{"tcp:*:443", "tcp:1.2.3.4:443 tcp:[::1]:443", "tcp:1.2.3.4:444 tcp:1.2.3.4:80"},
		{"udp:*:1024-2000", "udp:1.2.3.4:1024 udp:1.2.3.4:2000", "udp:1.2.3.4:1023 udp:1.2.3.4:2001 tcp:1.2.3.4:1024"},
		{"ip:*", "tcp:1.2.3.4:80 udp:[::1]:80 sctp:1.2.3.4", "unix:@x"},
		{"ip:10.0.0.0/8:53", "tcp:10.1.2.3:53 udp:10.0.0.0:53", "sctp:10.1.2.3 tcp:10.1.2.3:54 tcp:11.0.0.0:53"},
		{"tcp:10.0.0.0/8:5432", "tcp:10.255.255.255:5432 tcp:[::ffff:10.1.2.3]:5432", "tcp:9.255.255.255:5432 tcp:11.0.0.0:5432 tcp:[::10.1.2.3]:5432"},
		{"tcp:10.1.2.3", "tcp:10.1.2.3:1 tcp:10.1.2.3:65535", "tcp:10.1.2.4:1"},
		{"tcp:[::1]:80", "tcp:[::1]:80", "tcp:[::2]:80 tcp:127.0.0.1:80"},
		{"tcp:[::ffff:10.0.0.0]/104:80", "tcp:10.1.2.3:80 tcp:[::ffff:10.1.2.3]:80", "tcp:11.1.2.3:80"},
		{"tcp:[fe80::]/10", "tcp:[fe80::1]:80 tcp:[fe80::1%1]:80 tcp:[fe80::1%eth0]:80", "tcp:[fec0::1]:80"},
		{"tcp:0.0.0.0/0", "tcp:1.2.3.4:80 tcp:[::ffff:1.2.3.4]:80", "tcp:[::1]:80"},
		{"tcp:[::]/0", "tcp:[::1]:80", "tcp:1.2.3.4:80 tcp:[::ffff:1.2.3.4]:80"},
		{"unix:@*", "unix:@ unix:@a unix:@a/b unix:@\x00\xff/ unix:@//", "tcp:1.2.3.4:80"},
		{"unix:@/tmp/dbus-*", "unix:@/tmp/dbus- unix:@/tmp/dbus-x/y\xff", "unix:@/tmp/dbus unix:@tmp/dbus-x unix:@//tmp/dbus-x"},
		{"unix:@a/b", "unix:@a/b", "unix:@a//b unix:@a unix:@ab unix:@a\uE02Fb"},
		{"unix:@{a,b}?", "unix:@ax unix:@b/ unix:@a\xff", "unix:@a unix:@cx unix:@axx"},
		{`unix:@\*`, "unix:@*", "unix:@a"},
		{"unix:@\xff", "unix:@\xff", "unix:@\xfe unix:@\uE0FF"},
	} {
		s := mustSocket(t, tt.socket)
		for _, want := range []bool{true, false} {
			addresses := tt.has
			if !want {
				addresses = tt.hasNot
			}
			for text := range strings.FieldsSeq(addresses) {
				if s.Match(address(t, text)) != want {
					t.Errorf("%q has %q: %v", tt.socket, text, !want)
				}
			}
		}
	}
}

func TestSocketErrors(t *testing.T) {
	for text, want := range map[string]string{
		"http:*":                   "about sockets",
		"tcp":                      "no address",
		"tcp:":                     "no address",
		"tcp::80":                  "no address",
		"tcp:localhost":            "names are not resolved",
		"tcp:example.org:443":      "names are not resolved",
		"tcp:10.1":                 "is no address",
		"tcp:010.0.0.1":            "is no address",
		"tcp:::1":                  "in brackets",
		"tcp:2001:db8::1:80":       "in brackets",
		"tcp:[::1":                 "other half",
		"tcp:[::1/64]":             "behind the bracket",
		"tcp:[1.2.3.4]:80":         "without brackets",
		"tcp:[fe80::1%eth0]:80":    "zone",
		"tcp:10.0.0.1/8":           "write 10.0.0.0/8",
		"tcp:10.0.0.0/33":          "from 0 to 32",
		"tcp:10.0.0.0/":            "from 0 to 32",
		"tcp:10.0.0.0/-1":          "from 0 to 32",
		"tcp:[::]/129":             "from 0 to 128",
		"tcp:[::ffff:0.0.0.0]/90":  "96 bits",
		"tcp:*:":                   "is no port",
		"tcp:*:http":               "is no port",
		"tcp:*:65536":              "is no port",
		"tcp:*:1-":                 "is no port",
		"tcp:*:2-1":                "end before they begin",
		"tcp:*443":                 "is no port",
		"tcp:*/8":                  "is no port",
		"unix:":                    "begins with",
		"unix:relative":            "begins with",
		"unix:@":                   "* for all",
		"unix:@[a":                 "other half",
		"unix:/a/../b":             `".."`,
		"tcp:10.0.0.0/8:80:90":     "is no port",
		"udp:[::1]80":              "is no port",
		"tcp:*:+80":                "is no port",
		"tcp:10.0.0.0/0000000008":  "from 0 to 32",
		"unix:@a{b":                "other half",
		"tcp:*:80-90-100":          "is no port",
		"tcp:[::ffff:10.0.0.1]/97": "bits behind",
	} {
		if _, err := ParseSocket(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// TestAddressText: what an address is called is a rule that has it.
func TestAddressText(t *testing.T) {
	for text, want := range map[string]string{
		"tcp:1.2.3.4:80":              "tcp:1.2.3.4:80",
		"udp:[::ffff:1.2.3.4]:53":     "udp:1.2.3.4:53",
		"tcp:[fe80::1%eth0]:80":       "tcp:[fe80::1]:80",
		"sctp:1.2.3.4":                "ip:1.2.3.4",
		"sctp:[::1]":                  "ip:[::1]",
		"unix:@a*b/\xff":              "unix:@a\\*b/\xff",
		"unix:@/tmp/.X11-unix/X0":     "unix:@/tmp/.X11-unix/X0",
		"tcp:[2001:db8:0:0:0::1]:443": "tcp:[2001:db8::1]:443",
	} {
		a := address(t, text)
		if a.String() != want {
			t.Errorf("%q is %q, want %q", text, a, want)
		}
		if s := mustSocket(t, a.String()); !s.Match(a) {
			t.Errorf("%q has not itself", a)
		}
	}
	other := AddressOf(&event.Socket{Family: unix.AF_VSOCK, Raw: []byte{1}})
	if other.Named() || other.String() != "family 40" {
		t.Errorf("%q, %v", other, other.Named())
	}
}

func TestProtocolOfSocket(t *testing.T) {
	for _, tt := range []struct {
		kind, protocol uint16
		want           Protocol
	}{
		{unix.SOCK_STREAM, unix.IPPROTO_TCP, TCP},
		{unix.SOCK_STREAM, unix.IPPROTO_MPTCP, TCP},
		{unix.SOCK_STREAM, 0, TCP},
		{unix.SOCK_STREAM, 256, TCP},
		{unix.SOCK_DGRAM, unix.IPPROTO_UDP, UDP},
		{unix.SOCK_DGRAM, unix.IPPROTO_UDPLITE, UDP},
		{unix.SOCK_DGRAM, unix.IPPROTO_ICMP, IP},
		{unix.SOCK_STREAM, unix.IPPROTO_SCTP, IP},
		{unix.SOCK_RAW, unix.IPPROTO_TCP, IP},
		{unix.SOCK_RAW, unix.IPPROTO_UDP, IP},
	} {
		s := event.Socket{Family: unix.AF_INET, Type: tt.kind, Protocol: tt.protocol, TypeKnown: true, Addr: netip.IPv4Unspecified()}
		if a := AddressOf(&s); a.Protocol != tt.want {
			t.Errorf("type %d, protocol %d: %d, want %d", tt.kind, tt.protocol, a.Protocol, tt.want)
		}
	}
}

func TestDecideAddress(t *testing.T) {
	p := rules(t, event.VerdictAsk,
		"allow connect:tcp:*:443",
		"ask connect:tcp:10.0.0.0/8",
		"allow connect:tcp:10.1.0.0/16",
		"deny connect=ENETUNREACH:tcp:10.1.2.0/24:1-1023",
		"allow connect:udp:*:53",
		"ask connect:ip:*:53",
		"allow bind:tcp:127.0.0.1",
		"allow bind:tcp:*:8000-9000",
		"deny bind:tcp:127.0.0.1:8080",
		"allow connect:unix:@/tmp/*",
		"deny connect:unix:@/tmp/secret-*",
		"allow connect:/**", // paths alone
	)
	for _, tt := range []struct {
		class   event.Class
		address string
		verdict event.VerdictKind
		by      string
	}{
		{event.Connect, "tcp:1.2.3.4:443", event.VerdictAllow, "--allow connect:tcp:*:443"},
		{event.Connect, "tcp:1.2.3.4:80", event.VerdictAsk, "default"},
		{event.Connect, "tcp:10.2.3.4:443", event.VerdictAsk, "--ask connect:tcp:10.0.0.0/8"},
		{event.Connect, "tcp:10.1.3.4:443", event.VerdictAllow, "--allow connect:tcp:10.1.0.0/16"},
		{event.Connect, "tcp:10.1.2.4:443", event.VerdictDeny, "--deny connect=ENETUNREACH:tcp:10.1.2.0/24:1-1023"},
		{event.Connect, "tcp:10.1.2.4:1024", event.VerdictAllow, "--allow connect:tcp:10.1.0.0/16"},
		{event.Connect, "udp:1.2.3.4:53", event.VerdictAllow, "--allow connect:udp:*:53"},
		{event.Connect, "sctp:1.2.3.4", event.VerdictAsk, "--ask connect:ip:*:53"},
		{event.Bind, "tcp:127.0.0.1:80", event.VerdictAllow, "--allow bind:tcp:127.0.0.1"},
		{event.Bind, "tcp:127.0.0.1:8080", event.VerdictDeny, "--deny bind:tcp:127.0.0.1:8080"},
		{event.Bind, "tcp:10.0.0.1:8080", event.VerdictAllow, "--allow bind:tcp:*:8000-9000"},
		{event.Bind, "tcp:0.0.0.0:8080", event.VerdictDeny, "--deny bind:tcp:127.0.0.1:8080"},
		{event.Bind, "tcp:[::]:8080", event.VerdictDeny, "--deny bind:tcp:127.0.0.1:8080"},
		{event.Bind, "tcp:0.0.0.0:80", event.VerdictAsk, "default"},
		{event.Bind, "udp:127.0.0.1:8080", event.VerdictAsk, "default"},
		{event.Connect, "unix:@/tmp/x", event.VerdictAllow, "--allow connect:unix:@/tmp/*"},
		{event.Connect, "unix:@/tmp/secret-1", event.VerdictDeny, "--deny connect:unix:@/tmp/secret-*"},
		{event.Connect, "unix:@/run/x", event.VerdictAsk, "default"},
	} {
		if d := p.DecideAddress(tt.class, address(t, tt.address)); d.Verdict != tt.verdict || d.By() != tt.by {
			t.Errorf("%v %s: %v by %s, want %v by %s", tt.class, tt.address, d.Verdict, d.By(), tt.verdict, tt.by)
		}
	}
	other := AddressOf(&event.Socket{Family: unix.AF_VSOCK})
	if d := p.DecideAddress(event.Connect, other); d.Verdict != event.VerdictAsk || d.Rule != nil {
		t.Errorf("another family: %v by %s", d.Verdict, d.By())
	}
	// A path is nothing that a rule about addresses has, and the other way round.
	if d := p.Decide(event.Connect, Path{Name: "/run/x"}); d.By() != "--allow connect:/**" {
		t.Errorf("a path: %v by %s", d.Verdict, d.By())
	}
	if d := p.Decide(event.Bind, Path{Name: "/run/x"}); d.Rule != nil {
		t.Errorf("a path: %v by %s", d.Verdict, d.By())
	}
	if d := p.Decide(event.Connect, Path{}); d.Rule != nil {
		t.Errorf("a path that cannot be known: %v by %s", d.Verdict, d.By())
	}
}

func TestParseSocketRule(t *testing.T) {
	dirs := Directories{"/srv/dir", "/home/me"}
	r, err := ParseRule("all:tcp:*", event.VerdictAllow, dirs)
	if err != nil || r.Classes != event.Connect|event.Bind || r.Socket == nil || r.Patterns != nil {
		t.Errorf("%+v, %v", r, err)
	}
	r, err = ParseRule("connect:unix:/run/x/**", event.VerdictAllow, dirs)
	if err != nil || r.Socket != nil || len(r.Patterns) != 1 || !r.Patterns[0].Match("/run/x/y") {
		t.Errorf("%+v, %v", r, err)
	}
	r, err = ParseRule("read:./tcp:x", event.VerdictAllow, dirs)
	if err != nil || r.Socket != nil || !r.Patterns[0].Match("/srv/dir/tcp:x") {
		t.Errorf("%+v, %v", r, err)
	}
	for _, text := range []string{"read:tcp:*", "connect,read:tcp:*", "connect:tcp:nowhere"} {
		if _, err := ParseRule(text, event.VerdictDeny, dirs); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
	p := &Policy{Default: event.VerdictAllow, Rules: []Rule{{Verdict: event.VerdictDeny, Classes: event.Connect, Socket: &Socket{}}}}
	if err := p.Bind(func(string) (string, error) { return "", unix.ENOENT }); err != nil || p.Literals() != nil || p.Restricted() != event.Connect {
		t.Errorf("%v, %v, %v", err, p.Literals(), p.Restricted())
	}
}

func FuzzParseSocket(f *testing.F) {
	for _, text := range []string{"tcp:*:443", "tcp:10.0.0.0/8:1-2", "udp:[2001:db8::]/32:53", "ip:*", "unix:@a*", "unix:/run/**", "tcp:[::ffff:1.2.3.4]/96"} {
		f.Add(text, []byte{1, 2, 3, 4}, uint16(80))
	}
	f.Fuzz(func(t *testing.T, text string, bytes []byte, port uint16) {
		s, err := ParseSocket(text)
		if err != nil {
			return
		}
		again, err := ParseSocket(s.String())
		if err != nil {
			t.Fatalf("%q is taken, and its text %q is not: %v", text, s.String(), err)
		}
		for _, protocol := range []uint16{unix.IPPROTO_TCP, unix.IPPROTO_SCTP} {
			e := event.Socket{Family: unix.AF_INET, Type: unix.SOCK_STREAM, Protocol: protocol, TypeKnown: true, Port: port}
			var ok bool
			if e.Addr, ok = netip.AddrFromSlice(bytes); !ok {
				e = event.Socket{Family: unix.AF_UNIX, Abstract: true, Path: bytes}
			}
			a := AddressOf(&e)
			if s.Match(a) != again.Match(a) {
				t.Fatalf("%q and its text differ about %q", text, a)
			}
			for _, class := range []event.Class{event.Connect, event.Bind} {
				if s.Match(a) && !s.touches(class, a) {
					t.Fatalf("%q has %q, and does not touch it", text, a)
				}
			}
			exact, err := ParseSocket(a.String())
			if err != nil && a.Name != "" || err == nil && !exact.Match(a) {
				t.Fatalf("%q is no rule that has it: %v", a, err)
			}
		}
	})
}
