package landlock

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/testenv"
)

// restricted runs f on a thread of its own, on which set puts a ruleset.
func restricted(t *testing.T, set func() (*Ruleset, error), f func()) {
	t.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with its ruleset
		done <- func() error {
			r, err := set()
			if err != nil {
				return err
			}
			if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
				return err
			}
			if err := errors.Join(r.RestrictThread(), r.Close()); err != nil {
				return err
			}
			f()
			return nil
		}()
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestGrant(t *testing.T) {
	testenv.Landlock(t, 1)
	dir := t.TempDir()
	for _, name := range []string{"granted/file", "other/file"} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	open := func(name string) error {
		fd, err := unix.Open(filepath.Join(dir, name), unix.O_RDONLY, 0)
		if err == nil {
			_ = unix.Close(fd)
		}
		return err
	}
	restricted(t, func() (*Ruleset, error) {
		r, err := New(unix.LANDLOCK_ACCESS_FS_READ_FILE, 0, 0)
		if err != nil {
			return nil, err
		}
		fd, err := unix.Open(filepath.Join(dir, "granted"), unix.O_PATH|unix.O_CLOEXEC, 0)
		if err != nil {
			return nil, err
		}
		return r, errors.Join(r.Grant(fd, unix.LANDLOCK_ACCESS_FS_READ_FILE), unix.Close(fd))
	}, func() {
		if err := open("granted/file"); err != nil {
			t.Errorf("what is granted: %v", err)
		}
		if err := open("other/file"); !errors.Is(err, unix.EACCES) {
			t.Errorf("what is not granted: %v, want EACCES", err)
		}
	})
	if err := open("other/file"); err != nil {
		t.Errorf("on another thread: %v", err)
	}
}

func TestNetwork(t *testing.T) {
	testenv.Landlock(t, 4)
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	address := &unix.SockaddrInet4{Port: listener.Addr().(*net.TCPAddr).Port, Addr: [4]byte{127, 0, 0, 1}}
	try := func(call func(fd int, address unix.Sockaddr) error, address unix.Sockaddr) error {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Error(err)
			return nil
		}
		return errors.Join(call(fd, address), unix.Close(fd))
	}
	own := &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}
	restricted(t, func() (*Ruleset, error) { return New(0, TCP, 0) }, func() {
		if err := try(unix.Connect, address); !errors.Is(err, unix.EACCES) {
			t.Errorf("connect: %v, want EACCES", err)
		}
		if err := try(unix.Bind, own); !errors.Is(err, unix.EACCES) {
			t.Errorf("bind: %v, want EACCES", err)
		}
	})
	if err := errors.Join(try(unix.Connect, address), try(unix.Bind, own)); err != nil {
		t.Errorf("on another thread: %v", err)
	}
}
