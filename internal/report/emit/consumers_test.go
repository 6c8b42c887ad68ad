package emit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	moby "github.com/moby/profiles/seccomp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"
	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/profile"
	"github.com/turnstile-project/turnstile/internal/profile/baseline"
	"github.com/turnstile-project/turnstile/internal/seccomp"
	"github.com/turnstile-project/turnstile/internal/syscalls"
	sets "github.com/turnstile-project/turnstile/internal/systemd"
	"github.com/turnstile-project/turnstile/internal/testenv"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// native is the ABI of this machine.
func native(t testing.TB) event.ABI {
	abi, ok := map[string]event.ABI{"amd64": event.X8664, "arm64": event.ARM64}[runtime.GOARCH]
	if !ok {
		testenv.Lack(t, "there are no probes for "+runtime.GOARCH)
	}
	return abi
}

// refused is the errno of the profiles here: one that the kernel gives for none of the
// calls.
const refused = unix.EOWNERDEAD

func profileOf(t testing.TB, calls ...string) *trace.Document {
	abi := native(t)
	d := document()
	d.Host.Arch = abi.String()
	for _, name := range calls {
		d.Syscalls = append(d.Syscalls, seen(t, abi, name))
	}
	return d
}

func errnoOptions(runtime string) profile.Options {
	return profile.Options{
		Default:   profile.Action{Kind: profile.Errno, Errno: refused},
		Baselines: baseline.For(runtime),
	}
}

// probe is testdata/probe.c, compiled.
func probe(t testing.TB, flags ...string) string {
	t.Helper()
	testenv.Program(t, "gcc")
	file := filepath.Join(t.TempDir(), "probe")
	args := append([]string{"-O1", "-static", "-nostdlib", "-ffreestanding", "-fno-stack-protector", "-fno-pie", "-no-pie", "-o", file, "testdata/probe.c"}, flags...)
	run(t, "", exec.Command("gcc", args...))
	return file
}

// run runs a command that has to succeed, in a directory, and is what it wrote to stdout.
func run(t testing.TB, dir string, cmd *exec.Cmd) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%q: %v\n%s%s", cmd.Args, err, stdout.Bytes(), stderr.Bytes())
	}
	return stdout.String()
}

func writeFile(t testing.TB, name string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

// underBwrap runs a program with a filter in force.
func underBwrap(t testing.TB, filter []byte, argv ...string) (string, error) {
	t.Helper()
	testenv.Program(t, "bwrap")
	name := filepath.Join(t.TempDir(), "filter")
	writeFile(t, name, filter)
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cmd := exec.Command("bwrap", append([]string{"--unshare-pid", "--dev-bind", "/", "/", "--seccomp", "3"}, argv...)...)
	cmd.ExtraFiles = []*os.File{f}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, stderr.Bytes())
	}
	return string(out), err
}

func TestFilterUnderBwrap(t *testing.T) {
	program := probe(t)
	for _, tt := range []struct {
		name   string
		action profile.Action
		calls  []string
		want   string
		status int
	}{
		{"refused", profile.Action{Kind: profile.Errno, Errno: refused}, nil, "runs\nerrno 130\n", 0},
		{"ENOSYS", profile.Action{Kind: profile.Errno, Errno: unix.ENOSYS}, nil, "runs\nerrno 038\n", 0},
		{"allowed", profile.Action{Kind: profile.Errno, Errno: refused}, []string{"getppid"}, "runs\nerrno 000\n", 0},
		{"killed", profile.Action{Kind: profile.Kill}, nil, "runs\n", 128 + int(unix.SIGSYS)},
		{"trapped", profile.Action{Kind: profile.Trap}, nil, "runs\n", 128 + int(unix.SIGSYS)},
		{"logged", profile.Action{Kind: profile.Log}, nil, "runs\nerrno 000\n", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := profileOf(t, append([]string{"write", "exit_group"}, tt.calls...)...)
			o := errnoOptions("bwrap")
			o.Default = tt.action
			out, err := underBwrap(t, written(t, &cbpf, inputOf(t, d, o)), program)
			status := 0
			if exit, ok := errors.AsType[*exec.ExitError](err); ok {
				status = exit.ExitCode()
			}
			if out != tt.want || status != tt.status {
				t.Errorf("%q with status %d, want %q with %d (%v)", out, status, tt.want, tt.status, err)
			}
		})
	}
	t.Run("a profile without write", func(t *testing.T) { // the control: the filter bites
		// Nor may bwrap write then.
		if out, err := underBwrap(t, written(t, &cbpf, inputOf(t, profileOf(t, "exit_group", "execve", "wait4"), profile.Options{})), program); out != "" {
			t.Errorf("%q (%v), and nothing may be written", out, err)
		}
	})
	t.Run("a profile without the baseline", func(t *testing.T) {
		if out, err := underBwrap(t, written(t, &cbpf, inputOf(t, profileOf(t, "write", "exit_group"), profile.Options{})), program); err == nil {
			t.Errorf("it ran without execve: %q", out)
		}
	})
}

func TestFilterOfForeignABI(t *testing.T) {
	if native(t) != event.X8664 {
		t.Skip("x86 only: no other machine here has a second ABI")
	}
	program := probe(t, "-m32")
	with := profileOf(t, "write", "exit_group")
	with.Syscalls = append(with.Syscalls, seen(t, event.I386, "write"), seen(t, event.I386, "exit_group"))
	out, err := underBwrap(t, written(t, &cbpf, inputOf(t, with, errnoOptions("bwrap"))), program)
	if want := "runs\nerrno 130\n"; out != want || err != nil {
		t.Errorf("%q (%v), want %q", out, err, want)
	}
	// Without it, calls of i386 are refused like all others. Number 4, write, is stat of
	// x86-64, and number 252 is ioprio_get.
	without := profileOf(t, "write", "exit_group", "stat", "ioprio_get")
	o := errnoOptions("bwrap")
	o.Default = profile.Action{Kind: profile.Kill}
	if out, err := underBwrap(t, written(t, &cbpf, inputOf(t, without, o)), program); out != "" || err == nil {
		t.Errorf("a program of i386 ran under a profile of x86-64: %q", out)
	}
}

// headerProgram is testdata/header.c with the header of a profile.
func headerProgram(t testing.TB, in *Input) string {
	t.Helper()
	testenv.Program(t, "gcc")
	dir := t.TempDir()
	source, err := os.ReadFile("testdata/header.c")
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "profile.h"), written(t, &seccompH, in))
	writeFile(t, filepath.Join(dir, "header.c"), source)
	for _, std := range []string{"c99", "c11", "gnu17"} {
		run(t, dir, exec.Command("gcc", "-std="+std, "-O1", "-Wall", "-Wextra", "-Werror", "-pedantic", "header.c", "-o", "header", "-lseccomp"))
	}
	return filepath.Join(dir, "header")
}

func TestHeader(t *testing.T) {
	abi := native(t)
	d := profileOf(t, "write", "exit_group", "mseal")
	d.Target.Argv = hostile
	d.Syscalls = append(d.Syscalls, seen(t, abi, "socket", 1), &trace.Syscall{Name: "x", Nr: 999, ABI: abi.String(), Count: 1})
	o := errnoOptions("none")
	o.Args = true
	out := run(t, "", exec.Command(headerProgram(t, inputOf(t, d, o))))
	for _, want := range []string{"unix 0", "inet 130", "getppid 130", fmt.Sprintf("999 %d", unix.ENOSYS)} {
		if !strings.Contains(out, want) {
			t.Errorf("%q, want %q", out, want)
		}
	}
	if strings.Contains(out, "mseal 130") {
		t.Errorf("%q: mseal, which this libseccomp may not know, is refused", out)
	}
}

func TestHeaderOfAnotherMachine(t *testing.T) {
	d := document(seen(t, event.ARM, "read"))
	d.Host.Arch = "arm"
	cmd := exec.Command(headerProgram(t, inputOf(t, d, profile.Options{})))
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "not supported") {
		t.Errorf("the filter of another machine was loaded: %q (%v)", out, err)
	}
}

// TestHeaderIsExact has libseccomp write what it made of a header, and asks that filter
// about every call: every second one of every ABI is in the profile.
func TestHeaderIsExact(t *testing.T) {
	if native(t) != event.X8664 {
		t.Skip("x86 only: the order of the ABIs is")
	}
	d := document()
	for _, abi := range event.ABIs() {
		for i, nr := range syscalls.All(abi) {
			if i%2 == 0 && !newerThanLibseccomp(t, abi, nr) {
				d.Syscalls = append(d.Syscalls, &trace.Syscall{Nr: nr, ABI: abi.String(), Count: 1})
			}
		}
	}
	in := inputOf(t, d, profile.Options{})
	got := allowedBy(t, rawProgram(t, []byte(run(t, "", exec.Command(headerProgram(t, in), "export")))))
	if diff := cmp.Diff(wantNumbers(in.Profile), got); diff != "" {
		t.Errorf("-profile +filter\n%s", diff)
	}
}

// TestLibseccompAllowsMultiplexers shows what the note about it is for, and that the filter
// that is ours does not.
func TestLibseccompAllowsMultiplexers(t *testing.T) {
	if native(t) != event.X8664 {
		t.Skip("x86 only: no other machine has calls of i386")
	}
	in := inputOf(t, document(seen(t, event.X8664, "read"), seen(t, event.I386, "socket", unix.AF_UNIX)), profile.Options{Args: true})
	want := "libseccomp allows i386 the same also through socketcall, with all arguments: socket"
	if notes := seccompH.AllNotes(in); !slices.Contains(notes, want) {
		t.Errorf("notes %q, want %q", notes, want)
	}
	const socketcall, sysSocket = 102, 1
	for name, tt := range map[string]struct {
		filter []byte
		want   seccomp.Action
	}{
		"libseccomp": {[]byte(run(t, "", exec.Command(headerProgram(t, in), "export"))), seccomp.Allow},
		"cbpf":       {written(t, &cbpf, in), seccomp.Errno(unix.EPERM)},
	} {
		s, err := seccomp.NewSimulator(rawProgram(t, tt.filter))
		if err != nil {
			t.Fatal(err)
		}
		d := seccomp.Data{Nr: socketcall, Arch: unix.AUDIT_ARCH_I386, Args: [6]uint64{sysSocket}}
		if got, err := s.Action(d); got != tt.want || err != nil {
			t.Errorf("%s: %v (%v), want %v", name, got, err, tt.want)
		}
	}
}

// newerThanLibseccomp says whether the libseccomp that is installed has no name for a
// call of another ABI than x86-64. It has a name for one that it knows in none.
func newerThanLibseccomp(t testing.TB, abi event.ABI, nr int32) bool {
	if abi == event.X8664 {
		return false
	}
	testenv.Program(t, "scmp_sys_resolver")
	arch := map[event.ABI]string{event.I386: "x86", event.X32: "x32", event.ARM64: "aarch64", event.ARM: "arm"}[abi]
	out, err := exec.Command("scmp_sys_resolver", "-a", arch, syscalls.Name(abi, nr)).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.HasPrefix(string(out), "-")
}

func TestGoSource(t *testing.T) {
	native(t)
	d := profileOf(t, "write", "exit_group")
	d.Target.Argv = hostile
	in := inputOf(t, d, errnoOptions("go"))
	dir := t.TempDir()
	main, err := os.ReadFile("testdata/main.go.txt")
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "go.mod"), []byte("module probe\n\ngo 1.25\n"))
	writeFile(t, filepath.Join(dir, "main.go"), main)
	source := filepath.Join(dir, "seccompfilter", "filter.go")
	writeFile(t, source, written(t, &goSource, in))
	if out := run(t, dir, exec.Command("gofmt", "-l", ".")); out != "" {
		t.Errorf("gofmt would change %s", out)
	}
	run(t, dir, exec.Command("go", "vet", "./..."))
	run(t, dir, exec.Command("go", "build", "-o", "probe", "."))
	if got, want := run(t, dir, exec.Command(filepath.Join(dir, "probe"))), strings.Repeat("130\n", 8); got != want {
		t.Errorf("%q, want %q: every thread is held", got, want)
	}
	// The control: with the call in the profile the same program makes it.
	in = inputOf(t, profileOf(t, "write", "exit_group", "getppid"), errnoOptions("go"))
	writeFile(t, source, written(t, &goSource, in))
	if got, want := run(t, dir, exec.Command("go", "run", ".")), strings.Repeat("0\n", 8); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	in = inputOf(t, everything(event.X8664, event.I386, event.ARM64, event.ARM), errnoOptions("none"))
	writeFile(t, source, written(t, &goSource, in))
	for _, arch := range []string{"386", "arm64"} {
		cmd := exec.Command("go", "vet", "./seccompfilter")
		cmd.Env = append(os.Environ(), "GOARCH="+arch, "CGO_ENABLED=0")
		run(t, dir, cmd)
	}
}

// verify has systemd look at a service with a drop-in: what it wrote to stderr.
func verify(t testing.TB, dropIn []byte) string {
	t.Helper()
	testenv.Program(t, "systemd-analyze")
	dir := t.TempDir()
	unit := filepath.Join(dir, "turnstile-test.service")
	writeFile(t, unit, []byte("[Unit]\nDescription=test\n\n[Service]\nExecStart=/bin/true\n"))
	writeFile(t, unit+".d/seccomp.conf", dropIn)
	cmd := exec.Command("systemd-analyze", "--man=no", "verify", unit)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	cmd.Stdout = &stderr
	if err := cmd.Run(); err != nil {
		t.Logf("systemd-analyze verify: %v", err)
	}
	return stderr.String()
}

func TestSystemdVerifies(t *testing.T) {
	known := sets.Set("@known")
	all := everything(event.X8664, event.I386)
	all.Syscalls = slices.DeleteFunc(all.Syscalls, func(c *trace.Syscall) bool { return !slices.Contains(known, c.Name) })
	all.Target.Argv = hostile
	for _, kind := range []profile.ActionKind{profile.Errno, profile.Kill, profile.Log} {
		for name, d := range map[string]*trace.Document{"all": all, "mixed": mixed(t)} {
			t.Run(kind.String()+" "+name, func(t *testing.T) {
				o := profile.Options{Args: true, Default: profile.Action{Kind: kind}}
				if kind == profile.Errno {
					o.Default.Errno = refused
				}
				in := inputOf(t, d, o)
				in.Groups = sets.Groups()
				out := written(t, &systemd, in)
				if said := verify(t, out); said != "" {
					t.Errorf("systemd-analyze verify: %s\n%s", said, out)
				}
			})
		}
	}
	t.Run("control", func(t *testing.T) {
		for _, line := range []string{"SystemCallFilter=nosuchcall", "SystemCallErrorNumber=ENOSUCH", "RestrictAddressFamilies=AF_NOSUCH", "SystemCallArchitectures=nosuch"} {
			if verify(t, []byte("[Service]\n"+line+"\n")) == "" {
				t.Errorf("systemd-analyze verify says nothing about %q", line)
			}
		}
	})
}

func TestFamiliesOfSystemd(t *testing.T) {
	names := []string{}
	for _, name := range familyNames {
		names = append(names, name)
	}
	slices.Sort(names)
	if said := verify(t, []byte("[Service]\nRestrictAddressFamilies="+strings.Join(names, " ")+"\n")); said != "" {
		t.Errorf("systemd-analyze verify: %s", said)
	}
}

func TestSeccompProfileSchema(t *testing.T) {
	compiler := jsonschema.NewCompiler()
	schema, err := compiler.Compile("testdata/seccompprofile.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	check := func(out []byte) error {
		var v any
		if err := yaml.Unmarshal(out, &v); err != nil {
			return err
		}
		return schema.Validate(v)
	}
	for _, d := range []*trace.Document{mixed(t), everything(event.ABIs()...)} {
		out := written(t, &k8s, inputOf(t, d, profile.Options{Args: true, Baselines: baseline.For("runc")}))
		if err := check(out); err != nil {
			t.Error(err)
		}
	}
	good := written(t, &k8s, inputOf(t, mixed(t), profile.Options{Args: true}))
	for old, bad := range map[string]string{
		"SCMP_ACT_ERRNO": "SCMP_ACT_NOSUCH", "SCMP_ARCH_X86_64": "SCMP_ARCH_X64", "value: 4294967295": "value: -1",
		"defaultAction:": "defaultErrnoRet: 1\n  defaultAction:", "name: my-prog": "name: My_Prog", "index: 0": "index: zero",
	} {
		if err := check(bytes.Replace(good, []byte(old), []byte(bad), 1)); err == nil {
			t.Errorf("the schema takes %q", bad)
		}
	}
}

func TestDockerOnEachMachine(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("x86 only: moby/profiles looks at the machine that it runs on")
	}
	d := document(
		seen(t, event.X8664, "read"), seen(t, event.X8664, "open"), seen(t, event.I386, "mmap2"),
		seen(t, event.ARM64, "read"), seen(t, event.ARM64, "openat"), seen(t, event.ARM64, "socket", 1), seen(t, event.X8664, "socket", 2),
	)
	out := written(t, &docker, inputOf(t, d, profile.Options{Args: true}))
	got, err := moby.LoadProfile(string(out), &specs.Spec{})
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	errno := uint(unix.EPERM)
	want := &specs.LinuxSeccomp{
		DefaultAction: specs.ActErrno, DefaultErrnoRet: &errno, Architectures: []specs.Arch{specs.ArchX86_64, specs.ArchX86},
		Syscalls: []specs.LinuxSyscall{
			{Names: []string{"read"}, Action: specs.ActAllow},
			{Names: []string{"mmap2", "open"}, Action: specs.ActAllow},
			{Names: []string{"socket"}, Action: specs.ActAllow, Args: []specs.LinuxSeccompArg{{Op: specs.OpMaskedEqual, Value: 0xffffffff, ValueTwo: 2}}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +moby\n%s", diff)
	}
	if !bytes.Contains(out, []byte(`"arm64"`)) {
		t.Errorf("nothing is for arm64:\n%s", out)
	}
}

// TestRuncTakesProfiles runs the probe in a container: under the profile for OCI, and under
// what Docker makes of the one for it.
func TestRuncTakesProfiles(t *testing.T) {
	testenv.Root(t)
	testenv.Program(t, "runc")
	program := probe(t)
	// What nearly every program makes, and runc relies on.
	usual := []string{"write", "exit_group", "read", "openat", "mmap", "munmap", "rt_sigprocmask", "sigaltstack", "madvise", "getpid"}
	for _, f := range []*Format{&oci, &docker} {
		for _, tt := range []struct {
			calls []string
			want  string
		}{
			{nil, "runs\nerrno 130\n"},
			{[]string{"getppid"}, "runs\nerrno 000\n"},
		} {
			t.Run(fmt.Sprint(f.Name, tt.calls), func(t *testing.T) {
				o := errnoOptions("runc")
				o.NoNewPrivileges = true
				out := written(t, f, inputOf(t, profileOf(t, append(tt.calls, usual...)...), o))
				var s *specs.LinuxSeccomp
				var err error
				if f == &docker {
					s, err = moby.LoadProfile(string(out), &specs.Spec{})
				} else {
					err = json.Unmarshal(out, &s)
				}
				if err != nil {
					t.Fatal(err)
				}
				if got := inContainer(t, program, s); got != tt.want {
					t.Errorf("%q, want %q", got, tt.want)
				}
			})
		}
	}
}

func inContainer(t testing.TB, program string, s *specs.LinuxSeccomp) string {
	t.Helper()
	bundle := t.TempDir()
	content, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(bundle, "rootfs", "probe"), content)
	if err := os.Chmod(filepath.Join(bundle, "rootfs", "probe"), 0o755); err != nil {
		t.Fatal(err)
	}
	config, err := json.Marshal(&specs.Spec{
		Version: "1.0.2",
		Root:    &specs.Root{Path: "rootfs", Readonly: true},
		Process: &specs.Process{Args: []string{"/probe"}, Cwd: "/", NoNewPrivileges: true},
		Mounts:  []specs.Mount{{Destination: "/proc", Type: "proc", Source: "proc"}},
		Linux: &specs.Linux{Seccomp: s, Namespaces: []specs.LinuxNamespace{
			{Type: specs.PIDNamespace}, {Type: specs.MountNamespace}, {Type: specs.IPCNamespace},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(bundle, "config.json"), config)
	root := t.TempDir()
	return run(t, "", exec.Command("runc", "--root", root, "run", "--bundle", bundle, filepath.Base(filepath.Dir(bundle))+fmt.Sprint(os.Getpid())))
}
