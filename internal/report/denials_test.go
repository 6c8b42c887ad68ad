package report

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/testenv"
)

// judged is an event with a verdict about paths, each with its class.
func judged(kind event.VerdictKind, by string, class event.Class, paths ...string) *event.Event {
	e := file(event.OpOpen, 0, 0, event.Errno(unix.EACCES), paths...)
	for i := range e.Access.Targets {
		e.Access.Targets[i].Class = class
	}
	e.Verdict = event.Verdict{Kind: kind, By: by}
	return e
}

func someDenials() *Denials {
	d := NewDenials()
	for range 3 {
		d.Event(judged(event.VerdictDeny, "default", event.Read, "/etc/shadow"))
	}
	d.Event(judged(event.VerdictAllow, "default", event.Read, "/etc/passwd"))
	d.Event(judged(event.VerdictDeny, "make.yaml:12:5", event.Write|event.Create, "/home/me/two words"))
	d.Event(judged(event.VerdictDeny, "--deny write:/tmp/**", event.Write, "/tmp/x"))
	d.Event(judged(event.VerdictDeny, "--deny write:/a b/**", event.Write, "/a b/x"))
	d.Event(judged(event.VerdictDeny, "user", event.Delete, "/tmp/\x1b]0;x\a\n"))
	d.Event(judged(event.VerdictDeny, "default", event.Attr, "/tmp/it's [a] *"))
	d.Event(judged(event.VerdictDeny, "default", event.Create, "/old", "/new")) // the last is the denied
	d.Event(judged(event.VerdictDeny, "default", event.Connect, "/run/\xffsocket"))
	d.Event(judged(event.VerdictDeny, "turnstile", event.Read, "/proc/42/mem"))
	d.Tally(&event.Tally{})
	d.Flush()
	return d
}

func TestDenials(t *testing.T) {
	for name, o := range map[string]SummaryOptions{"denials.txt": {}, "denials-colour.txt": {Colour: true}, "denials-rows.txt": {Rows: 2}} {
		var b bytes.Buffer
		if err := someDenials().Print(&b, o); err != nil {
			t.Fatal(err)
		}
		testenv.Golden(t, name, b.Bytes())
	}
}

// What no path names is told by its address, and the rule that would allow it has it.
func TestDenialsOfAddresses(t *testing.T) {
	d := NewDenials()
	for _, s := range []struct {
		op     event.Op
		socket event.Socket
	}{
		{event.OpConnect, event.Socket{Family: unix.AF_INET, Type: unix.SOCK_STREAM, Protocol: unix.IPPROTO_TCP, TypeKnown: true, Addr: netip.MustParseAddr("10.0.0.1"), Port: 5432}},
		{event.OpSend, event.Socket{Family: unix.AF_INET6, Type: unix.SOCK_DGRAM, Protocol: unix.IPPROTO_UDP, TypeKnown: true, Addr: netip.MustParseAddr("::1"), Port: 53}},
		{event.OpListen, event.Socket{Family: unix.AF_INET, Type: unix.SOCK_STREAM, Protocol: unix.IPPROTO_TCP, TypeKnown: true, Addr: netip.MustParseAddr("0.0.0.0")}},
		{event.OpBind, event.Socket{Family: unix.AF_UNIX, Abstract: true, Path: []byte("a*\x1b")}},
		{event.OpConnect, event.Socket{Family: unix.AF_VSOCK, Raw: []byte{1}}},
	} {
		d.Event(&event.Event{Access: event.Access{Op: s.op, Socket: s.socket}, Verdict: event.Verdict{Kind: event.VerdictDeny, By: "default"}})
	}
	var b bytes.Buffer
	if err := d.Print(&b, SummaryOptions{}); err != nil {
		t.Fatal(err)
	}
	testenv.Golden(t, "denials-addresses.txt", b.Bytes())
}

func TestNoDenials(t *testing.T) {
	d := NewDenials()
	d.Event(judged(event.VerdictAllow, "default", event.Read, "/etc/passwd"))
	var b bytes.Buffer
	if err := d.Print(&b, SummaryOptions{}); err != nil || b.Len() != 0 {
		t.Errorf("%q, %v", b.String(), err)
	}
}

// TestDenialsAreBounded: of more kinds than there is room for, the number is told.
func TestDenialsAreBounded(t *testing.T) {
	d := NewDenials()
	const beyond = 7
	for i := range maxDenials + beyond {
		d.Event(judged(event.VerdictDeny, "default", event.Read, fmt.Sprintf("/x/%05d", i)))
	}
	d.Event(judged(event.VerdictDeny, "default", event.Read, "/x/00000"))
	if len(d.counts) != maxDenials || d.more != beyond || d.total != maxDenials+beyond+1 {
		t.Errorf("%d kinds, %d more, %d in all", len(d.counts), d.more, d.total)
	}
	var b bytes.Buffer
	if err := d.Print(&b, SummaryOptions{Rows: 5}); err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("and %d more", maxDenials+beyond-5); !strings.Contains(b.String(), want) {
		t.Errorf("%q is not in\n%s", want, b.String())
	}
	if !strings.Contains(b.String(), `"/x/00000", 2 times`) {
		t.Errorf("the most frequent is not there:\n%s", b.String())
	}
	b.Reset()
	if err := d.Print(&b, SummaryOptions{}); err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("and %d more", beyond); !strings.Contains(b.String(), want) {
		t.Errorf("without a limit for the rows: %q is not in the last of %d lines", want, strings.Count(b.String(), "\n"))
	}
}

// TestDenialsAreLines: whatever a target calls its files, each denial is one line of what
// can be seen.
func TestDenialsAreLines(t *testing.T) {
	d := NewDenials()
	for _, path := range []string{"/a\nturnstile: denied nothing", "/\x1b[2J", "/\u202ex", "/\xff"} {
		d.Event(judged(event.VerdictDeny, "default", event.Read, path))
	}
	var b bytes.Buffer
	if err := d.Print(&b, SummaryOptions{}); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(b.String(), "\n"); n != 5 || strings.ContainsAny(b.String(), "\x1b\u202e") || !utf8.ValidString(b.String()) {
		t.Errorf("%d lines:\n%q", n, b.String())
	}
}

// failing is a writer that cannot.
type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, unix.EPIPE }

func TestDenialsCannotBeWritten(t *testing.T) {
	if err := someDenials().Print(failing{}, SummaryOptions{}); err == nil {
		t.Error("no error")
	}
}
