package emit

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/policy"
	"github.com/turnstile-project/turnstile/internal/policy/lang"
	"github.com/turnstile-project/turnstile/internal/policy/lint"
	"github.com/turnstile-project/turnstile/internal/profile"
	"github.com/turnstile-project/turnstile/internal/profile/collapse"
	"github.com/turnstile-project/turnstile/internal/testenv"
	"github.com/turnstile-project/turnstile/internal/trace"
)

var policyVariables = lang.Variables{"HOME": "/home/me", "CWD": "/home/me/project", "TMPDIR": "/tmp"}

func collapsed(kinds collapse.Kinds) collapse.Options {
	return collapse.Options{Kinds: kinds, HomeDir: "/home/me", WorkingDir: "/home/me/project", TmpDir: "/tmp"}
}

// watched is a complete trace of files, and of sockets.
func watched(files []*trace.File, sockets ...*trace.Socket) *trace.Document {
	d := document()
	yes := true
	d.Results, d.Complete.Files, d.Complete.Sockets = true, &yes, &yes
	d.Files, d.Sockets = files, append([]*trace.Socket{}, sockets...)
	return d
}

func policyInput(t testing.TB, d *trace.Document, kinds collapse.Kinds) *Input {
	return inputOf(t, d, profile.Options{Paths: collapse.Of(d, collapsed(kinds)), WideAddresses: kinds&collapse.Addresses != 0})
}

// policyOf is the policy of a trace, as it is read.
func policyOf(t testing.TB, d *trace.Document, kinds collapse.Kinds) (*lang.File, string) {
	t.Helper()
	text := written(t, &policyFormat, policyInput(t, d, kinds))
	f, err := lang.Parse("p", text, policyVariables)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	for _, finding := range lint.Check(f, policyVariables["HOME"]) {
		t.Errorf("%d: %s\n%s", finding.Line, finding.Text, text)
	}
	return f, string(text)
}

func used(name string, classes event.Class, ops ...string) *trace.File {
	f := &trace.File{Path: name, Classes: classes}
	for _, op := range ops {
		f.Ops.Add(op, 1)
	}
	return f
}

func TestPolicyGolden(t *testing.T) {
	files := []*trace.File{
		used("/usr/bin/prog", event.Exec|event.Read, "exec", "open"),
		used("/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", event.Exec, "exec"),
		used("/usr/lib/x86_64-linux-gnu/libz.so.1.2.13", event.Read|event.Exec, "open", "map_exec"),
		used("/etc/hosts", event.Read, "open"),
		used("/dev/null", event.Write, "open"),
		used("/home/me/project/.git/config", event.Read|event.Write|event.Create, "open"),
		used("/home/me/project/a b", event.Read, "open"),
		used("/home/me/.config/prog", event.List, "open"),
		used("/tmp/tmp.aB3dE9xYz0", event.Write|event.Create|event.Delete, "open", "unlink"),
		used("/run/prog.sock", event.Connect, "connect"),
		used("/var/stat-only", event.Stat, "stat"),
	}
	for i := range 30 {
		files = append(files, used(fmt.Sprintf("/home/me/project/src/d%d/f%d.go", i%5, i), event.Read, "open"))
		files = append(files, used(fmt.Sprintf("/home/me/project/out/d%d/f%d.o", i%5, i), event.Write|event.Create, "open"))
	}
	missing := used("/etc/prog.conf", event.Read, "open")
	missing.Errors.Add("ENOENT", 1)
	d := watched(append(files, missing),
		&trace.Socket{Op: "connect", Family: "inet", Type: "stream", Protocol: "tcp", Addr: "93.184.216.34", Port: new(uint16(443)), Count: 1},
		&trace.Socket{Op: "connect", Family: "inet6", Type: "dgram", Protocol: "udp", Addr: "::ffff:10.0.0.1", Port: new(uint16(53)), Count: 1},
		&trace.Socket{Op: "connect", Family: "inet", Type: "stream", Protocol: "tcp", Addr: "127.0.0.1", Port: new(uint16(40000)), Count: 1},
		&trace.Socket{Op: "listen", Family: "inet6", Type: "stream", Protocol: "tcp", Addr: "::", Port: new(uint16(8080)), Count: 1},
		&trace.Socket{Op: "connect", Family: "unix", Type: "stream", Path: "x*y", Abstract: true, Count: 1},
		&trace.Socket{Op: "connect", Family: "unix", Type: "stream", Path: "/run/prog.sock", Count: 1},
	)
	d.Target.Argv = hostile
	d.Execs = []*trace.Exec{{Path: "/usr/bin/prog"}}
	d.Syscalls = []*trace.Syscall{seen(t, event.X8664, "ptrace"), seen(t, event.X8664, "unshare", unix.CLONE_NEWUSER), seen(t, event.I386, "read")}
	_, text := policyOf(t, d, collapse.All)
	testenv.Golden(t, "policy.yaml", []byte(text))
}

// mayDo says what a policy says of one class of access to a path.
func mayDo(f *lang.File, class event.Class, path string) bool {
	return f.Policy.Decide(class, policy.Path{Name: path, Exe: "/bin/x"}).Verdict == event.VerdictAllow
}

// FuzzPolicyPath: whatever the names of a file, what was seen of it is allowed, nothing else
// of it is, and nothing of its neighbours.
func FuzzPolicyPath(f *testing.F) {
	for _, name := range []string{
		"a b", `"quoted"`, `back\slash`, "*", "?", "[a-z]", "{a,b}", "**", "${HOME}", "$HOME", "new\nline", "tab\t", "\x01\x1b[0m\x7f", "\xff\xfe",
		"#x", "x: y", "- x", "'", "a\u0085b", "\u2028", "\ufeff", "😀", "!x", "%h", "*/", "~", ".", "..", "...", "a/b//c", "&a", "{", "}", "]", "[!.]*", "\\*", "\u202e",
	} {
		f.Add("/srv/" + name)
		f.Add("/home/me/" + name + "/x")
		f.Add("/home/me/project/" + name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if !strings.HasPrefix(name, "/") || strings.Contains(name, "\x00") || strings.Count(name, "/") > 60 || len(name) > 4096 {
			return
		}
		clean := path.Clean(name)
		p, text := policyOf(t, watched([]*trace.File{used(name, event.Read|event.Write, "open")}), collapse.Home|collapse.CWD)
		if !mayDo(p, event.Read|event.Write, clean) {
			t.Errorf("%q is denied\n%s", clean, text)
		}
		if mayDo(p, event.Delete, clean) {
			t.Errorf("%q may be deleted\n%s", clean, text)
		}
		if !utf8.ValidString(clean) {
			return
		}
		for _, other := range []string{clean + "x", path.Dir(clean), clean + "/x", path.Join(path.Dir(clean), "other"), strings.ReplaceAll(clean, "*", "x"), strings.ReplaceAll(clean, "?", "x"), strings.ReplaceAll(clean, `\`, "")} {
			if other != clean && mayDo(p, event.Read, path.Clean(other)) {
				t.Errorf("%q is allowed by %q\n%s", other, clean, text)
			}
		}
	})
}

// TestPolicyOpensNothingSensitive: whatever was seen, what is sensitive is denied if it was
// not seen itself.
func TestPolicyOpensNothingSensitive(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	secrets := []string{
		"/home/me/.ssh/id_rsa", "/home/me/.ssh/keys/work", "/home/me/.aws/credentials", "/home/me/.netrc", "/home/me/.config/gh/hosts.yml",
		"/home/me/.mozilla/firefox/x/logins.json", "/home/other/.ssh/id_rsa", "/root/.ssh/id_rsa", "/etc/shadow", "/etc/ssh/ssh_host_key",
		"/home/me/project/.env", "/home/me/project/sub/d1/.env", "/proc/1/environ", "/dev/sda", "/run/docker.sock", "/run/user/1000/bus",
	}
	later := []string{
		"/home/me/project/.git/hooks/pre-commit", "/home/me/project/sub/.git/hooks/pre-commit", "/home/me/project/sub/.git/config", "/home/me/.bashrc",
		"/home/me/.config/autostart/x.desktop", "/home/me/project/.envrc", "/home/me/project/sub/.vscode/tasks.json", "/etc/cron.d/x", "/usr/bin/x",
		"/tmp/x/.git/hooks/pre-push",
	}
	dirs := []string{
		"/home/me", "/home/me/project", "/home/me/project/sub", "/home/me/.config", "/home/me/.ssh", "/etc", "/etc/ssh", "/home/other", "/root", "/tmp/x",
		"/home/me/.config/gh", "/home/me/project/.git", "/home/me/project/.git/hooks", "/usr/bin", "/run", "/run/user/1000", "/proc/1", "/dev", "/srv/a/b",
	}
	classes := []event.Class{event.Read, event.Read | event.Write | event.Create, event.Write | event.Create | event.Delete, event.List, event.Connect}
	widened, closed := 0, 0
	for range 400 {
		var files []*trace.File
		for range 1 + r.IntN(4) {
			dir, class := dirs[r.IntN(len(dirs))], classes[r.IntN(len(classes))]
			for i := range r.IntN(80) {
				name := fmt.Sprintf("%s/d%d/f%d.x", dir, i%5, i)
				switch r.IntN(6) {
				case 0:
					name = fmt.Sprintf("%s/f%d", dir, i)
				case 1:
					name = fmt.Sprintf("%s/lib%d.so.%d.%d", dir, i, i, i)
				case 2:
					name = fmt.Sprintf("%s/d41d8cd98f00b204e98009980%07d", dir, i)
				case 3:
					name = fmt.Sprintf("%s/tmp.aB3dE%05d/.git/hooks/x", dir, i)
				}
				f := used(name, class, "open")
				f.Folded = r.IntN(200) == 0
				files = append(files, f)
			}
		}
		for _, name := range append(slices.Clone(secrets), later...) {
			if r.IntN(20) == 0 {
				files = append(files, used(name, event.Read|event.Write, "open"))
			}
		}
		d := watched(files)
		in := policyInput(t, d, collapse.All)
		widened, closed = widened+len(in.Profile.Widened), closed+len(in.Profile.Closed)
		p, text := policyOf(t, d, collapse.All)
		was := func(name string, class event.Class) bool {
			return slices.ContainsFunc(files, func(f *trace.File) bool { return f.Path == name && f.Classes&class != 0 })
		}
		for i, name := range append(slices.Clone(secrets), later...) {
			tried := event.Write | event.Read
			if i >= len(secrets) {
				tried = event.Write
			}
			for _, class := range []event.Class{event.Read, event.Write, event.Create, event.Connect} {
				if class&(tried|event.Create) != 0 && (i < len(secrets) || class != event.Read) && mayDo(p, class, name) && !was(name, class) {
					t.Fatalf("%v of %s is allowed, and was not seen\n%s", class, name, text)
				}
			}
		}
		for _, f := range files {
			if !f.Folded && !mayDo(p, f.Classes, f.Path) {
				t.Fatalf("%v of %s was seen, and is denied\n%s", f.Classes, f.Path, text)
			}
		}
	}
	if widened < 1000 || closed < 200 {
		t.Errorf("%d patterns were widened, and %d things closed beside them: this says little", widened, closed)
	}
}

func TestPolicyDoors(t *testing.T) {
	failed := seen(t, event.X8664, "bpf")
	failed.Errors.Add("EPERM", 1)
	for name, tt := range map[string]struct {
		call *trace.Syscall
		want policy.Door
	}{
		"used":           {seen(t, event.X8664, "io_uring_setup"), policy.DoorIOUring},
		"failed":         {failed, 0},
		"harmless":       {seen(t, event.X8664, "read"), 0},
		"a namespace":    {seen(t, event.X8664, "clone", unix.CLONE_NEWNET|17), policy.DoorNamespaces},
		"a thread":       {seen(t, event.X8664, "clone", 0x3d0f00), 0},
		"of another ABI": {seen(t, event.I386, "read"), policy.DoorForeignABI},
		"packets":        {seen(t, event.X8664, "socket", unix.AF_PACKET, unix.AF_INET), policy.DoorRawSockets},
		"vsock":          {seen(t, event.X8664, "socket", unix.AF_VSOCK), policy.DoorSocketFamilies},
		"typing":         {seen(t, event.X8664, "ioctl", unix.TIOCSTI), policy.DoorTTYInjection},
	} {
		d := watched([]*trace.File{})
		d.Syscalls = []*trace.Syscall{tt.call}
		f, text := policyOf(t, d, collapse.All)
		if f.Policy.Open != tt.want {
			t.Errorf("%s: %v is open, want %v\n%s", name, f.Policy.Open, tt.want, text)
		}
		if notes := policyNotes(policyInput(t, d, collapse.All)); len(notes) != len(tt.want.Doors()) {
			t.Errorf("%s: notes are %q", name, notes)
		}
	}
}

func TestPolicyTooLarge(t *testing.T) {
	var files []*trace.File
	for i := range 30_000 {
		files = append(files, used(fmt.Sprintf("/srv/%040d/x", i), event.Read, "open"))
	}
	err := policyFormat.Write(&bytes.Buffer{}, policyInput(t, watched(files), collapse.None))
	if err == nil || !strings.Contains(err.Error(), "--collapse") {
		t.Errorf("error %v", err)
	}
	deep := used("/"+strings.Repeat("d/", 70)+"x", event.Read, "open")
	if err := policyFormat.Write(&bytes.Buffer{}, policyInput(t, watched([]*trace.File{deep}), collapse.None)); err == nil || !strings.Contains(err.Error(), "d/d/d") {
		t.Errorf("error %v", err)
	}
}
