package launch

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/testenv"
)

var somebody = &User{Name: "somebody", UID: 4999, GID: 4998, Groups: []uint32{4998, 4997}}

func TestDo(t *testing.T) {
	testenv.Root(t)
	dir := publicDir(t)
	secret := filepath.Join(dir, "secret")
	mustDo(os.WriteFile(secret, []byte("of root"), 0o600))
	ofGroup := filepath.Join(dir, "of group")
	mustDo(os.WriteFile(ofGroup, nil, 0o640))
	mustDo(os.Chown(ofGroup, 0, 4997))
	mustDo(os.Chmod(dir, 0o777))
	// A setting of the kernel that is guarded by the effective uid and no
	// capability; opening it for writing changes nothing.
	sysctl := filepath.Join(dir, "sysctl")
	mustDo(os.Symlink("/proc/sys/kernel/core_pattern", sysctl))

	trace := filepath.Join(dir, "trace.json")
	err := somebody.Do(func() error {
		status, err := os.ReadFile("/proc/thread-self/status")
		if err != nil {
			return err
		}
		for _, line := range []string{"Uid:\t0\t4999\t0\t4999\n", "Gid:\t0\t4998\t0\t4998\n", "Groups:\t4997 4998 \n", "CapEff:\t0000000000000000\n"} {
			if !strings.Contains(string(status), "\n"+line) {
				t.Errorf("the thread has no %q in its status:\n%s", line, status)
			}
		}
		if err := os.WriteFile(trace, []byte("{}"), 0o600); err != nil {
			return err
		}
		if _, err := os.ReadFile(ofGroup); err != nil {
			t.Errorf("reading a file of a supplementary group: %v", err)
		}
		for _, path := range []string{secret, sysctl, ofGroup} {
			if f, err := os.OpenFile(path, os.O_WRONLY, 0); !errors.Is(err, os.ErrPermission) {
				t.Errorf("opening %q for writing = %v, want %v", path, err, os.ErrPermission)
				f.Close()
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var stat unix.Stat_t
	mustDo(unix.Stat(trace, &stat))
	if stat.Uid != 4999 || stat.Gid != 4998 || stat.Mode&0o7777 != 0o600 {
		t.Errorf("the file belongs to %d:%d with mode %o, want 4999:4998 and 600", stat.Uid, stat.Gid, stat.Mode&0o7777)
	}
	for _, path := range []string{secret, sysctl} {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			t.Errorf("root itself: %v", err)
		}
		f.Close()
	}
}

// setfsuid(2) is not enough, which is why Do goes further: this fails on the
// day on which the kernel guards such files otherwise.
func TestFileAccessIDsAreNotEnough(t *testing.T) {
	testenv.Root(t)
	err := (&User{}).Do(func() error { // a thread of its own
		unix.RawSyscall(unix.SYS_SETFSUID, 4999, 0, 0)
		f, err := os.OpenFile("/proc/sys/kernel/core_pattern", os.O_WRONLY, 0)
		f.Close()
		return err
	})
	if err != nil {
		t.Errorf("opening a root-owned sysctl with another fsuid: %v", err)
	}
}

func TestDoReturnsErrors(t *testing.T) {
	want := errors.New("no")
	for _, u := range []*User{nil, {}} {
		if u != nil {
			testenv.Root(t)
		}
		if err := u.Do(func() error { return want }); !errors.Is(err, want) {
			t.Errorf("Do() = %v, want %v", err, want)
		}
	}
}

// No other thread ever has the rights of the user, and the one that had them
// is gone soon after.
func TestDoLeavesNoThread(t *testing.T) {
	testenv.Root(t)
	for range 50 {
		mustDo(somebody.Do(func() error { return nil }))
		if unix.Geteuid() != 0 {
			t.Fatal("the test's thread has become somebody")
		}
	}
	uid := regexp.MustCompile(`(?m)^Uid:.*4999`)
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		left := 0
		tasks, err := filepath.Glob("/proc/self/task/*/status")
		mustDo(err)
		for _, task := range tasks {
			if status, err := os.ReadFile(task); err == nil && uid.Match(status) {
				left++
			}
		}
		if left == 0 {
			return
		}
	}
	t.Error("threads of the user are left")
}

func TestDoNeedsRoot(t *testing.T) {
	testenv.Root(t)
	// Not root any more, on this one thread; goroutines that it starts run
	// elsewhere, so assume is called here.
	err := somebody.Do(func() error {
		return (&User{Name: "other", UID: 4996}).assume()
	})
	if !errors.Is(err, os.ErrPermission) || !strings.Contains(fmt.Sprint(err), "setting groups") {
		t.Errorf("assume() as somebody = %v, want %v", err, os.ErrPermission)
	}
}

// publicDir is a directory that every user may enter, as others of a test are
// not.
func publicDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	mustDo(os.Chmod(dir, 0o755))
	mustDo(os.Chmod(filepath.Dir(dir), 0o755))
	return dir
}
