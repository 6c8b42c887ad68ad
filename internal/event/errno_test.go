package event

import (
	"testing"

	"golang.org/x/sys/unix"
)

// The names are those of strace(1), which has them of the kernel.
func TestErrnoNames(t *testing.T) {
	for _, tt := range []struct {
		errno  Errno
		name   string
		inside bool // it is the kernel's own
		others []string
	}{
		{1, "EPERM", false, nil},
		{11, "EAGAIN", false, []string{"EWOULDBLOCK"}},
		{35, "EDEADLK", false, []string{"EDEADLOCK"}},
		{95, "EOPNOTSUPP", false, []string{"ENOTSUP"}},
		{133, "EHWPOISON", false, nil},
		{512, "ERESTARTSYS", true, nil},
		{524, "ENOTSUPP", true, nil},
	} {
		if got := tt.errno.String(); got != tt.name {
			t.Errorf("errno %d is %q, want %q", uint16(tt.errno), got, tt.name)
		}
		for _, name := range append(tt.others, tt.name) {
			if got := ResultNamed(name); got != tt.errno {
				t.Errorf("the result %q is %d, want %d", name, uint16(got), uint16(tt.errno))
			}
			want := unix.Errno(tt.errno)
			if tt.inside {
				want = 0
			}
			if got := ErrnoNamed(name); got != want {
				t.Errorf("the errno %q is %d, want %d", name, uint(got), uint(want))
			}
		}
	}
	for _, name := range []string{"", "EPERMS", "eperm", "errno 41", "errno 58", "1"} {
		if e := ResultNamed(name); e != 0 {
			t.Errorf("%q is %d, want none", name, uint16(e))
		}
	}
}
