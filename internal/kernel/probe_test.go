package kernel

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/testenv"
)

// needRoot skips what only root of the host can do.
func needRoot(t *testing.T) {
	t.Helper()
	testenv.Root(t)
	if !inInitialUserNamespace() {
		testenv.Lack(t, "it needs root of the initial user namespace")
	}
}

// need skips what cannot be tested without a feature. That a kernel which is new
// enough has it is for TestNewKernelsHaveOldFeatures to say.
func need(t *testing.T, id ID) {
	t.Helper()
	if r := Probe(id).Get(id); !r.Present() {
		testenv.Lack(t, r.Name+": "+r.Reason)
	}
}

// As root, a kernel that is new enough must have the feature, or be built
// without it, or forbid it: otherwise the probe lies.
func TestNewKernelsHaveOldFeatures(t *testing.T) {
	needRoot(t)
	running, err := Running()
	if err != nil {
		t.Fatal(err)
	}
	config := buildConfig(t)
	for _, r := range Probe() {
		if r.State != Present && r.Reason == "" {
			t.Errorf("%s is %v without a reason", r.ID, r.State)
		}
		if r.State == Missing && r.Cause == CauseNone || r.State != Missing && r.Cause != CauseNone {
			t.Errorf("%s is %v, with cause %q", r.ID, r.State, r.Cause)
		}
		since, err := ParseVersion(r.Since)
		if err != nil || r.Cause != CauseKernel || !running.AtLeast(since.Major, since.Minor) {
			continue
		}
		if built, known := config[r.Config]; known && !built || config != nil && !known {
			t.Logf("%s: this kernel is built without %s", r.ID, r.Config)
			continue
		}
		t.Errorf("%s is in Linux since %s, but %v says: %s", r.ID, r.Since, running, r.Reason)
	}
}

// And the other way round: what is newer than the kernel is not there. Only for
// kernels without backports, and without fanotify, whose news of many
// versions went into 5.10.220 and 5.15.154 together with those of nfsd.
func TestOldKernelsLackNewFeatures(t *testing.T) {
	running, err := Running()
	if err != nil {
		t.Fatal(err)
	}
	if release, _, _ := Release(); strings.Contains(release, ".el") {
		t.Skipf("SKIPPED: %s is an enterprise kernel, with features of later versions", release)
	}
	for _, r := range Probe() {
		since, err := ParseVersion(r.Since)
		if err == nil && r.Group != GroupFanotify && r.State == Present && !running.AtLeast(since.Major, since.Minor) {
			t.Errorf("%s is in Linux since %s, but %v claims to have it", r.ID, r.Since, running)
		}
	}
}

// buildConfig returns the options of the running kernel, nil if it does not
// tell.
func buildConfig(t *testing.T) map[string]bool {
	t.Helper()
	f, err := os.Open("/proc/config.gz")
	if err != nil {
		return nil
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	options := map[string]bool{}
	lines := bufio.NewScanner(z)
	for lines.Scan() {
		if name, value, ok := strings.Cut(lines.Text(), "="); ok {
			options[name] = value == "y" || value == "m"
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return options
}

// probeAs runs the test binary as a child that probes.
func probeAs(t *testing.T, first string, attr *syscall.SysProcAttr) Results {
	t.Helper()
	// The directory that go test builds in is closed to other users; the
	// link in /proc is not.
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), probeEnv+"="+first)
	cmd.Dir = "/"
	cmd.SysProcAttr = attr
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("running the probe: %v\n%s", err, stderr.Bytes())
	}
	var results Results
	if err := json.Unmarshal(stdout.Bytes(), &results); err != nil {
		t.Fatal(err)
	}
	return results
}

var nobody = &syscall.Credential{Uid: 65534, Gid: 65534}

// fileCapabilities are the ones that we ask people to grant.
func fileCapabilities() string {
	if v, err := Running(); err != nil || v.AtLeast(5, 11) {
		return "cap_bpf,cap_perfmon"
	}
	return "cap_bpf,cap_perfmon,cap_sys_resource"
}

// Without privilege nothing that root can use may be called absent from the
// kernel.
func TestUnprivilegedNeverBlamesTheKernel(t *testing.T) {
	needRoot(t)
	root := Probe()
	results := probeAs(t, "nothing", &syscall.SysProcAttr{Credential: nobody})
	if len(results) != len(root) {
		t.Fatalf("%d answers, %d as root", len(results), len(root))
	}
	for _, r := range results {
		if as := root.Get(r.ID); as.Present() && r.State == Missing && r.Cause != CausePrivilege {
			t.Errorf("%s works for root, but for others it is missing for the cause %q: %s", r.ID, r.Cause, r.Reason)
		}
	}
	if err := root.Verdict(Observe).Err(); err != nil {
		testenv.Lack(t, err.Error())
	}
	for _, id := range []ID{PrivilegeBPF, PrivilegePerfmon, RawTracepoint, RingBuf, Fentry, LSMPrograms} {
		if r := results.Get(id); root.Has(id) && (r.State != Missing || r.Cause != CausePrivilege) {
			t.Errorf("%s: %+v", id, r)
		}
	}
	if v := results.Verdict(Enforce); root.Verdict(Enforce).State == Present && v.State != Present {
		t.Errorf("enforce needs privilege: %v", v.Err())
	}
	missing, ok := errors.AsType[*MissingError](results.Verdict(Observe).Err())
	if !ok {
		t.Fatal("observe works without privilege")
	}
	if want := "observe needs CAP_BPF and CAP_PERFMON: "; !strings.HasPrefix(missing.Error(), want) {
		t.Errorf("line 1 is %q", missing.Error())
	}
	if want := "sudo setcap " + fileCapabilities() + "=ep /"; !strings.HasPrefix(missing.Fix(), want) {
		t.Errorf("line 2 is %q, want %q...", missing.Fix(), want)
	}
	if lines := missing.Error() + missing.Fix(); strings.Contains(lines, "\n") {
		t.Errorf("more than two lines: %q", lines)
	}
}

// With exactly what we ask people to grant, everything that observe requires
// works.
func TestGrantedCapabilitiesAreEnoughToObserve(t *testing.T) {
	needRoot(t)
	if err := Check(Observe); err != nil {
		testenv.Lack(t, err.Error())
	}
	ambient := []uintptr{uintptr(CapBPF), uintptr(CapPerfmon)}
	if strings.Contains(fileCapabilities(), "resource") {
		ambient = append(ambient, uintptr(CapSysResource))
	}
	results := probeAs(t, "nothing", &syscall.SysProcAttr{
		Credential:  nobody,
		AmbientCaps: ambient,
	})
	if err := results.Verdict(Observe).Err(); err != nil {
		t.Error(err)
	}
	if r := results.Get(Statistics); r.Present() {
		t.Errorf("statistics without CAP_SYS_ADMIN: %+v", r)
	}
}

func TestOneCapabilityIsNot(t *testing.T) {
	needRoot(t)
	results := probeAs(t, "nothing", &syscall.SysProcAttr{
		Credential:  nobody,
		AmbientCaps: []uintptr{uintptr(CapBPF)},
	})
	if !results.Has(Array) {
		t.Errorf("array maps need more than CAP_BPF: %+v", results.Get(Array))
	}
	if r := results.Get(RawTracepoint); r.Cause != CausePrivilege || !strings.HasPrefix(r.Reason, "needs CAP_PERFMON,") {
		t.Errorf("raw tracepoints: %+v", r)
	}
	// setcap replaces what a file has, so the command names both.
	if r := results.Get(PrivilegePerfmon); !strings.Contains(r.Fix, fileCapabilities()+"=ep") {
		t.Errorf("fix %q", r.Fix)
	}
}

// Root of another user namespace has every capability and may do nothing.
func TestRootOfAnotherUserNamespace(t *testing.T) {
	needRoot(t)
	need(t, UserNamespace)
	results := probeAs(t, "nothing", &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 1}},
	})
	for _, id := range []ID{PrivilegeBPF, PrivilegePerfmon, RawTracepoint, FanotifyPrivileged} {
		r := results.Get(id)
		if r.State != Missing || r.Cause != CausePrivilege || !strings.Contains(r.Reason, "user namespace") {
			t.Errorf("%s: %+v", id, r)
		}
		if strings.Contains(r.Fix, "setcap") {
			t.Errorf("%s: a file capability does not help, but the fix is %q", id, r.Fix)
		}
	}
}

// With securityfs and without, the answers about security modules agree.
func TestSecurityModulesFromEitherSource(t *testing.T) {
	needRoot(t)
	results := probeAs(t, "securityfs", &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNS})
	r := results.Get(Lockdown)
	if r.State == Unknown {
		t.Errorf("lockdown: %+v", r)
	}
	if here := Probe(Lockdown).Get(Lockdown); here.State != r.State {
		t.Errorf("lockdown is %q, but where securityfs is not mounted: %+v", r.Detail, here)
	}
}

func TestProbeKeepsTheOrderOfTheTable(t *testing.T) {
	var asked []ID
	for _, r := range Probe(Loop, KernelRelease, Landlock) {
		asked = append(asked, r.ID)
	}
	if want := []ID{KernelRelease, Loop, Landlock}; !slices.Equal(asked, want) {
		t.Errorf("asked %v, want %v", asked, want)
	}
}

func TestCheckExcept(t *testing.T) {
	needRoot(t)
	with, without := Check(Observe), Check(Observe, BTF)
	if (with == nil) != (without == nil) {
		t.Errorf("observe without the kernel's BTF: %v, with it: %v", without, with)
	}
}

func BenchmarkProbe(b *testing.B) {
	for b.Loop() {
		Probe()
	}
}

// What observe asks at its start.
func BenchmarkProbeHelpers(b *testing.B) {
	for b.Loop() {
		Probe(TaskBTF, Loop)
	}
}
