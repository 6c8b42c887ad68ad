package read_test

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/profile"
	"github.com/turnstile-project/turnstile/internal/report/emit"
	"github.com/turnstile-project/turnstile/internal/report/read"
	"github.com/turnstile-project/turnstile/internal/syscalls"
	"github.com/turnstile-project/turnstile/internal/systemd"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// emitted is the profile that a format has of a document, with nothing beside what was seen.
func emitted(t testing.TB, f *emit.Format, d *trace.Document, args bool) string {
	t.Helper()
	p, err := profile.New(d, profile.Options{Default: profile.Action{Kind: profile.Errno, Errno: unix.EPERM}, Args: args})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := f.Write(&b, &emit.Input{Trace: d, Profile: p}); err != nil {
		t.Fatalf("%s: %v", f.Name, err)
	}
	return b.String()
}

// callFormats are those of system calls that are written and read.
func callFormats() []*emit.Format {
	return slices.DeleteFunc(emit.Formats(), func(f *emit.Format) bool {
		return f.Sections != profile.Syscalls || !slices.Contains(read.Names(), f.Name)
	})
}

// TestRoundTrip: the profile of a trace allows what is in it, and of what is not in it
// nothing, in every format and for every call of every ABI.
func TestRoundTrip(t *testing.T) {
	for _, abi := range []event.ABI{event.X8664, event.I386, event.X32} {
		var all []string
		for _, nr := range syscalls.All(abi) {
			all = append(all, abi.String()+":"+syscalls.Name(abi, nr))
		}
		for _, f := range callFormats() {
			whole := seen(t, all...)
			if left := found(t, emitted(t, f, whole, false), f.Name, amd64, whole); len(left) > 0 {
				t.Errorf("%s of %v: %q", f.Name, abi, left)
			}
			// Every other call is left out.
			var half, without []string
			for i, call := range all {
				if i%2 == 0 {
					half = append(half, call)
				} else if name := strings.TrimPrefix(call, abi.String()+":"); f.Name != "systemd" || !slices.Contains(systemd.Set("@default"), name) {
					without = append(without, strings.TrimPrefix(call, "x86_64:"))
				}
			}
			var got []string
			for _, line := range found(t, emitted(t, f, seen(t, half...), false), f.Name, amd64, whole) {
				name, _, _ := strings.Cut(line, ": ")
				got = append(got, name)
			}
			if !slices.Equal(got, without) {
				t.Errorf("%s of %v: %d calls are left out and %d found", f.Name, abi, len(without), len(got))
			}
		}
	}
}

// TestRoundTripValues: likewise for the values of an argument.
func TestRoundTripValues(t *testing.T) {
	was := seen(t, "socket 0=1,2", "ioctl 1=21505,2147767344", "read", "personality 0=4294967295")
	now := seen(t, "socket 0=1,10", "ioctl 1=21505,21506", "read", "personality 0=4294967295")
	for _, f := range callFormats() {
		text := emitted(t, f, was, true)
		if left := found(t, text, f.Name, amd64, was); len(left) > 0 {
			t.Errorf("%s: %q", f.Name, left)
		}
		want := []string{"socket 0=10", "ioctl 1=21506"}
		if f.Name == "systemd" {
			want = want[:1] // it has no other arguments
		}
		var got []string
		for _, line := range found(t, text, f.Name, amd64, now) {
			name, _, _ := strings.Cut(line, ": ")
			got = append(got, name)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: found %q, want %q", f.Name, got, want)
		}
	}
}

// TestRoundTripPolicy: the policy of a trace allows all its files, programs and sockets, and
// none beside them.
func TestRoundTripPolicy(t *testing.T) {
	port, other := uint16(443), uint16(8443)
	zero := 0
	d := seen(t, "read")
	d.Target = trace.Target{Argv: []string{"sh"}, Dir: "/w"}
	for _, path := range []string{"/etc/hosts", "/etc/passwd", "/srv/two words", "/srv/a*b", "/srv/[x]", `/srv/back\slash`, `/srv/"quoted"`, "/srv/new\nline", "/srv/größe"} {
		d.Files = append(d.Files, &trace.File{Path: path, Classes: event.Read | event.Stat, Processes: []int{0}, Ops: trace.Counts{{Name: "open", N: 1}}})
	}
	d.Files = append(d.Files, &trace.File{Path: "/usr/bin/ls", Classes: event.Read | event.Exec, Ops: trace.Counts{{Name: "exec", N: 1}}, Processes: []int{0}})
	d.Execs = []*trace.Exec{{Path: "/usr/bin/ls", Process: &zero, Count: 1}}
	d.Sockets = []*trace.Socket{
		{Op: "connect", Family: "inet", Type: "stream", Protocol: "tcp", Addr: "10.0.0.1", Port: &port, Count: 1, Processes: []int{0}},
		{Op: "bind", Family: "unix", Type: "stream", Path: "a name", Abstract: true, Count: 1, Processes: []int{0}},
	}
	f := emit.Named("policy")
	text := emitted(t, f, d, false)
	if left := found(t, text, "", amd64, d); len(left) > 0 {
		t.Errorf("%q\n%s", left, text)
	}
	d.Files = append(d.Files, &trace.File{Path: "/srv/aXb", Classes: event.Read, Processes: []int{0}}, &trace.File{Path: "/etc/hosts", Classes: event.Write})
	d.Sockets[0].Port = &other
	want := []string{"read /srv/aXb: fails with EACCES", "write /etc/hosts: fails with EACCES", "connect 10.0.0.1: fails with EACCES"}
	if got := found(t, text, "", amd64, d); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
