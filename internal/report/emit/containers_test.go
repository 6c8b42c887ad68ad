package emit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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
	"github.com/turnstile-project/turnstile/internal/testenv"
	"github.com/turnstile-project/turnstile/internal/trace"
)

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

// TestDockerOnEachMachine asks moby what the profile is on the machine that the test runs
// on: that is whom moby/profiles asks.
func TestDockerOnEachMachine(t *testing.T) {
	d := document(
		seen(t, event.X8664, "read"), seen(t, event.X8664, "open"), seen(t, event.I386, "mmap2"),
		seen(t, event.ARM64, "read"), seen(t, event.ARM64, "openat"), seen(t, event.ARM64, "socket", 1), seen(t, event.X8664, "socket", 2),
	)
	out := written(t, &docker, inputOf(t, d, profile.Options{Args: true}))
	got, err := moby.LoadProfile(string(out), &specs.Spec{})
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	machine := map[event.ABI]struct {
		architectures []specs.Arch
		own           string
		family        uint64
	}{
		event.X8664: {[]specs.Arch{specs.ArchX86_64, specs.ArchX86}, "mmap2 open", 2},
		event.ARM64: {[]specs.Arch{specs.ArchAARCH64}, "openat", 1},
	}[native(t)]
	errno := uint(unix.EPERM)
	want := &specs.LinuxSeccomp{
		DefaultAction: specs.ActErrno, DefaultErrnoRet: &errno, Architectures: machine.architectures,
		Syscalls: []specs.LinuxSyscall{
			{Names: []string{"read"}, Action: specs.ActAllow},
			{Names: strings.Fields(machine.own), Action: specs.ActAllow},
			{Names: []string{"socket"}, Action: specs.ActAllow, Args: []specs.LinuxSeccompArg{{Op: specs.OpMaskedEqual, Value: 0xffffffff, ValueTwo: machine.family}}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +moby\n%s", diff)
	}
	for _, arch := range []string{`"amd64"`, `"arm64"`} {
		if !bytes.Contains(out, []byte(arch)) {
			t.Errorf("nothing is for %s:\n%s", arch, out)
		}
	}
}

// TestRuncTakesProfiles runs the probe in a container: under the profile for OCI, and under
// what Docker makes of the one for it.
func TestRuncTakesProfiles(t *testing.T) {
	testenv.Root(t)
	testenv.Program(t, "runc")
	program := probe(t)
	for _, f := range []*Format{&oci, &docker} {
		for _, tt := range []struct {
			calls []string
			want  string
		}{
			{nil, "runs\nerrno 130\n"},
			{[]string{"getppid"}, "runs\nerrno 000\n"},
		} {
			t.Run(fmt.Sprint(f.Name, tt.calls), func(t *testing.T) {
				got, err := inContainer(t, program, loaded(t, f, profileOf(t, append(tt.calls, usual...)...)))
				if got != tt.want || err != nil {
					t.Errorf("%q (%v), want %q", got, err, tt.want)
				}
			})
		}
	}
}

// usual are calls that nearly every program makes, and that runc relies on.
var usual = []string{"write", "exit_group", "read", "openat", "mmap", "munmap", "rt_sigprocmask", "sigaltstack", "madvise", "getpid"}

// loaded is what a runtime gets of a profile: for Docker, what that makes of it.
func loaded(t testing.TB, f *Format, d *trace.Document) *specs.LinuxSeccomp {
	t.Helper()
	o := errnoOptions("runc")
	o.NoNewPrivileges = true
	out := written(t, f, inputOf(t, d, o))
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
	return s
}

// inContainer is what a program writes in a container with a filter.
func inContainer(t testing.TB, program string, s *specs.LinuxSeccomp) (string, error) {
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
	// A container has the name of its directory, which is that of this test.
	id := strings.ReplaceAll(strings.TrimPrefix(bundle, os.TempDir()+"/"), "/", "-")
	cmd := exec.Command("runc", "--root", t.TempDir(), "run", "--bundle", bundle, id)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, stderr.Bytes())
	}
	return string(out), err
}
