package enforce

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
)

// made is a call of a thread, as it comes and comes again.
func made(t *testing.T, tid uint32, name, path string, args ...uint64) *call {
	t.Helper()
	c := ownCall(t, name, args...)
	c.notification.TID = tid
	c.operands = []operand{{name: path, dir: -1}}
	return c
}

var succeeded = event.Outcome{Known: true, Ret: 7}

func TestUndelivered(t *testing.T) {
	var u undelivered
	if _, ok := u.take(made(t, 1, "mkdirat", "a")); ok {
		t.Error("a result out of nothing")
	}
	if !u.keep(made(t, 1, "mkdirat", "a", 10, 20), succeeded, -1) {
		t.Error("not kept")
	}
	for what, c := range map[string]*call{
		"another thread": made(t, 2, "mkdirat", "a", 10, 20),
	} {
		if r, ok := u.take(c); ok {
			t.Errorf("%s has %+v", what, r)
		}
	}
	if r, ok := u.take(made(t, 1, "mkdirat", "a", 10, 20)); !ok || r.outcome != succeeded || r.fd != -1 {
		t.Errorf("%+v, %v", r, ok)
	}
	if r, ok := u.take(made(t, 1, "mkdirat", "a", 10, 20)); ok {
		t.Errorf("once more: %+v", r)
	}
}

// TestUndeliveredIsOfOneCall: another call of the thread gets nothing, and the result is
// forgotten: the thread goes on without it.
func TestUndeliveredIsOfOneCall(t *testing.T) {
	for what, other := range map[string]*call{
		"another call": made(t, 1, "unlinkat", "a", 10, 20), "another argument": made(t, 1, "mkdirat", "a", 10, 21), "another path": made(t, 1, "mkdirat", "b", 10, 20),
		"more operands": func() *call {
			c := made(t, 1, "mkdirat", "a", 10, 20)
			c.operands = append(c.operands, operand{name: "b"})
			return c
		}(),
	} {
		var u undelivered
		u.keep(made(t, 1, "mkdirat", "a", 10, 20), succeeded, -1)
		if r, ok := u.take(other); ok {
			t.Errorf("%s: %+v", what, r)
		}
		if r, ok := u.take(made(t, 1, "mkdirat", "a", 10, 20)); ok {
			t.Errorf("after %s: %+v", what, r)
		}
	}
}

func TestUndeliveredIsNotKept(t *testing.T) {
	var u undelivered
	if u.keep(made(t, 1, "mkdirat", "a"), event.Outcome{Known: true, Errno: event.Errno(unix.EACCES)}, -1) {
		t.Error("an error comes again by itself")
	}
	c := made(t, 1, "mkdirat", "a")
	c.listener.Killable = true
	if u.keep(c, succeeded, -1) {
		t.Error("a call that only ends with its process does not come again")
	}
	if len(u.results) != 0 {
		t.Errorf("%d results", len(u.results))
	}
}

// TestUndeliveredDescriptors: those that nobody asks for are closed, and not the others.
func TestUndeliveredDescriptors(t *testing.T) {
	isOpen := func(fd int) bool {
		_, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		return err == nil
	}
	open := func() int {
		fd, err := unix.Open(os.DevNull, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		return fd
	}
	var u undelivered
	taken, forgotten := open(), open()
	u.keep(made(t, 1, "openat", "a"), succeeded, taken)
	if r, ok := u.take(made(t, 1, "openat", "a")); !ok || r.fd != taken || !isOpen(taken) {
		t.Errorf("%+v, %v", r, ok)
	}
	unix.Close(taken)
	u.keep(made(t, 1, "openat", "a"), succeeded, forgotten)
	u.take(made(t, 1, "openat", "b"))
	if isOpen(forgotten) {
		t.Error("a descriptor that nobody will ask for is open")
	}
	// The oldest make room.
	before := countDescriptors(t)
	for i := range maxUndelivered + 10 {
		u.keep(made(t, uint32(1000+i), "openat", "a"), succeeded, open())
	}
	if n := countDescriptors(t) - before; len(u.results) != maxUndelivered || n != maxUndelivered {
		t.Errorf("%d results, %d descriptors", len(u.results), n)
	}
	if _, ok := u.take(made(t, 1000, "openat", "a")); ok {
		t.Error("the oldest is there")
	}
	r, ok := u.take(made(t, 1000+maxUndelivered+9, "openat", "a"))
	if !ok {
		t.Error("the newest is not there")
	}
	r.drop()
	for i := range u.results {
		u.results[i].drop()
	}
	if n := countDescriptors(t); n != before {
		t.Errorf("%d descriptors, then %d", before, n)
	}
}
