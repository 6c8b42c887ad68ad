package emit

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/profile"
	"github.com/turnstile-project/turnstile/internal/profile/baseline"
	"github.com/turnstile-project/turnstile/internal/testenv"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// heldBy is what a format makes of a trace, or the error.
func heldBy(t testing.TB, f *Format, d *trace.Document, change func(*profile.Profile)) (string, error) {
	t.Helper()
	p, err := profile.New(d, profile.Options{
		Default: profile.Action{Kind: profile.Errno, Errno: unix.EPERM}, Always: profile.DefaultAlways, Baselines: baseline.For(f.Runtime),
	})
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(p)
	}
	var b bytes.Buffer
	err = f.Write(&b, &Input{Trace: d, Profile: p, Tool: "turnstile test"})
	return b.String(), err
}

func yes() *bool { b := true; return &b }

// ofFiles is a trace of a program that did nothing yet.
func ofFiles(calls ...string) *trace.Document {
	d := &trace.Document{
		Version: trace.Version, Tool: "turnstile test", Complete: trace.Complete{Syscalls: true, Processes: true, Files: yes(), Sockets: yes()},
		Target: trace.Target{Argv: []string{"/usr/bin/prog", "two words", "it's\x1b[2J\n"}, Dir: "/work", UID: 1000},
		Host:   trace.Host{Arch: "x86_64"},
		Files:  []*trace.File{}, Sockets: []*trace.Socket{},
	}
	for i, c := range calls {
		d.Syscalls = append(d.Syscalls, &trace.Syscall{Name: c, Nr: int32(i), ABI: "x86_64", Count: 1})
	}
	return d
}

func file(path string, classes event.Class, ops ...event.Op) *trace.File {
	f := &trace.File{Path: path, How: event.HowFD, Classes: classes}
	for _, o := range ops {
		f.Ops.Add(o.String(), 1)
	}
	return f
}

// sample has one of everything that the formats tell apart.
func sample() *trace.Document {
	d := ofFiles("read", "write", "open", "close")
	d.Syscalls = append(d.Syscalls,
		&trace.Syscall{Name: "futex_wake", Nr: 454, ABI: "x86_64", Count: 1},
		&trace.Syscall{Name: "socket", Nr: 41, ABI: "x86_64", Count: 3, Args: []trace.Argument{{Index: 0, Values: []uint64{1, 2, 10}}}},
		&trace.Syscall{Name: "flock", Nr: 73, ABI: "x86_64", Count: 1},
	)
	missing := file("/home/me/.missing", event.Read, event.OpOpen)
	missing.Errors.Add("ENOENT", 1)
	there := file("/var/lib/prog", event.Create, event.OpMkdir)
	there.Errors.Add("EEXIST", 1)
	program := file("/usr/bin/prog", event.Exec, event.OpExec)
	program.Asked = []string{"/usr/bin/prog", "/bin/prog"}
	d.Files = append(d.Files,
		program, missing, there,
		file("/usr/lib/libc.so.6", event.Read|event.Exec, event.OpOpen, event.OpMapExec),
		file("/usr/lib64/ld-linux-x86-64.so.2", event.Exec, event.OpExec),
		file("/", event.List, event.OpOpen),
		file("/etc/hosts", event.Read|event.Stat, event.OpOpen, event.OpStat),
		file("/etc/passwd", event.Stat, event.OpStat),
		file("/etc/ssl", event.List, event.OpOpen),
		file("/proc/4711/status", event.Read, event.OpOpen),
		file("/proc/4711/task/4712/stat", event.Read, event.OpOpen),
		file("/dev/null", event.Write, event.OpOpen),
		file("/dev/kvm", event.Read|event.Write, event.OpOpen),
		file("/home/me/log file", event.Read|event.Write, event.OpOpen),
		file("/home/me/project", event.List|event.Stat, event.OpOpen, event.OpChdir),
		file("/home/me/project/out", event.Create, event.OpMkdir),
		file("/home/me/project/out/a.o", event.Write|event.Create, event.OpOpen),
		file("/home/me/project/out/new", event.Write|event.Create|event.Delete, event.OpOpen, event.OpRename),
		file("/home/me/project/out/done", event.Create, event.OpRename),
		file("/home/me/project/a*b${HOME} #\"'é", event.Read, event.OpOpen),
		file("/home/me/project/h", event.Create, event.OpLink),
		file("/home/me/source", event.Read, event.OpLink),
		file("/tmp/cc1.s", event.Read|event.Write|event.Create|event.Delete, event.OpOpen, event.OpUnlink),
		file("/var/lib/prog/db", event.Write|event.Create, event.OpOpen),
		file("/run/prog.sock", event.Connect, event.OpConnect),
	)
	process, port := 0, uint16(443)
	d.Execs = []*trace.Exec{{Path: "/usr/bin/prog", Process: &process, Count: 1}}
	d.Sockets = append(d.Sockets,
		&trace.Socket{Op: "connect", Family: "unix", Type: "stream", Path: "/run/prog.sock", Count: 1},
		&trace.Socket{Op: "connect", Family: "inet", Type: "stream", Protocol: "tcp", Addr: "192.0.2.1", Port: &port, Count: 1},
	)
	return d
}

func fileFormats() []*Format { return []*Format{&apparmor, &firejail, &bwrap, &landlock} }

func TestFileFormatsGolden(t *testing.T) {
	for _, f := range fileFormats() {
		t.Run(f.Name, func(t *testing.T) {
			text, err := heldBy(t, f, sample(), func(p *profile.Profile) {
				p.Notes = append(p.Notes, "a note with \x1b and\nline breaks */")
				fonts := profile.Literal("/usr/share/fonts")
				fonts.Tree = true
				p.Files = append(p.Files,
					profile.File{Pattern: fonts, Classes: event.Read | event.List},
					profile.File{Pattern: profile.LiteralBelow(profile.Home, "/home/me", "/.cache").With(profile.Name{"p-", ".tmp"}), Classes: event.Read},
				)
			})
			if err != nil {
				t.Fatal(err)
			}
			testenv.Golden(t, f.Name+".golden", []byte(text))
		})
	}
}

// TestFileFormatsRefuseRoot: whoever may write to / may write everywhere.
func TestFileFormatsRefuseRoot(t *testing.T) {
	for _, f := range []*Format{&firejail, &bwrap, &landlock} {
		d := ofFiles()
		d.Files = append(d.Files, file("/made", event.Create, event.OpMkdir))
		if _, err := heldBy(t, f, d, nil); err == nil || !strings.Contains(err.Error(), `"/made"`) {
			t.Errorf("%s: %v", f.Name, err)
		}
	}
}

// oddNames are names with each byte that a name may have, and some that only look odd
// together.
func oddNames() []string {
	names := []string{
		"a  b", "end ", " begin", "a..b", "${HOME}", "$HOME", "$(id)", "`id`", "@{HOME}", "[a-z]", "{a,b}", "**", "*", "?", "~", "~root", "-rf", "--", "#x", "//", "\\n", "\\", "\\*", "a\\", "a\n", "\n\n", "'", "''", "'\n'", `"`,
		"größe", "日本", "\xc3", "\xff\xfe", "\u202e", "%h%s%%", "*/", "EOF", "END", "!x", "x;y", "x&y", "$$", "$${x}", "${x", "\x1b[2J", "a\r\nb",
	}
	for b := 1; b < 256; b++ {
		if b != '/' {
			names = append(names, "a"+string([]byte{byte(b)})+"b")
		}
	}
	var valid []string
	for _, n := range names {
		if !strings.Contains(n, "/") {
			valid = append(valid, n)
		}
	}
	return valid
}

// plant makes files of odd names in a new directory, and a trace in which they were read.
func plant(t *testing.T, d *trace.Document, names []string) (dir string) {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		path := filepath.Join(dir, n)
		if err := os.WriteFile(path, []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
		d.Files = append(d.Files, file(path, event.Read, event.OpOpen))
	}
	return dir
}

func socket(family string) *trace.Socket {
	return &trace.Socket{Op: "connect", Family: family, Type: "stream", Count: 1}
}

// FuzzFileFormats: whatever a path is, it is one rule, or refused by its name; nothing of it
// is a line of its own, or moves the cursor of whoever looks.
func FuzzFileFormats(f *testing.F) {
	for _, n := range append(oddNames(), " /.") {
		f.Add(n)
	}
	lines := func(t *testing.T, format *Format, path string) (int, string, error) {
		d := ofFiles()
		d.Files = append(d.Files, file(path, event.Read, event.OpOpen))
		text, err := heldBy(t, format, d, nil)
		// The script has a line for each piece that cannot be looked at.
		return strings.Count(text, "\n") - strings.Count(text, "\nodd"), text, err
	}
	f.Fuzz(func(t *testing.T, name string) {
		if strings.Contains(name, "\x00") {
			return // no path has one
		}
		path := "/d/x" + name
		for _, format := range fileFormats() {
			plain, _, err := lines(t, format, "/d/x")
			if err != nil {
				t.Fatal(err)
			}
			n, text, err := lines(t, format, path)
			if err != nil {
				named := func(path string) bool {
					return strings.Contains(err.Error(), strconv.Quote(profile.Literal(path).String()))
				}
				if !named(path) && !named(filepath.Clean(path)) {
					t.Errorf("%s of %q: %v", format.Name, path, err)
				}
				continue
			}
			if n != plain {
				t.Errorf("%s of %q has %d lines, of another path %d\n%s", format.Name, path, n, plain, text)
			}
			if strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && r != '\t' && r < ' ' }) {
				t.Errorf("%s of %q: %q", format.Name, path, text)
			}
		}
	})
}
