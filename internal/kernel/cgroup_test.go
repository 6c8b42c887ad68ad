package kernel

import (
	"errors"
	"strings"
	"testing"
)

func TestFindCgroup2(t *testing.T) {
	const (
		root   = "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n"
		pure   = "30 22 0:26 / /sys/fs/cgroup rw,nosuid shared:4 master:2 - cgroup2 cgroup2 rw\n"
		v1     = "31 22 0:27 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
		hybrid = v1 + "32 22 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
		blank  = `33 22 0:29 / /mnt/my\040group\134s rw - cgroup2 none rw` + "\n"
	)
	for _, test := range []struct {
		mountinfo string
		want      CgroupMount
		err       error
	}{
		{root + pure, CgroupMount{Dir: "/sys/fs/cgroup"}, nil},
		{root + hybrid, CgroupMount{Dir: "/sys/fs/cgroup/unified", Hybrid: true}, nil},
		{root + pure + blank, CgroupMount{Dir: "/sys/fs/cgroup"}, nil},
		{blank, CgroupMount{Dir: `/mnt/my group\s`}, nil},
		{root + v1, CgroupMount{}, ErrNoCgroup2},
		{"", CgroupMount{}, ErrNoCgroup2},
		{"not a mount\n - \n - cgroup2\n1 2 3 4 - cgroup2\n", CgroupMount{}, ErrNoCgroup2},
	} {
		got, err := findCgroup2(strings.NewReader(test.mountinfo))
		if got != test.want || !errors.Is(err, test.err) {
			t.Errorf("%q: %+v, %v; want %+v, %v", test.mountinfo, got, err, test.want, test.err)
		}
	}
}

func TestUnescape(t *testing.T) {
	for in, want := range map[string]string{
		`a\040b`: "a b", `\`: `\`, `\04`: `\04`, `\999`: `\999`, `x\134`: `x\`,
	} {
		if got := unescape(in); got != want {
			t.Errorf("unescape(%q) = %q, want %q", in, got, want)
		}
	}
}
