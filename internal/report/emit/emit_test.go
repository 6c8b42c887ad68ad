package emit

import (
	"bytes"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/profile"
	"github.com/turnstile-project/turnstile/internal/profile/baseline"
	"github.com/turnstile-project/turnstile/internal/syscalls"
	"github.com/turnstile-project/turnstile/internal/testenv"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// callFormats are the formats that hold a program to system calls, with the name of the
// golden file of each.
var callFormats = map[*Format]string{
	&oci: "oci.json", &docker: "docker.json", &k8s: "k8s.yaml", &systemd: "systemd.conf",
	&seccompH: "seccomp.h", &goSource: "filter.go.txt",
}

// seen is a call of a trace by name, with the values of its selector.
func seen(t testing.TB, abi event.ABI, name string, values ...uint64) *trace.Syscall {
	t.Helper()
	nr, ok := syscalls.Number(abi, name)
	if !ok {
		t.Fatalf("%v has no %s", abi, name)
	}
	c := &trace.Syscall{Name: name, Nr: nr, ABI: abi.String(), Count: 1}
	if values != nil {
		c.Args = []trace.Argument{{Index: profile.Selectors[name], Values: values}}
	}
	return c
}

// document is a complete trace of these calls.
func document(calls ...*trace.Syscall) *trace.Document {
	return &trace.Document{
		Complete: trace.Complete{Syscalls: true, Processes: true},
		Target:   trace.Target{Argv: []string{"prog"}},
		Host:     trace.Host{Arch: "x86_64"},
		Syscalls: calls,
	}
}

func inputOf(t testing.TB, d *trace.Document, o profile.Options) *Input {
	t.Helper()
	if o.Default.Kind == 0 {
		o.Default = profile.Action{Kind: profile.Errno, Errno: unix.EPERM}
	}
	p, err := profile.New(d, o)
	if err != nil {
		t.Fatal(err)
	}
	return &Input{Trace: d, Profile: p, Tool: "turnstile 1.0"}
}

func written(t testing.TB, f *Format, in *Input) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := f.Write(&b, in); err != nil {
		t.Fatalf("%s: %v", f.Name, err)
	}
	return b.Bytes()
}

// hostile is a command whose arguments try to be more than a comment.
var hostile = []string{
	"/opt/My Prog", "*/ int x; /*", "a\nSystemCallFilter=@known", "${HOME} %h %n", "\x1b]0;title\a", `end\`, "??/", "/*/ int y;", "\xff\xfe",
}

// mixed is a trace of two ABIs of one machine, with arguments.
func mixed(t testing.TB) *trace.Document {
	d := document(
		seen(t, event.X8664, "read"), seen(t, event.X8664, "openat"), seen(t, event.X8664, "clone3"),
		seen(t, event.X8664, "socket", 1, 2), seen(t, event.X8664, "ioctl", 0x5401, 0xffffffff80045430),
		seen(t, event.I386, "read"), seen(t, event.I386, "socket", 16), seen(t, event.I386, "ioctl"),
		seen(t, event.I386, "mmap2"),
	)
	d.Target.Argv = hostile
	d.Complete.Syscalls = false
	return d
}

func TestGolden(t *testing.T) {
	for f, file := range callFormats {
		t.Run(f.Name, func(t *testing.T) {
			o := profile.Options{Args: true, Always: profile.DefaultAlways}
			if f.Runtime != "" {
				o.Baselines = baseline.For(f.Runtime)
			}
			in := inputOf(t, mixed(t), o)
			if f == &systemd {
				in.Groups = []string{"@basic-io"}
			}
			testenv.Golden(t, file, written(t, f, in))
		})
	}
}

// TestNoInjection puts text into every place of a trace that reaches a comment: what is
// written has as many lines as without it, and not one of them is new outside of comments.
func TestNoInjection(t *testing.T) {
	for f := range callFormats {
		t.Run(f.Name, func(t *testing.T) {
			plain := document(seen(t, event.X8664, "read"))
			evil := document(seen(t, event.X8664, "read"))
			evil.Target.Argv = hostile
			evil.Syscalls[0].Name = "read\nSystemCallFilter=@known */ {"
			a := bytes.Split(written(t, f, inputOf(t, plain, profile.Options{})), []byte("\n"))
			b := bytes.Split(written(t, f, inputOf(t, evil, profile.Options{})), []byte("\n"))
			if len(a) != len(b) {
				t.Fatalf("%d lines with a plain command, %d with a hostile one", len(a), len(b))
			}
			different := 0
			for i := range a {
				if !bytes.Equal(a[i], b[i]) {
					different++
				}
			}
			want := 1 // the line with the command
			if f == &k8s {
				want = 2 // and the name of the resource
			} else if f == &oci {
				want = 0
			}
			if different != want {
				t.Errorf("%d lines differ, want %d\n%s", different, want, bytes.Join(b, []byte("\n")))
			}
		})
	}
}

// What a format cannot say is refused, or left out where that makes no difference: a call
// that the kernel does not have fails with ENOSYS.
func TestCallThatAFormatCannotSay(t *testing.T) {
	const read, unnamed, none = 0, 999, -1
	d := document()
	for _, nr := range []int32{read, unnamed, none} {
		d.Syscalls = append(d.Syscalls, &trace.Syscall{Name: "x", Nr: nr, ABI: "x86_64", Count: 1})
	}
	for f := range callFormats {
		t.Run(f.Name, func(t *testing.T) {
			lacks, of := []string{"call -1 of x86_64"}, "has a number that no call can have"
			if f.Vocabulary == profile.Names {
				lacks, of = append(lacks, "call 999 of x86_64"), "has no name"
			}
			for _, other := range []profile.Action{{Kind: profile.Errno, Errno: unix.EPERM}, {Kind: profile.Kill}, {Kind: profile.Log}} {
				_, err := profile.New(d, profile.Options{Default: other, Vocabulary: f.Vocabulary})
				if want := lacks[0] + " " + of; err == nil || !strings.HasPrefix(err.Error(), want) {
					t.Errorf("other calls %v: error %v, want %q", other, err, want)
				}
			}
			in := inputOf(t, d, profile.Options{Default: profile.Action{Kind: profile.Errno, Errno: unix.ENOSYS}, Vocabulary: f.Vocabulary})
			if len(in.Profile.Calls)+len(lacks) != len(d.Syscalls) || in.Profile.Calls[0].Nr != read {
				t.Errorf("calls %v, want all but %q", in.Profile.Calls, lacks)
			}
			for i, call := range lacks {
				if want := call + " is left out, and fails with ENOSYS"; !strings.HasPrefix(in.Profile.Notes[i], want) {
					t.Errorf("notes %q, want %q", in.Profile.Notes, want)
				}
			}
			if f != &k8s { // which has EPERM only
				written(t, f, in)
			}
		})
	}
}

func TestK8sHasOneErrno(t *testing.T) {
	d := document(seen(t, event.X8664, "read"))
	in := inputOf(t, d, profile.Options{Default: profile.Action{Kind: profile.Errno, Errno: unix.ENOSYS}})
	if err := k8s.Write(&bytes.Buffer{}, in); err == nil {
		t.Error("a SeccompProfile with ENOSYS was written, which the operator cannot express")
	}
	for _, kind := range []profile.ActionKind{profile.Kill, profile.Log, profile.Trap} {
		written(t, &k8s, inputOf(t, d, profile.Options{Default: profile.Action{Kind: kind}}))
	}
}

func TestResourceName(t *testing.T) {
	for argv0, want := range map[string]string{
		"/usr/sbin/nginx": "nginx", "My Prog": "my-prog", "./--x.y--": "x-y", "\xff": "turnstile", "/": "turnstile",
		string(bytes.Repeat([]byte("a"), 100)): string(bytes.Repeat([]byte("a"), 63)),
	} {
		if got := resourceName([]string{argv0}); got != want {
			t.Errorf("resourceName(%q) = %q, want %q", argv0, got, want)
		}
	}
}

func TestSystemdRefuses(t *testing.T) {
	if err := systemd.Write(&bytes.Buffer{}, inputOf(t, document(), profile.Options{})); err == nil {
		t.Error("an empty list was written, which means no filter")
	}
	trap := profile.Options{Default: profile.Action{Kind: profile.Trap}}
	if err := systemd.Write(&bytes.Buffer{}, inputOf(t, document(seen(t, event.X8664, "read")), trap)); err == nil {
		t.Error("trap was written, which systemd does not have")
	}
}

func TestCommandIsCut(t *testing.T) {
	long := string(bytes.Repeat([]byte("x"), 1000))
	for _, tt := range []struct {
		argv []string
		want string
	}{
		{[]string{"ls", "-l"}, "ls -l"},
		{[]string{"ls", long, "b"}, "ls ..."},
		{nil, ""},
	} {
		if got := command(tt.argv); got != tt.want {
			t.Errorf("command(%q) = %q, want %q", tt.argv, got, tt.want)
		}
	}
}

// FuzzAbout has commands that try to leave a comment.
func FuzzAbout(f *testing.F) {
	for _, arg := range hostile {
		f.Add(arg, arg)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		d := document(seen(t, event.X8664, "read"))
		d.Target.Argv = []string{a, b}
		for _, line := range about(inputOf(t, d, profile.Options{}), profile.Syscalls, []string{a, b}) {
			ends := strings.HasSuffix(line, `\`) || strings.HasSuffix(line, "??/")
			if ends || strings.Contains(line, "*/") || strings.Contains(line, "/*") || !utf8.ValidString(line) || strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("%q is no line of a comment", line)
			}
		}
	})
}
