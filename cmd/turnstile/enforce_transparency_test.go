package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/turnstile-project/turnstile/internal/testenv"
)

// The transparency suites run real programs twice: bare, and with every gated call
// performed on their behalf. Both must give the same output, the same exit status and
// the same files. What differs is a bug of the gate.
//
//	TURNSTILE_STRESS=1              runs the parts that take long, too
//	TURNSTILE_TRANSPARENCY=bare     runs the second time bare as well: what differs then is
//	                                a fault of the workload
//	TURNSTILE_TRANSPARENCY=/FILE    is the turnstile to test instead of the one of the tests

// workload is a script of testdata/transparency.
type workload struct {
	name     string         // of the test; the script and its arguments if ""
	script   string         // its name without .sh
	args     []string       // its arguments
	env      []string       // more environment
	programs []string       // what it needs
	as       []runAs        // who runs it; root, nobody and the two together if nil
	mayFail  bool           // the bare run may exit with an error: then so must the gated one
	alone    bool           // it uses names that the whole machine has, such as those of abstract sockets
	opaque   []string       // globs of base names of files whose bytes differ from run to run
	known    *regexp.Regexp // lines of the output that differ, for reasons that are named with it
}

// runAs is who turnstile and the workload run as.
type runAs struct {
	name  string
	uid   int // of turnstile; its group has the same number
	drops int // what the workload drops to before it begins; 0 if it does not
}

var (
	userRoot    = runAs{name: "root"}
	userNobody  = runAs{name: "nobody", uid: nobody}
	userDropped = runAs{name: "root drops to nobody", drops: nobody}
)

// whileTransparent ends a run that hangs. Nothing takes nearly as long.
const whileTransparent = 4 * time.Minute

// stress says whether the parts that take long are wanted.
func stress() bool { return os.Getenv("TURNSTILE_STRESS") != "" }

// demandTransparent runs a workload bare and gated, as each who runs it.
func demandTransparent(t *testing.T, w workload) {
	t.Helper()
	testenv.Root(t)
	testenv.Program(t, w.programs...)
	keepDescriptors(t)
	users := w.as
	if users == nil {
		users = []runAs{userRoot, userNobody, userDropped}
	}
	name := w.name
	if name == "" {
		name = strings.Join(append([]string{w.script}, w.args...), " ")
	}
	t.Run(name, func(t *testing.T) {
		for _, as := range users {
			t.Run(as.name, func(t *testing.T) {
				if !w.alone {
					t.Parallel()
				}
				p := newPlace(t, as)
				bare := p.run(t, w)
				if bare.code != 0 && !w.mayFail {
					t.Fatalf("the bare run exited with %d:\n%s\n%s", bare.code, quoted(bare.stderr, 8_000), quoted(bare.stdout, 8_000))
				}
				gated := p.run(t, w, p.gate()...)
				if w.known != nil {
					bare.stdout, gated.stdout = w.known.ReplaceAllString(bare.stdout, ""), w.known.ReplaceAllString(gated.stdout, "")
				}
				compareRuns(t, bare, gated)
				if t.Failed() && gated.log != "" {
					t.Logf("the log of the gated run ends with\n%s", quoted(gated.log, 16_000))
				}
			})
		}
	})
}

// keepDescriptors keeps what this process itself inherited from the programs: behind the
// gate they would not get it anyway.
func keepDescriptors(t *testing.T) {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		if fd, err := strconv.Atoi(e.Name()); err == nil && fd > 2 {
			syscall.CloseOnExec(fd)
		}
	}
}

func compareRuns(t *testing.T, bare, gated result) {
	t.Helper()
	if bare.code != gated.code {
		t.Errorf("exit status: bare %d, gated %d", bare.code, gated.code)
	}
	for _, part := range []struct{ name, bare, gated string }{
		{"stdout", bare.stdout, gated.stdout},
		{"stderr", bare.stderr, gated.stderr},
		{"files", bare.tree, gated.tree},
	} {
		if part.bare != part.gated {
			t.Errorf("%s: -bare +gated\n%s", part.name, quoted(lineDiff(t, part.bare, part.gated), 8_000))
		}
	}
}

// lineDiff is what diff -U1 says: the texts are long, and few lines of them differ.
func lineDiff(t *testing.T, a, b string) string {
	t.Helper()
	dir := t.TempDir()
	one, two := filepath.Join(dir, "bare"), filepath.Join(dir, "gated")
	write(t, one, a+"\n")
	write(t, two, b+"\n")
	out, err := exec.Command("diff", "-a", "-U1", "--label", "bare", "--label", "gated", one, two).Output()
	if _, differ := errors.AsType[*exec.ExitError](err); err != nil && !differ {
		t.Fatal(err)
	}
	return string(out)
}

// quoted is a text that nobody takes for the output of this test, which some of it looks
// like, without the end if it is long.
func quoted(text string, most int) string {
	return "| " + strings.ReplaceAll(limit(text, most), "\n", "\n| ")
}

// limit cuts the end of a long text.
func limit(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return text[:most] + fmt.Sprintf("\n[%d more bytes]", len(text)-most)
}

// result is what a run left.
type result struct {
	code           int
	stdout, stderr string
	tree           string // the listing of the files
	log            string // the end of what it wrote to $SCRATCH/log, which is not compared
}

// place is where the runs of one workload happen. Both happen in the same directory,
// as programs write its name into files.
type place struct {
	as        runAs
	turnstile string // a copy that everyone may run
	data      string // a copy of the scripts that everyone may read
	work      string // the directory that is compared
	scratch   string // one that is not
	began     time.Time
}

func newPlace(t *testing.T, as runAs) *place {
	t.Helper()
	// Not t.TempDir: the user nobody has to reach it, and the path of a socket in it
	// has to fit into 108 bytes.
	base, err := os.MkdirTemp("/var/tmp", "turnstile-test-") //nolint:usetesting // see above
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { removeDeep(t, base) })
	if err := os.Chmod(base, 0o755); err != nil {
		t.Fatal(err)
	}
	p := &place{
		as:        as,
		turnstile: filepath.Join(base, "turnstile"),
		data:      filepath.Join(base, "data"),
		work:      filepath.Join(base, "work"),
		scratch:   filepath.Join(base, "scratch"),
		began:     time.Now(),
	}
	self := os.Getenv("TURNSTILE_TRANSPARENCY")
	if !filepath.IsAbs(self) {
		if self, err = exec.LookPath("turnstile"); err != nil {
			t.Fatal(err)
		}
	}
	// Another program does the copying: a child of a parallel test that holds a file open
	// for writing would be in the way of running it.
	if out, err := exec.Command("cp", "--dereference", self, p.turnstile).CombinedOutput(); err != nil {
		t.Fatalf("cp: %v\n%s", err, out)
	}
	if err := os.CopyFS(p.data, os.DirFS(filepath.Join("testdata", "transparency"))); err != nil {
		t.Fatal(err)
	}
	return p
}

// gate is what the workload of the second run is behind.
func (p *place) gate() []string {
	if os.Getenv("TURNSTILE_TRANSPARENCY") == "bare" {
		return nil
	}
	return []string{p.turnstile, "enforce", "--default", "allow", "--perform-all", "-q", "--"}
}

// owner is the user that the workload runs as in the end.
func (p *place) owner() int { return max(p.as.uid, p.as.drops) }

// fresh makes a directory anew for the user of the workload.
func (p *place) fresh(t *testing.T, dir string) {
	t.Helper()
	removeDeep(t, dir)
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(dir, p.owner(), p.owner()); err != nil {
		t.Fatal(err)
	}
}

// removeDeep removes a tree that may be deeper than a path can be long.
func removeDeep(t *testing.T, dir string) {
	t.Helper()
	if out, err := exec.Command("rm", "-rf", "--", dir).CombinedOutput(); err != nil {
		t.Fatalf("rm: %v\n%s", err, out)
	}
}

// run runs a workload in a fresh directory, behind gate.
func (p *place) run(t *testing.T, w workload, gate ...string) result {
	t.Helper()
	p.fresh(t, p.work)
	p.fresh(t, p.scratch)

	argv := slices.Clone(gate)
	if p.as.drops != 0 {
		id := strconv.Itoa(p.as.drops)
		argv = append(argv, "setpriv", "--reuid", id, "--regid", id, "--clear-groups", "--")
	}
	argv = append(argv, "dash", "-eu", filepath.Join(p.data, w.script+".sh"))
	argv = append(argv, w.args...)

	ctx, cancel := context.WithTimeout(t.Context(), whileTransparent)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir = p.work
	cmd.Env = append(p.environ(t), w.env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Setpgid:    true,
		Credential: &syscall.Credential{Uid: uint32(p.as.uid), Gid: uint32(p.as.uid)},
	}
	cmd.Cancel = func() error {
		t.Errorf("%q hangs:\n%s", argv, processTree(cmd.Process.Pid))
		return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
	cmd.WaitDelay = 10 * time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	began := time.Now()
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%q: %v\n%s", argv, err, stderr.String())
	}
	t.Logf("%q: %.1f s", argv, time.Since(began).Seconds())
	return result{
		code:   cmd.ProcessState.ExitCode(),
		stdout: stdout.String(),
		stderr: stderr.String(),
		tree:   listing(t, p.work, p.began, w.opaque),
		log:    lastLines(filepath.Join(p.scratch, "log"), 16_000),
	}
}

// environ has nothing in it that is not said here.
func (p *place) environ(t *testing.T) []string {
	t.Helper()
	// Debian keeps the servers of a database out of everyone's PATH.
	path := []string{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"}
	servers, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		t.Fatal(err)
	}
	path = append(path, servers...)
	if compiler, err := exec.LookPath("go"); err == nil {
		path = append(path, filepath.Dir(compiler))
	}
	return []string{
		"PATH=" + strings.Join(path, ":"),
		"HOME=" + p.work,
		"DATA=" + p.data,
		"SCRATCH=" + p.scratch,
		"TMPDIR=" + p.scratch,
		"LC_ALL=C",
		"TZ=UTC",
		"XDG_CONFIG_HOME=" + p.scratch,
		"SHELL=/bin/sh",
		"TERM=dumb",
		"CGO_ENABLED=0",
		"GOTOOLCHAIN=local",
		"GOPROXY=off",
		"GOCACHE=" + filepath.Join(p.scratch, "go-build"),
	}
}

// lastLines is the end of a file, "" if there is none.
func lastLines(file string, most int) string {
	b, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	return string(b[max(0, len(b)-most):])
}

// processTree shows where a process and its descendants are.
func processTree(pid int) string {
	all, err := exec.Command("ps", "-e", "-o", "pid=,ppid=,stat=,wchan:24=,args=").Output()
	if err != nil {
		return err.Error()
	}
	inside := map[string]bool{strconv.Itoa(pid): true}
	lines := strings.Split(string(all), "\n")
	var tree []string
	for grew := true; grew; {
		grew = false
		tree = tree[:0]
		for _, line := range lines {
			f := strings.Fields(line)
			if len(f) < 2 || !inside[f[0]] && !inside[f[1]] {
				continue
			}
			tree = append(tree, limit(line, 200))
			if !inside[f[0]] {
				inside[f[0]], grew = true, true
			}
		}
	}
	return strings.Join(tree, "\n")
}
