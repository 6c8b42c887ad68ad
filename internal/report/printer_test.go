package report

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/trace"
)

var sh = &event.Process{ID: event.ProcessID{PID: 7}, Parent: event.ProcessID{PID: 6}, Comm: "sh"}

func file(op event.Op, flags uint64, ret int64, errno event.Errno, paths ...string) *event.Event {
	e := &event.Event{
		Process: sh, TID: 7, Category: event.CategoryFile, Call: event.Call{ABI: event.X8664, Nr: 257},
		Access:  event.Access{Op: op, Flags: flags},
		Outcome: event.Outcome{Known: true, Ret: ret, Errno: errno},
	}
	for _, p := range paths {
		e.Access.Targets = append(e.Access.Targets, event.Target{Path: []byte(p), How: event.HowAsked})
	}
	return e
}

func socket(op event.Op, s event.Socket, errno event.Errno, paths ...string) *event.Event {
	e := file(op, 0, 0, errno, paths...)
	e.Category = event.CategoryNetwork
	e.Access.Socket = s
	return e
}

func TestPrinterLines(t *testing.T) {
	created := file(event.OpOpen, unix.O_WRONLY|unix.O_CREAT|unix.O_TRUNC, 4, 0, "/tmp/x")
	created.Access.Targets[0].Created = true
	evil := file(event.OpUnlink, 0, 0, 0, "/tmp/a\x1b[2J\nsh[1] open r \"/x\" = 3\xff")
	evil.Process = &event.Process{ID: event.ProcessID{PID: 8}, Comm: "a] b\x1b"}
	v4 := event.Socket{Family: unix.AF_INET, Type: unix.SOCK_STREAM, Protocol: unix.IPPROTO_TCP, TypeKnown: true, Addr: netip.MustParseAddr("127.0.0.1"), Port: 80}
	for _, tt := range []struct {
		e    *event.Event
		want string
	}{
		{file(event.OpOpen, unix.O_RDWR, 3, 0, "/tmp/x"), `sh[7] open rw "/tmp/x" = 3`},
		{created, `sh[7] open w,create,trunc "/tmp/x" = 4`},
		{file(event.OpOpen, unix.O_PATH, 3, 0, "/"), `sh[7] open path "/" = 3`},
		{file(event.OpOpen, unix.O_TMPFILE|unix.O_RDWR, 3, 0, "/tmp"), `sh[7] open rw,tmpfile "/tmp" = 3`},
		{file(event.OpExec, 0, 0, event.Errno(unix.ENOENT), "/bin/ls"), `sh[7] exec "/bin/ls" = -ENOENT`},
		{file(event.OpRename, 0, 0, 0, "/a", "/b c"), `sh[7] rename "/a" -> "/b c" = 0`},
		{file(event.OpStat, 0, 0, 512, "/a"), `sh[7] stat "/a" = -ERESTARTSYS`},
		{evil, `"a] b\x1b"[8] unlink "/tmp/a\x1b[2J\nsh[1] open r \"/x\" = 3\xff" = 0`},
		{socket(event.OpConnect, v4, event.Errno(unix.EINPROGRESS)), `sh[7] connect tcp 127.0.0.1:80 = -EINPROGRESS`},
		{socket(event.OpBind, event.Socket{Family: unix.AF_INET6, Addr: netip.MustParseAddr("::1"), Port: 53}, 0), `sh[7] bind inet6 [::1]:53 = 0`},
		{socket(event.OpConnect, event.Socket{Family: unix.AF_UNIX, Type: unix.SOCK_STREAM, TypeKnown: true, Path: []byte("/run/x")}, 0, "/run/x"), `sh[7] connect unix stream "/run/x" = 0`},
		{socket(event.OpBind, event.Socket{Family: unix.AF_UNIX, Abstract: true, Path: []byte("bus")}, 0), `sh[7] bind unix @"bus" = 0`},
		{socket(event.OpBind, event.Socket{Family: unix.AF_NETLINK, Raw: []byte{0, 0}}, 0), `sh[7] bind netlink "\x00\x00" = 0`},
		{&event.Event{Process: sh, Access: event.Access{Op: event.OpFork}}, `sh[7] fork from 6`},
		{&event.Event{Process: sh, Access: event.Access{Op: event.OpExit}, Exit: 3 << 8}, `sh[7] exit = 3`},
		{&event.Event{Process: sh, Access: event.Access{Op: event.OpExit}, Exit: syscall.WaitStatus(unix.SIGKILL)}, `sh[7] exit = SIGKILL`},
		{&event.Event{Process: sh, Call: event.Call{ABI: event.X8664, Nr: 39}, Outcome: event.Outcome{Known: true, Ret: 7}}, `sh[7] getpid = 7`},
		{&event.Event{Process: sh, Call: event.Call{ABI: event.X8664, Nr: 231}}, `sh[7] exit_group`},
	} {
		var b bytes.Buffer
		p := NewPrinter(&b, PrinterOptions{Calls: true})
		p.Event(tt.e)
		p.Flush()
		if got := strings.TrimSuffix(b.String(), "\n"); got != tt.want {
			t.Errorf("printed %s\nwanted  %s", got, tt.want)
		}
	}
}

func TestPrinterWithoutCallsPrintsAccessesOnly(t *testing.T) {
	var b bytes.Buffer
	p := NewPrinter(&b, PrinterOptions{})
	p.Event(&event.Event{Process: sh, Call: event.Call{ABI: event.X8664, Nr: 39}})
	p.Event(&event.Event{Process: sh, Access: event.Access{Op: event.OpFork}})
	p.Event(file(event.OpOpen, 0, 3, 0, "/x"))
	p.Flush()
	if want := "sh[7] open r \"/x\" = 3\n"; b.String() != want {
		t.Errorf("printed %q, want %q", b.String(), want)
	}
}

func TestPrinterColours(t *testing.T) {
	var b bytes.Buffer
	p := NewPrinter(&b, PrinterOptions{Colour: true})
	p.Event(file(event.OpStat, 0, 0, event.Errno(unix.ENOENT), "/x"))
	p.Flush()
	if want := "sh[7] \x1b[1mstat\x1b[0m \"/x\" = \x1b[31m-ENOENT\x1b[0m\n"; b.String() != want {
		t.Errorf("printed %q, want %q", b.String(), want)
	}
}

func TestJSONLines(t *testing.T) {
	var b bytes.Buffer
	j := NewJSONLines(&b)
	e := file(event.OpOpen, unix.O_RDONLY, 3, 0, "/caf\xe9")
	e.Time = time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	e.Access.Targets[0].Class = event.Read
	j.Event(e)
	j.Event(&event.Event{Process: sh, Call: event.Call{Nr: -1}, Access: event.Access{Op: event.OpExec}, Argv: [][]byte{[]byte("ls"), []byte("-l")}, Outcome: event.Outcome{Known: true}})
	j.Event(&event.Event{Process: sh, Call: event.Call{Nr: -1}, Access: event.Access{Op: event.OpExit}, Exit: syscall.WaitStatus(unix.SIGTERM)})
	no := false
	if err := j.Finish(&trace.Document{Complete: trace.Complete{Syscalls: true, Files: &no}, Lost: map[string]uint64{"ringbuf": 2}}); err != nil {
		t.Fatal(err)
	}
	want := `{"time":"2026-01-02T03:04:05.000000006Z","pid":7,"tid":7,"ppid":6,"comm":"sh","category":"file","syscall":"openat","abi":"x86_64","args":[0,0,0,0,0,0],"op":"open","targets":[{"path_base64":"L2NhZuk=","how":"asked","classes":["read"]}],"ret":3}
{"time":"0001-01-01T00:00:00Z","pid":7,"tid":0,"ppid":6,"comm":"sh","category":"other","op":"exec","argv":["ls","-l"],"ret":0}
{"time":"0001-01-01T00:00:00Z","pid":7,"tid":0,"ppid":6,"comm":"sh","category":"other","op":"exit","signal":"SIGTERM"}
{"end":true,"complete":{"syscalls":true,"processes":false,"files":false},"lost":{"ringbuf":2}}
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
	for line := range strings.Lines(b.String()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("not JSON: %s", line)
		}
	}
}

func TestJSONLinesTellsOfAFullDisk(t *testing.T) {
	j := NewJSONLines(fullDisk{})
	j.Event(file(event.OpOpen, 0, 3, 0, "/x"))
	j.Flush()
	if err := j.Finish(&trace.Document{}); err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("error %v", err)
	}
}

// FuzzPrinter: whatever the target calls things, a line stays one line and has no
// byte that a terminal acts upon.
func FuzzPrinter(f *testing.F) {
	f.Add("sh", "/x", []byte("arg"))
	f.Add("\x1b]0;x\a", "/\u202e\n", []byte{0xff, 0})
	f.Fuzz(func(t *testing.T, comm, path string, arg []byte) {
		var b bytes.Buffer
		p := NewPrinter(&b, PrinterOptions{Calls: true})
		e := file(event.OpExec, 0, 0, 0, path, path)
		e.Process = &event.Process{Comm: comm}
		e.Argv = [][]byte{arg, arg}
		p.Event(e)
		s := socket(event.OpBind, event.Socket{Family: unix.AF_UNIX, Abstract: true, Path: arg, Raw: arg}, 0)
		p.Event(s)
		p.Flush()
		if bytes.Count(b.Bytes(), []byte("\n")) != 2 {
			t.Errorf("two events are %q", b.String())
		}
		for _, r := range b.String() {
			if r < ' ' && r != '\n' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == '\u202e' {
				t.Errorf("%q in %q", r, b.String())
			}
		}
	})
}
