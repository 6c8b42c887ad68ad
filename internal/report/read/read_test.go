package read_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/policy/lang"
	"github.com/turnstile-project/turnstile/internal/report/read"
	"github.com/turnstile-project/turnstile/internal/syscalls"
	"github.com/turnstile-project/turnstile/internal/trace"
)

var amd64 = read.Context{
	ABI: event.X8664, Kernel: "6.1.0-13-amd64",
	Variables: lang.Variables{"CWD": "/w", "HOME": "/home/u", "TMPDIR": "/tmp", "EXE": "/bin/sh"},
}

// seen is a document with some calls, each made once: "read", "i386:read", and with the
// values of an argument "socket 0=1,16".
func seen(t testing.TB, calls ...string) *trace.Document {
	t.Helper()
	ok := true
	d := &trace.Document{
		Version: trace.Version, Results: true, Host: trace.Host{Arch: "x86_64", Kernel: "6.1.0"},
		Complete:  trace.Complete{Syscalls: true, Processes: true, Files: &ok, Sockets: &ok},
		Processes: []*trace.Process{{ID: 0, PID: 10, Comm: "sh", Exe: "/bin/sh"}, {ID: 1, PID: 11, Comm: "psql", Exe: "/usr/bin/psql"}},
		Files:     []*trace.File{}, Sockets: []*trace.Socket{},
	}
	for _, call := range calls {
		name, args, _ := strings.Cut(call, " ")
		abi := "x86_64"
		if before, after, ok := strings.Cut(name, ":"); ok {
			abi, name = before, after
		}
		of, _ := event.ParseABI(abi)
		nr, _ := syscalls.Number(of, name)
		s := &trace.Syscall{Name: name, ABI: abi, Nr: nr, Count: 1, ByProcess: map[int]uint64{0: 1}}
		for arg := range strings.FieldsSeq(args) {
			var a trace.Argument
			index, values, _ := strings.Cut(arg, "=")
			fmt.Sscan(index, &a.Index)
			for text := range strings.SplitSeq(values, ",") {
				if text == "more" {
					a.More = true
					continue
				}
				var v uint64
				fmt.Sscan(text, &v)
				a.Values = append(a.Values, v)
			}
			s.Args = append(s.Args, a)
		}
		d.Syscalls = append(d.Syscalls, s)
	}
	return d
}

// found are the findings of a check: what they are about, and why.
func found(t testing.TB, text, format string, c read.Context, d *trace.Document) []string {
	t.Helper()
	p, err := read.Read("profile", []byte(text), format, c)
	if err != nil {
		t.Fatal(err)
	}
	all := []string{}
	for _, f := range p.Check(d) {
		var what string
		switch {
		case f.Call != nil:
			what = f.Call.Name
			if f.Call.ABI != "x86_64" {
				what = f.Call.ABI + ":" + what
			}
			for _, v := range f.Values {
				what += fmt.Sprintf(" %d=%d", f.Index, v)
			}
		case f.File != nil:
			what = f.Classes.String() + " " + f.File.Path
		case f.Exec != nil:
			what = "exec " + f.Exec.Path
		default:
			what = f.Socket.Op + " " + f.Socket.Addr + f.Socket.Path
		}
		if f.Unknown {
			what = "? " + what
		} else if f.Why == "" || f.Add == "" && p.Format != "trace" {
			t.Errorf("%s: why %q, to add %q", what, f.Why, f.Add)
		}
		all = append(all, strings.TrimSpace(what+": "+f.What))
	}
	return all
}

type tries []struct {
	name, text string
	seen       []string
	want       []string
}

func (tt tries) run(t *testing.T, format string) {
	for _, try := range tt {
		t.Run(try.name, func(t *testing.T) {
			if diff := cmp.Diff(try.want, found(t, try.text, format, amd64, seen(t, try.seen...))); diff != "" {
				t.Error(diff)
			}
			if got := found(t, try.text, "", amd64, seen(t, try.seen...)); !slices.Equal(got, try.want) {
				t.Errorf("taken for another format: %q", got)
			}
		})
	}
}

func TestOCI(t *testing.T) {
	tries{
		{
			"names", `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["read","nosuch"],"action":"SCMP_ACT_ALLOW"},{"names":["write"],"action":"SCMP_ACT_LOG"}]}`,
			[]string{"read", "write", "mount"}, []string{"mount: fails with EPERM"},
		},
		{
			"errno of the default", `{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":38}`,
			[]string{"read"}, []string{"read: fails with ENOSYS"},
		},
		{
			"all but some", `{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mount"],"action":"SCMP_ACT_ERRNO","errnoRet":13},{"names":["ptrace"],"action":"SCMP_ACT_KILL_PROCESS"}]}`,
			[]string{"read", "mount", "ptrace"}, []string{"mount: fails with EACCES", "ptrace: kills the process"},
		},
		{
			"of two rules without conditions the first", `{"defaultAction":"SCMP_ACT_KILL","syscalls":[{"names":["read","write"],"action":"SCMP_ACT_ALLOW"},{"names":["read"],"action":"SCMP_ACT_ERRNO"},{"names":["mount"],"action":"SCMP_ACT_ERRNO"},{"names":["mount"],"action":"SCMP_ACT_ALLOW"}]}`,
			[]string{"read", "write", "mount"}, []string{"mount: fails with EPERM"},
		},
		{
			"a rule without conditions stands for those that have some", `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":1,"op":"SCMP_CMP_EQ"}]},{"names":["socket"],"action":"SCMP_ACT_ALLOW"}]}`,
			[]string{"socket 0=16"}, []string{},
		},
		{
			"what does as the default is left out", `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["socket"],"action":"SCMP_ACT_ERRNO"},{"names":["socket"],"action":"SCMP_ACT_ALLOW"}]}`,
			[]string{"socket"}, []string{},
		},
		{
			"values", `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":4294967295,"valueTwo":1,"op":"SCMP_CMP_MASKED_EQ"}]},{"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":40,"op":"SCMP_CMP_GT"}]}]}`,
			[]string{"socket 0=1,16,41"}, []string{"socket 0=16: fails with EPERM"},
		},
		{
			"conditions on one argument are rules of their own", `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":1,"op":"SCMP_CMP_EQ"},{"index":0,"value":2,"op":"SCMP_CMP_EQ"}]}]}`,
			[]string{"socket 0=1,2,3"}, []string{"socket 0=3: fails with EPERM"},
		},
		{
			"operators", `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[
				{"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":2,"op":"SCMP_CMP_LT"}]},{"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":9,"op":"SCMP_CMP_GE"}]},
				{"names":["prctl"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":2,"op":"SCMP_CMP_LE"}]},{"names":["personality"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":8,"op":"SCMP_CMP_NE"}]}]}`,
			[]string{"socket 0=1,2,8,9", "prctl 0=2,3", "personality 0=7,8"},
			[]string{"socket 0=2 0=8: fails with EPERM", "prctl 0=3: fails with EPERM", "personality 0=8: fails with EPERM"},
		},
		{
			"without the arguments it is not known", `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["socket","clone","ioctl","prctl"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":1,"op":"SCMP_CMP_EQ"}]},{"names":["mmap"],"action":"SCMP_ACT_ALLOW","args":[{"index":2,"value":1,"op":"SCMP_CMP_EQ"},{"index":3,"value":1,"op":"SCMP_CMP_EQ"}]}]}`,
			[]string{"socket", "clone 0=1,more", "ioctl 1=1", "prctl 0=1", "mmap 2=1,2 3=1,2"}, []string{"? socket:", "? clone:", "? ioctl:", "? mmap:"},
		},
		{
			"together they are never allowed", `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["mmap"],"action":"SCMP_ACT_ALLOW","args":[{"index":2,"value":1,"op":"SCMP_CMP_EQ"},{"index":3,"value":1,"op":"SCMP_CMP_EQ"}]}]}`,
			[]string{"mmap 2=2 3=1,2"}, []string{"mmap: fails with EPERM"},
		},
		{
			"the flags of clone3 are in memory", `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["clone3"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":1,"op":"SCMP_CMP_EQ"}]}]}`,
			[]string{"clone3 0=1"}, []string{"? clone3:"},
		},
		{
			"architectures", `{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86","SCMP_ARCH_S390"],"syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW"}]}`,
			[]string{"read", "i386:read", "i386:mount", "x32:read"}, []string{"i386:mount: fails with EPERM", "x32:read: kills the process"},
		},
		{
			"in a config.json", `{"ociVersion":"1.0.2","linux":{"seccomp":{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW"}]}}}`,
			[]string{"read", "mount"}, []string{"mount: fails with EPERM"},
		},
	}.run(t, "oci")
}

func TestDocker(t *testing.T) {
	const head = `{"defaultAction":"SCMP_ACT_ERRNO","archMap":[{"architecture":"SCMP_ARCH_AARCH64","subArchitectures":["SCMP_ARCH_ARM"]},{"architecture":"SCMP_ARCH_X86_64","subArchitectures":["SCMP_ARCH_X86","SCMP_ARCH_X32"]}],"syscalls":[`
	tries{
		{
			"archMap", head + `{"names":["read"],"action":"SCMP_ACT_ALLOW"}]}`,
			[]string{"read", "i386:read", "arm:read"}, []string{"arm:read: kills the process"},
		},
		{
			"arches", head + `{"names":["read"],"action":"SCMP_ACT_ALLOW","includes":{"arches":["amd64"]}},{"names":["write"],"action":"SCMP_ACT_ALLOW","includes":{"arches":["arm64"]}},{"names":["mount"],"action":"SCMP_ACT_ALLOW","excludes":{"arches":["amd64","s390"]}}]}`,
			[]string{"read", "write", "mount"}, []string{"write: fails with EPERM", "mount: fails with EPERM"},
		},
		{
			"capabilities", head + `{"names":["mount"],"action":"SCMP_ACT_ALLOW","includes":{"caps":["CAP_SYS_ADMIN"]}},{"names":["clone3"],"action":"SCMP_ACT_ERRNO","errnoRet":38,"excludes":{"caps":["CAP_SYS_ADMIN"]}},{"names":["setns"],"action":"SCMP_ACT_ALLOW","excludes":{"caps":["CAP_SYS_ADMIN"]}}]}`,
			[]string{"mount", "clone3", "setns"}, []string{"mount: fails with EPERM", "clone3: fails with ENOSYS"},
		},
		{
			"kernels", head + `{"names":["ptrace"],"action":"SCMP_ACT_ALLOW","includes":{"minKernel":"4.8"}},{"names":["bpf"],"action":"SCMP_ACT_ALLOW","includes":{"minKernel":"6.10"}},{"names":["kcmp"],"action":"SCMP_ACT_ALLOW","excludes":{"minKernel":"6.1"}}]}`,
			[]string{"ptrace", "bpf", "kcmp"}, []string{"bpf: fails with EPERM", "kcmp: fails with EPERM"},
		},
		{
			"name, and errnos of Podman", `{"defaultAction":"SCMP_ACT_ERRNO","defaultErrno":"ENOSYS","syscalls":[{"name":"read","action":"SCMP_ACT_ALLOW"},{"names":["bpf"],"action":"SCMP_ACT_ERRNO","errno":"EPERM"}]}`,
			[]string{"read", "bpf", "mount"}, []string{"bpf: fails with EPERM", "mount: fails with ENOSYS"},
		},
	}.run(t, "docker")
	p, err := read.Read("x", []byte(head+`{"names":["mount"],"action":"SCMP_ACT_ALLOW","includes":{"caps":["CAP_SYS_ADMIN"]}}]}`), "", amd64)
	if err != nil || len(p.Notes) != 1 || !strings.Contains(p.Check(seen(t, "mount"))[0].Add, "a container with CAP_SYS_ADMIN is allowed it already") {
		t.Errorf("%v, %+v", err, p)
	}
}

func TestSystemd(t *testing.T) {
	tries{
		{"allow list", "[Service]\nSystemCallFilter=read write\n", []string{"read", "write", "execve", "mount"}, []string{"mount: kills the process"}},
		{"errno", "[Service]\nSystemCallErrorNumber=EACCES\nSystemCallFilter=read\n", []string{"mount"}, []string{"mount: fails with EACCES"}},
		{"errno by number, reset", "[Service]\nSystemCallErrorNumber=1\nSystemCallErrorNumber=\nSystemCallFilter=read\n", []string{"mount"}, []string{"mount: kills the process"}},
		{"deny list", "[Service]\nSystemCallFilter=~@mount ptrace:EACCES bpf:kill\nSystemCallErrorNumber=EPERM\n", []string{"read", "mount", "ptrace", "bpf"}, []string{"mount: fails with EPERM", "ptrace: fails with EACCES", "bpf: kills the process"}},
		{"a deny list takes away", "[Service]\nSystemCallFilter=~mount ptrace\nSystemCallFilter=ptrace\n", []string{"mount", "ptrace"}, []string{"mount: kills the process"}},
		{"an allow list takes away, also what is implied", "[Service]\nSystemCallFilter=read write\nSystemCallFilter=~write execve\n", []string{"read", "write", "execve"}, []string{"write: kills the process", "execve: kills the process"}},
		{"later lines win", "[Service]\nSystemCallFilter=@system-service\nSystemCallFilter=~@network-io\nSystemCallFilter=socket\n", []string{"socket", "connect", "read"}, []string{"connect: kills the process"}},
		{"reset", "[Service]\nSystemCallFilter=read\nSystemCallFilter=\nSystemCallFilter=~mount\n", []string{"write", "mount"}, []string{"mount: kills the process"}},
		{"reset to nothing", "[Service]\nSystemCallFilter=read\nSystemCallFilter=\n", []string{"write"}, []string{}},
		{"continuation and comments", "[Service]\nSystemCallFilter=read \\\n# mount\n  ; ptrace\n  write\n", []string{"read", "write", "mount", "ptrace"}, []string{"mount: kills the process", "ptrace: kills the process"}},
		{"blanks", "[Service]\n  SystemCallFilter  =  ~  mount  \n", []string{"mount", "read"}, []string{"mount: kills the process"}},
		{"quotes are none", "[Service]\nSystemCallFilter=read \"mount\" 'ptrace'\n", []string{"mount", "ptrace"}, []string{"mount: kills the process", "ptrace: kills the process"}},
		{"errnos of an allow list are mistakes", "[Service]\nSystemCallFilter=read mount:EPERM\n", []string{"mount"}, []string{"mount: kills the process"}},
		{"names that are none", "[Service]\nSystemCallFilter=nosuch @nosuch read\n", []string{"read", "mount"}, []string{"mount: kills the process"}},
		{"other sections", "[Unit]\nSystemCallFilter=~read\n[Service]\nSystemCallFilter=~mount\n[Install]\nSystemCallFilter=~write\n", []string{"read", "write", "mount"}, []string{"mount: kills the process"}},
		{"architectures", "[Service]\nSystemCallArchitectures=native\nSystemCallFilter=read\n", []string{"read", "i386:read"}, []string{"i386:read: kills the process"}},
		{"architectures are joined", "[Service]\nSystemCallArchitectures=native\nSystemCallArchitectures=\"x86\"\nSystemCallFilter=read\n", []string{"i386:read", "i386:mount", "x32:read"}, []string{"i386:mount: kills the process", "x32:read: kills the process"}},
		{"all architectures", "[Service]\nSystemCallFilter=read\n", []string{"i386:read", "i386:mount"}, []string{"i386:mount: kills the process"}},
		{"families", "[Service]\nRestrictAddressFamilies=AF_UNIX AF_INET\nRestrictAddressFamilies=~AF_INET\n", []string{"socket 0=1,2,10"}, []string{"socket 0=2 0=10: fails with EAFNOSUPPORT"}},
		{"all but some families", "[Service]\nRestrictAddressFamilies=~AF_INET AF_NETLINK\n", []string{"socket 0=1,2,10,16"}, []string{"socket 0=2 0=16: fails with EAFNOSUPPORT"}},
		{"no family", "[Service]\nRestrictAddressFamilies=none\n", []string{"socket 0=1"}, []string{"socket 0=1: fails with EAFNOSUPPORT"}},
		{"families without arguments", "[Service]\nRestrictAddressFamilies=AF_UNIX\n", []string{"socket"}, []string{"? socket:"}},
	}.run(t, "systemd")
}

func TestPolicy(t *testing.T) {
	const text = `version: 1
rules:
  - allow: [read, exec]
    paths: ["/usr/**", "${CWD}/**", "${HOME}/.profile"]
  - deny: [read]
    paths: ["${CWD}/key*"]
    errno: ENOENT
  - allow: [connect]
    sockets: ["tcp:10.0.0.0/8:5432", "unix:@bus"]
    exe: [/usr/bin/psql]
  - ask: [write]
    paths: ["${TMPDIR}/**"]
open: [mount]
syscalls:
  deny: [ptrace]
`
	d := seen(t, "read", "ptrace", "mount", "bpf")
	file := func(path string, classes event.Class, processes ...int) {
		d.Files = append(d.Files, &trace.File{Path: path, Classes: classes, Processes: processes, Ops: trace.Counts{{Name: "open", N: 1}}})
	}
	file("/usr/bin/ls", event.Read|event.Exec|event.Stat, 0)
	file("/w/a", event.Read|event.Write|event.Create, 0)
	file("/w/key", event.Read, 0)
	file("/home/u/.profile", event.Read, 0)
	file("/tmp/x", event.Write, 0)
	file("/srv/odd \"name\" [1]*\n", event.Read, 0)
	file("unknown", event.Read, 0)
	d.Files = append(d.Files, &trace.File{Path: "/usr/share", Classes: event.Read, Folded: true})
	port := uint16(5432)
	for _, id := range []int{0, 1} {
		d.Sockets = append(d.Sockets, &trace.Socket{Op: "connect", Family: "inet", Type: "stream", Protocol: "tcp", Addr: "10.1.2.3", Port: &port, Count: 1, Processes: []int{id}})
	}
	d.Sockets = append(d.Sockets,
		&trace.Socket{Op: "send", Family: "inet6", Type: "dgram", Protocol: "udp", Addr: "::1", Port: &port, Processes: []int{1}},
		&trace.Socket{Op: "connect", Family: "unix", Type: "stream", Path: "bus", Abstract: true, Processes: []int{1}},
		&trace.Socket{Op: "connect", Family: "unix", Type: "stream", Path: "/run/x", Processes: []int{1}}, // among the files, if it is there
		&trace.Socket{Op: "accept", Family: "inet", Type: "stream", Protocol: "tcp", Addr: "1.2.3.4", Port: &port, Processes: []int{1}})
	want := []string{
		"ptrace: fails with EPERM", "bpf: fails",
		"write,create /w/a: fails with EACCES", "read /w/key: fails with ENOENT", "write /tmp/x: is asked about",
		"read /srv/odd \"name\" [1]*\n: fails with EACCES", "? read unknown:", "? read /usr/share:",
		"connect 10.1.2.3: fails with EACCES", "send ::1: fails with EACCES",
	}
	if diff := cmp.Diff(want, found(t, text, "", amd64, d)); diff != "" {
		t.Error(diff)
	}
	// Programs and names of sockets, if files were not watched.
	d = seen(t)
	zero := 0
	d.Files, d.Complete.Files = nil, nil
	d.Execs = []*trace.Exec{{Path: "/usr/bin/ls", Process: &zero, Count: 1}, {Path: "/opt/x.sh", Interpreter: "/bin/sh", Process: &zero, Count: 1}}
	d.Sockets = []*trace.Socket{{Op: "connect", Family: "unix", Path: "/run/x", Processes: []int{1}}}
	want = []string{"exec /opt/x.sh: fails with EACCES", "exec /opt/x.sh: fails with EACCES", "connect /run/x: fails with EACCES"}
	if diff := cmp.Diff(want, found(t, text, "", amd64, d)); diff != "" {
		t.Error(diff)
	}
}

// TestPolicyAdvice: what is told to be added allows what was not, for every odd name.
func TestPolicyAdvice(t *testing.T) {
	const text = "version: 1\nrules:\n  - allow: [read]\n    paths: [\"/usr/**\"]\n"
	for _, path := range []string{
		"/plain", "/two words", `/"quoted"`, `/back\slash`, "/new\nline", "/tab\t", "/glob*?[a]{b,c}", "/esc\x1b[2J", "/größe", "/\u2028", "/a: b #c", "/'", "/${HOME}",
	} {
		d := seen(t)
		d.Files = []*trace.File{{Path: path, Classes: event.Read | event.Write, Ops: trace.Counts{{Name: "open", N: 1}}}}
		p, err := read.Read("p.yaml", []byte(text), "", amd64)
		if err != nil {
			t.Fatal(err)
		}
		findings := p.Check(d)
		if len(findings) != 1 {
			t.Fatalf("%q: %d findings", path, len(findings))
		}
		line, ok := strings.CutPrefix(findings[0].Add, `add to "rules": `)
		if !ok {
			t.Errorf("%q: nothing to add but %q", path, findings[0].Add)
			continue
		}
		if left := found(t, text+"  "+line+"\n", "policy", amd64, d); len(left) != 0 {
			t.Errorf("%q: %q leaves %q", path, line, left)
		}
	}
}

func TestTrace(t *testing.T) {
	const before = `{"version":1,"tool":"t","results":true,"complete":{"syscalls":true,"processes":true,"files":true},"target":{},"host":{"arch":"x86_64"},
		"started":"2026-01-02T03:04:05Z","syscalls":[{"name":"read","nr":0,"abi":"x86_64","count":1}],"files":[{"path":"/a","how":"fd","classes":["read"],"ops":{},"processes":[]}],"execs":[],"processes":[]}`
	d := seen(t, "read", "write")
	d.Files = []*trace.File{{Path: "/a", Classes: event.Read | event.Write}, {Path: "/b"}}
	zero := 0
	d.Execs = []*trace.Exec{{Path: "/bin/ls", Process: &zero, Count: 1}}
	d.Sockets = []*trace.Socket{{Op: "connect"}} // which the other did not watch
	want := []string{"write:", "write /a:", " /b:", "exec /bin/ls:"}
	got := found(t, before, "", amd64, d)
	for i := range want {
		want[i] = strings.TrimSpace(want[i])
	}
	for i := range got {
		got[i] = strings.TrimSpace(got[i])
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRefused(t *testing.T) {
	for _, tt := range []struct{ format, text, want string }{
		{"", "", "it looks like no profile that can be read (trace, docker, oci, k8s, systemd, policy)"},
		{"", "{", "it looks like no profile"},
		{"", "{}", "it looks like no profile"},
		{"", "hello", "it looks like no profile"},
		{"oci", "{}", "it has no defaultAction"},
		{"oci", `{"defaultAction":"SCMP_ACT_ALLOW"} x`, "there is more behind the JSON object"},
		{"", `{"defaultAction":"ALLOW"}`, `action "ALLOW" is not known`},
		{"", `{"defaultAction":"SCMP_ACT_ALLOW","architectures":["amd64"]}`, `architecture "amd64" is not known`},
		{"", `{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"action":"SCMP_ACT_ALLOW"}]}`, "syscalls[0]: it has no names"},
		{"", `{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"],"action":"SCMP_ACT_ERRNO","args":[{"index":6,"op":"SCMP_CMP_EQ"}]}]}`, "index 6"},
		{"", `{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"],"action":"SCMP_ACT_ERRNO","args":[{"index":0,"op":"EQ"}]}]}`, `operator "EQ" is not known`},
		{"", `{"linux":{}}`, "its linux object has no seccomp"},
		{"", `{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"],"name":"write","action":"SCMP_ACT_ALLOW"}]}`, "both name and names"},
		{"", `{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86"],"archMap":[{"architecture":"SCMP_ARCH_X86_64"}]}`, "both architectures and archMap"},
		{"docker", `{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW","includes":{"minKernel":"new"}}]}`, `minKernel "new" is no version`},
		{"docker", `{"defaultAction":"SCMP_ACT_ERRNO","defaultErrno":"EWHAT"}`, `"EWHAT" is no errno`},
		{"", "[Service]\nExecStart=/bin/true\n", "no line of it is about system calls"},
		{"", "[Service]\nSystemCallLog=~read\n", "no line of it is about system calls"},
		{"", "version: 2\n", `profile:1:10: version "2" is not known`},
		{"trace", "{", "reading the trace"},
		{"", "kind: SeccompProfile\nspec: {defaultAction: ALLOW}\n", `action "ALLOW" is not known`},
		{"", "kind: SeccompProfile\nspec: {defaultAction: SCMP_ACT_ERRNO, baseProfileName: runc}\n", "it stands on another profile"},
		{"k8s", "kind: Pod\n", `its kind is "Pod"`},
	} {
		_, err := read.Read("profile", []byte(tt.text), tt.format, amd64)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q as %q: %v, want %q", tt.text, tt.format, err, tt.want)
		}
	}
}

// FuzzRead: whatever a file has, it is read or refused, and what it does not allow of a
// trace is told the same way each time.
func FuzzRead(f *testing.F) {
	for i, text := range []string{
		`{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86"],"syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":1,"valueTwo":2,"op":"SCMP_CMP_MASKED_EQ"}]}]}`,
		`{"defaultAction":"SCMP_ACT_ERRNO","archMap":[{"architecture":"SCMP_ARCH_X86_64","subArchitectures":["SCMP_ARCH_X86"]}],"syscalls":[{"name":"read","action":"SCMP_ACT_ALLOW","errno":"EPERM","includes":{"caps":["x"],"arches":["amd64"],"minKernel":"4.8"}}]}`,
		"kind: SeccompProfile\nspec:\n  defaultAction: SCMP_ACT_ERRNO\n  syscalls: [{action: SCMP_ACT_ALLOW, names: [read]}]\n",
		"[Service]\nSystemCallFilter=~@mount \\\n#\n read:EPERM\nSystemCallArchitectures=native x32\nRestrictAddressFamilies=~AF_UNIX\nSystemCallErrorNumber=3\n",
		"version: 1\nrules:\n  - {allow: [read], paths: [\"/a*\"], except: [/ab]}\nopen: [mount]\nsyscalls: {deny: [\"@mount\"]}\n",
		`{"version":1,"tool":"t","complete":{"syscalls":true,"processes":true},"syscalls":[{"name":"read","nr":0,"abi":"x86_64","count":1,"args":[{"index":0,"values":[1]}]}],"processes":[{"id":0}]}`,
	} {
		for n := range len(read.Names()) + 1 {
			if n == 0 || i == n {
				f.Add([]byte(text), uint8(n))
			}
		}
	}
	formats := append([]string{""}, read.Names()...)
	f.Fuzz(func(t *testing.T, text []byte, n uint8) {
		format := formats[int(n)%len(formats)]
		var first string
		for range 2 {
			p, err := read.Read("profile", text, format, amd64)
			if err != nil {
				return
			}
			d := seen(t, "read 0=1,2", "i386:read", "socket 0=1,2 1=1", "mount", "clone 0=1,more")
			d.Files = []*trace.File{{Path: "/a", Classes: event.Read}, {Path: "/ab\xff", Classes: event.Write | event.Connect}}
			d.Sockets = []*trace.Socket{{Op: "connect", Family: "inet", Addr: "1.2.3.4", Type: "stream", Protocol: "tcp"}}
			told := fmt.Sprint(p.Format, p.Notes, p.Lacks(d))
			for _, found := range p.Check(d) {
				if found.Why == "" {
					t.Errorf("a finding without a reason: %+v", found)
				}
				told += fmt.Sprint(found.Unknown, found.What, found.Why, found.Add, found.Classes, found.Values)
			}
			if first == "" {
				first = told
			}
			if told != first {
				t.Errorf("told %q and %q", first, told)
			}
		}
	})
}

// A call without a name fails as on a kernel that does not have it, if it fails with ENOSYS.
// No rule of names can be added for it.
func TestCallWithoutName(t *testing.T) {
	const profile = `{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":%d,"architectures":["SCMP_ARCH_X86_64"],"syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW"}]}`
	d := seen(t, "read", "write")
	for _, nr := range []int32{-1, 999} {
		d.Syscalls = append(d.Syscalls, &trace.Syscall{Name: syscalls.Name(event.X8664, nr), ABI: "x86_64", Nr: nr, Count: 1})
	}
	for errno, want := range map[unix.Errno][]string{
		unix.ENOSYS: {"write"},
		unix.EPERM:  {"write", "syscall_-1", "syscall_999"},
	} {
		p, err := read.Read("profile", fmt.Appendf(nil, profile, errno), "oci", amd64)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range p.Check(d) {
			got = append(got, f.Call.Name)
			if named := f.Call.Nr == 1; named != (f.Add != "") {
				t.Errorf("%s: to add is %q", f.Call.Name, f.Add)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%v: found %q, want %q", errno, got, want)
		}
	}
}
