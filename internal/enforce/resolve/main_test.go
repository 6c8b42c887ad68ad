package resolve

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

const (
	childVariable  = "RESOLVE_TEST_CHILD"
	mountsVariable = "RESOLVE_TEST_MOUNTS"
)

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		os.Stdout.WriteString("ready\n")
		io.Copy(io.Discard, os.Stdin) // until the test has seen enough
		os.Exit(0)
	}
	if _, err := descriptors(); err != nil { // so that it is no leak later
		panic(err)
	}
	os.Exit(m.Run())
}

// us is this process as a target. It must not name itself by /proc/self.
func us(t testing.TB) *Target {
	t.Helper()
	return &Target{TID: unix.Gettid(), TGID: unix.Getpid, Root: pinned(t, "/"), FSUID: uint32(unix.Geteuid())}
}

// pinned is an O_PATH descriptor, for as long as the test runs.
func pinned(t testing.TB, name string) int {
	t.Helper()
	fd, err := unix.Open(name, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return fd
}

// child is another process, which is the target.
type child struct {
	*Target
	cmd *exec.Cmd
}

// startChild starts a process in a directory, with files that become its descriptors 3
// and following.
func startChild(t testing.TB, dir string, files ...*os.File) *child {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), childVariable+"=a child of the test")
	cmd.Dir = dir
	cmd.ExtraFiles = files
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		cmd.Wait()
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatalf("the child said %q, %v", line, err)
	}
	pid := cmd.Process.Pid
	return &child{&Target{TID: pid, TGID: func() int { return pid }, Root: pinned(t, "/")}, cmd}
}

func (c *child) proc(rest string) string {
	return "/proc/" + strconv.Itoa(c.cmd.Process.Pid) + "/" + rest
}

// errnoOf is the number of an error, 0 for none.
func errnoOf(t testing.TB, err error) unix.Errno {
	t.Helper()
	if err == nil {
		return 0
	}
	errno, ok := errors.AsType[unix.Errno](err)
	if !ok {
		t.Errorf("%v is no errno", err)
	}
	return errno
}

func sameFile(a, b *unix.Stat_t) bool { return a.Dev == b.Dev && a.Ino == b.Ino }

// noLeak fails the test if it leaves descriptors open that were not open before.
func noLeak(t testing.TB) {
	t.Helper()
	before := openDescriptors(t)
	t.Cleanup(func() {
		for fd, what := range openDescriptors(t) {
			if _, known := before[fd]; !known {
				t.Errorf("descriptor %s (%s) was left open", fd, what)
			}
		}
	})
}

// openDescriptors are those of files: the Go runtime has others, which come and go.
func openDescriptors(t testing.TB) map[string]string {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	open := make(map[string]string)
	for _, e := range entries {
		if name, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && !strings.HasPrefix(name, "anon_inode:[event") {
			open[e.Name()] = name
		}
	}
	return open
}
