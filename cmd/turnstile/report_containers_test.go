package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/profile"
	"github.com/turnstile-project/turnstile/internal/profile/baseline"
	"github.com/turnstile-project/turnstile/internal/syscalls"
	"github.com/turnstile-project/turnstile/internal/testenv"
	"github.com/turnstile-project/turnstile/internal/testenv/container"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// contained is a workload of testdata/containers: it is watched, and then runs again in
// containers that are held to its own profile.
type contained struct {
	script   string
	programs []string
	user     string // root if empty
	says     string
	lacks    string // a call without which it cannot do its work
}

var containedWorkloads = []contained{
	{script: "nginx", programs: []string{"nginx", "curl"}, says: "served\n", lacks: "bind"},
	{script: "redis", programs: []string{"redis-server", "redis-cli", "redis-benchmark"}, says: "OK\nvalue\n", lacks: "bind"},
	{script: "postgres", programs: nil, user: "postgres", says: "SELECT 1000\n500500\n", lacks: "bind"},
	{script: "python", programs: []string{"python3", "curl"}, says: "served\n", lacks: "bind"},
	{script: "curl", programs: []string{"curl"}, says: "fetched\n", lacks: "connect"},
	{script: "git", programs: []string{"git"}, says: "content\none\n", lacks: "mkdir"},
	{script: "go", programs: []string{"go"}, says: "built\n", lacks: "clone"},
}

// confinement is one way in which a container is held to a profile.
type confinement struct {
	runtime         string
	noNewPrivileges bool
	errno           string
}

// Both errnos are tried with both runtimes.
var confinements = []confinement{
	{"runc", false, "EPERM"}, {"runc", true, "ENOSYS"}, {"crun", false, "ENOSYS"}, {"crun", true, "EPERM"},
}

func (c confinement) String() string {
	return fmt.Sprintf("%s no_new_privs=%v %s", c.runtime, c.noNewPrivileges, c.errno)
}

// What was seen of a program is enough for it to run again, in real containers, and no
// more than that is allowed.
func TestReportInContainers(t *testing.T) {
	needObserve(t)
	testenv.Program(t, "runc", "crun", "gcc", "unshare")
	probe := buildProbe(t)
	staysAsItIs(t, "/dev/ptmx") // which runtimes make anew
	for _, w := range containedWorkloads {
		t.Run(w.script, func(t *testing.T) {
			t.Parallel()
			testenv.Program(t, w.programs...)
			w.demandContained(t, probe)
		})
	}
}

// staysAsItIs demands that a file of the machine is the same at the end of the test.
func staysAsItIs(t *testing.T, name string) {
	t.Helper()
	before, err := os.Lstat(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if after, err := os.Lstat(name); err != nil || !os.SameFile(before, after) {
			t.Errorf("%s of the machine was replaced: %v", name, err)
		}
	})
}

func (w contained) demandContained(t *testing.T, probe string) {
	d, file := w.watch(t, probe)
	for _, c := range confinements {
		t.Run(c.String(), func(t *testing.T) {
			s := c.report(t, file)
			demandTight(t, s, d, c)
			forbidden := forbiddenCall(t, s, nativeABI(t, d))
			probing := "PROBE=" + strconv.Itoa(int(forbidden))
			w.demandSaid(t, "probe: "+c.errno+"\n", probe, c, s, probing)
			if !c.noNewPrivileges { // the control: it is the profile that refuses the call
				w.demandSaid(t, "probe: ok\n", probe, c, nil, probing)
			}
		})
	}
	// A profile that lacks what the workload needs does stop it.
	c := confinements[0]
	s := c.report(t, file)
	remove(t, s, w.lacks)
	if out, err := w.contain(t, probe, c, s); err == nil && strings.HasPrefix(out, w.says) {
		t.Errorf("without %s it does its work all the same", w.lacks)
	}
}

// demandSaid fails the test unless the workload does its work in a container, and the
// probe gets this answer.
func (w contained) demandSaid(t testing.TB, answer, probe string, c confinement, s *specs.LinuxSeccomp, env ...string) {
	t.Helper()
	if out, err := w.contain(t, probe, c, s, env...); err != nil || out != w.says+answer {
		t.Errorf("it said %q, want %q: %v", out, w.says+answer, err)
	}
}

// What a runtime itself needs is in a profile, and without it nothing starts.
func TestReportContainersNeedBaselines(t *testing.T) {
	needObserve(t)
	testenv.Program(t, "runc", "crun", "gcc", "unshare")
	probe := buildProbe(t)
	file := filepath.Join(t.TempDir(), "trace.json")
	finish(t, exec.Command("turnstile", "observe", "-q", "-o", file, "--", probe), file)
	for _, c := range confinements {
		t.Run(c.String(), func(t *testing.T) {
			start := func(args ...string) (string, error) {
				spec := container.Process(specs.User{}, "/", nil, probe)
				spec.Process.NoNewPrivileges = c.noNewPrivileges
				spec.Linux.Seccomp = c.report(t, file, args...)
				return runContainer(t, c.runtime, spec)
			}
			if out, err := start(); err != nil || out != "probe: none\n" {
				t.Errorf("it said %q: %v", out, err)
			}
			if out, err := start("--default-action", "kill"); err != nil || out != "probe: none\n" {
				t.Errorf("where other calls kill, it said %q: %v", out, err)
			}
			if out, err := start("--runtime", "none"); err == nil {
				t.Errorf("it starts without the baseline, and says %q", out)
			}
		})
	}
}

// watch runs the workload under turnstile observe, and returns the trace and its file.
func (w contained) watch(t testing.TB, probe string) (d *trace.Document, file string) {
	t.Helper()
	dir, env := w.prepare(t, probe)
	file = filepath.Join(dir, "trace.json")
	args := []string{"observe", "-q", "--strict", "-o", file}
	if w.user != "" {
		args = append(args, "--user", w.user)
	}
	cmd := exec.Command("turnstile", append(append(args, "--"), w.command(dir)...)...)
	cmd.Dir, cmd.Env = dir, env
	r := finish(t, cmd, file)
	if want := w.says + "probe: none\n"; r.code != 0 || r.stdout != want {
		t.Fatalf("watched, it exited with %d and said %q, want %q\n%s", r.code, r.stdout, want, r.stderr)
	}
	return r.doc, file
}

// contain runs it in a container.
func (w contained) contain(t testing.TB, probe string, c confinement, s *specs.LinuxSeccomp, env ...string) (string, error) {
	t.Helper()
	dir, environment := w.prepare(t, probe)
	spec := container.Process(w.as(t), dir, append(environment, env...), w.command(dir)...)
	spec.Process.NoNewPrivileges = c.noNewPrivileges
	spec.Linux.Seccomp = s
	spec.Mounts = append(spec.Mounts, container.Bind(dir))
	if w.script == "go" {
		spec.Mounts = append(spec.Mounts, container.Bind(goCache(t)))
	}
	return runContainer(t, c.runtime, spec)
}

func runContainer(t testing.TB, runtime string, spec *specs.Spec) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), deadline())
	defer cancel()
	var stdout, stderr bytes.Buffer
	err := container.Runtime{Program: runtime}.Run(ctx, t.TempDir(), spec, &stdout, &stderr)
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, stderr.String())
	}
	return stdout.String(), err
}

// prepare makes the directory that the workload is run in, and its environment.
func (w contained) prepare(t testing.TB, probe string) (dir string, env []string) {
	t.Helper()
	dir = openDir(t)
	script := read(t, filepath.Join("testdata", "containers", w.script+".sh"))
	// The probe is the last program, in the same container and under the same filter.
	script += "exec " + probe + "\n"
	if err := os.WriteFile(filepath.Join(dir, "workload.sh"), []byte(script), 0o644); err != nil {
		t.Fatal(err)
	}
	as := w.as(t)
	if err := os.Chown(dir, int(as.UID), int(as.GID)); err != nil {
		t.Fatal(err)
	}
	env = []string{
		"PATH=" + path(t), "HOME=" + dir, "TMPDIR=/dev/shm", "WORK=" + dir, "LC_ALL=C",
		"PORT=" + freePort(t), "URL=" + servedPage(t),
	}
	if w.script == "go" {
		env = append(env, "GOCACHE="+goCache(t), "GOPROXY=off", "GOFLAGS=-buildvcs=false", "GOTOOLCHAIN=local", "CGO_ENABLED=0")
	}
	return dir, env
}

func (contained) command(dir string) []string {
	return []string{"/bin/sh", "-eu", filepath.Join(dir, "workload.sh")}
}

func (w contained) as(t testing.TB) specs.User {
	t.Helper()
	if w.user == "" {
		return specs.User{}
	}
	u, err := user.Lookup(w.user)
	if err != nil {
		testenv.Lack(t, "there is no user "+w.user+" (make test-tools installs what has it)")
	}
	groups, err := u.GroupIds()
	if err != nil {
		t.Fatal(err)
	}
	as := specs.User{UID: id(t, u.Uid), GID: id(t, u.Gid)}
	for _, g := range groups {
		as.AdditionalGids = append(as.AdditionalGids, id(t, g))
	}
	return as
}

func id(t testing.TB, s string) uint32 {
	t.Helper()
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	return uint32(n)
}

// path is PATH, with the programs of a server that Debian does not have in it.
func path(t testing.TB) string {
	t.Helper()
	dirs, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(append(dirs, os.Getenv("PATH"), "/usr/sbin", "/sbin"), ":")
}

func goCache(t testing.TB) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

func servedPage(t testing.TB) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "fetched\n") }))
	t.Cleanup(s.Close)
	return s.URL
}

// openDir is a new directory that every user can reach.
func openDir(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	for _, d := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func buildProbe(t testing.TB) string {
	t.Helper()
	out := filepath.Join(openDir(t), "probe")
	if b, err := exec.Command("gcc", "-O1", "-Wall", "-Werror", "-static", "-o", out, filepath.Join("testdata", "containers", "probe.c")).CombinedOutput(); err != nil {
		t.Fatalf("building the probe: %v\n%s", err, b)
	}
	return out
}

// report makes the profile.
func (c confinement) report(t testing.TB, file string, args ...string) *specs.LinuxSeccomp {
	t.Helper()
	all := []string{"report", "-q", "-f", "oci"}
	if !slices.Contains(args, "--default-action") {
		all = append(all, "--errno", c.errno)
	}
	if c.noNewPrivileges {
		all = append(all, "--no-new-privileges")
	}
	if !slices.Contains(args, "--runtime") {
		all = append(all, "--runtime", c.runtime)
	}
	out, err := exec.Command("turnstile", append(append(all, args...), file)...).Output()
	if err != nil {
		t.Fatalf("turnstile %q: %v", all, err)
	}
	var s specs.LinuxSeccomp
	if err := json.Unmarshal(out, &s); err != nil {
		t.Fatal(err)
	}
	return &s
}

// demandTight fails the test unless the profile allows what was seen, what the runtime
// needs, what every program needs, and nothing else.
func demandTight(t testing.TB, s *specs.LinuxSeccomp, d *trace.Document, c confinement) {
	t.Helper()
	want := make(map[string]bool)
	for _, call := range d.Syscalls {
		if call.ABI != d.Host.Arch {
			t.Fatalf("a call of %s was seen", call.ABI)
		}
		want[call.Name] = true
	}
	names := slices.Clone(profile.DefaultAlways)
	for _, b := range baseline.For(c.runtime) {
		names = append(names, b.Calls(baseline.Situation{NoNewPrivileges: c.noNewPrivileges})...)
	}
	for _, name := range names {
		if _, ok := syscalls.Number(nativeABI(t, d), name); ok {
			want[name] = true
		}
	}
	demandLines(t, allowedCalls(s), slices.Collect(maps.Keys(want)))
}

func allowedCalls(s *specs.LinuxSeccomp) []string {
	var names []string
	for _, rule := range s.Syscalls {
		names = append(names, rule.Names...)
	}
	return names
}

// forbiddenCall is the number of a call that the profile refuses and that anybody else may
// make, with arguments of zero. Its number is below others of the profile: runc has calls
// above all of them fail with ENOSYS.
func forbiddenCall(t testing.TB, s *specs.LinuxSeccomp, abi event.ABI) int32 {
	t.Helper()
	for _, name := range []string{"sched_get_priority_max", "getpriority", "getpgid", "getsid"} {
		if nr, ok := syscalls.Number(abi, name); ok && !slices.Contains(allowedCalls(s), name) {
			return nr
		}
	}
	t.Fatal("the workload makes all the calls that the probe could try")
	return 0
}

func remove(t testing.TB, s *specs.LinuxSeccomp, name string) {
	t.Helper()
	for i, rule := range s.Syscalls {
		if at := slices.Index(rule.Names, name); at >= 0 {
			s.Syscalls[i].Names = slices.Delete(rule.Names, at, at+1)
			return
		}
	}
	t.Fatalf("the profile does not have %s", name)
}

func nativeABI(t testing.TB, d *trace.Document) event.ABI {
	t.Helper()
	abi, ok := event.ParseABI(d.Host.Arch)
	if !ok {
		t.Fatalf("the trace is of %q", d.Host.Arch)
	}
	return abi
}
