package main

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/turnstile-project/turnstile/internal/testenv"
)

// excluded are single tests of others that cannot have the same result, and why.
var excluded = map[string]string{
	"TestFindExecutableVsNoexec": "mounts a file system, which is closed by design",
}

// Python's own tests of what it does with files have the same results.
func TestTransparentPython(t *testing.T) {
	if err := exec.Command("/usr/bin/python3", "-c", "import test.test_os").Run(); err != nil {
		testenv.Lack(t, "Python's own tests are not installed (make test-tools installs them)")
	}
	w := workload{
		name:    "python",
		script:  "python-suite",
		args:    []string{"test_os", "test_posix", "test_shutil", "test_tempfile", "test_pathlib", "test_glob", "test_stat"},
		mayFail: true,
	}
	for _, name := range slices.Sorted(maps.Keys(excluded)) {
		w.args = append(w.args, "--ignore", name)
	}
	demandTransparent(t, w)
}

// So do those of what it does with sockets; what they need of a network is the loopback.
func TestTransparentPythonSockets(t *testing.T) {
	if err := exec.Command("/usr/bin/python3", "-c", "import test.test_socket").Run(); err != nil {
		testenv.Lack(t, "Python's own tests are not installed (make test-tools installs them)")
	}
	w := workload{name: "python sockets", script: "python-suite", args: []string{"test_socket"}, mayFail: true, as: []runAs{userRoot, userNobody}}
	for name := range strings.FieldsSeq("BasicTCP BasicUDP SendmsgTCP SendmsgUDP SendmsgUnix SendmsgStream RecvmsgUDP RecvmsgTCP UDPLITE NonBlockingTCP InterruptedSend FDPass LinuxAbstract Netlink CreateServer") {
		w.args = append(w.args, "--match", "*"+name+"*")
	}
	demandTransparent(t, w)
}

// Go's own tests of what it does with files and processes have the same results.
func TestTransparentGo(t *testing.T) {
	testenv.Root(t)
	testenv.Program(t, "go")
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	binaries, err := os.MkdirTemp("/var/tmp", "turnstile-test-") //nolint:usetesting // the user nobody has to reach it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(binaries) })
	if err := os.Chmod(binaries, 0o755); err != nil {
		t.Fatal(err)
	}
	cache := warmCache(t, binaries)
	for _, pkg := range []string{"io/fs", "path/filepath", "os/exec", "os", "net"} {
		dir := filepath.Join(strings.TrimSpace(string(root)), "src", filepath.FromSlash(pkg))
		binary := filepath.Join(binaries, strings.ReplaceAll(pkg, "/", "-")+".test")
		build := exec.Command("go", "test", "-c", "-o", binary, ".")
		build.Dir = dir
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("building the tests of %s: %v\n%s", pkg, err, out)
		}
		w := workload{
			name:    pkg,
			script:  "go-suite",
			args:    []string{binary, dir, "-test.skip=^(" + strings.Join(slices.Sorted(maps.Keys(excluded)), "|") + ")$"},
			env:     []string{"GOCACHE=" + cache},
			mayFail: true,
		}
		if pkg == "os" && !stress() {
			w.args = append(w.args, "-test.short")
			w.as = []runAs{userRoot, userNobody}
		}
		if pkg == "net" {
			// The rest needs names to be resolved, files beside those of the package, or raw
			// sockets (IPConn), which are behind a door.
			w.args = []string{binary, dir, "-test.short", "-test.run=TCP|UDP|Unix|Listen|Conn|Buffers|Packet|Accept|File", "-test.skip=Sendfile|Timeout|Deadline|DNS|Lookup|Resolv|IPConn"}
			w.as = []runAs{userRoot, userNobody}
			w.alone = true
		}
		demandTransparent(t, w)
	}
}

// warmCache is a directory with what the go command builds for a small program, for
// everyone to use: one of the tests builds a program.
func warmCache(t *testing.T, dir string) string {
	t.Helper()
	source, cache := filepath.Join(dir, "small.go"), filepath.Join(dir, "go-build")
	write(t, source, "package main\n\nimport \"fmt\"\n\nfunc main() { fmt.Println() }\n")
	build := exec.Command("go", "build", "-o", os.DevNull, source)
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOCACHE="+cache)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	if out, err := exec.Command("chmod", "-R", "a+rwX", cache).CombinedOutput(); err != nil {
		t.Fatalf("chmod: %v\n%s", err, out)
	}
	return cache
}
