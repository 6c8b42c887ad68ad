package kernel

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// ErrNoCgroup2 says that no cgroup version 2 hierarchy is mounted.
var ErrNoCgroup2 = errors.New("no cgroup2 file system is mounted")

// CgroupMount is where the cgroup version 2 hierarchy is mounted.
type CgroupMount struct {
	Dir string
	// Hybrid: version 1 hierarchies are mounted beside it, and hold
	// the controllers.
	Hybrid bool
}

// FindCgroup2 looks for the version 2 hierarchy among this process's mounts
// (cgroups(7), proc_pid_mountinfo(5)). It returns [ErrNoCgroup2] if there is
// none.
func FindCgroup2() (CgroupMount, error) {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return CgroupMount{}, fmt.Errorf("looking for cgroup2: %w", err)
	}
	defer f.Close()
	return findCgroup2(f)
}

func findCgroup2(mountinfo io.Reader) (CgroupMount, error) {
	var m CgroupMount
	lines := bufio.NewScanner(mountinfo)
	for lines.Scan() {
		// The optional fields end with a dash; the type follows.
		before, after, _ := strings.Cut(lines.Text(), " - ")
		fields, rest := strings.Fields(before), strings.Fields(after)
		if len(fields) < 5 || len(rest) == 0 {
			continue
		}
		switch rest[0] {
		case "cgroup2":
			if m.Dir == "" {
				m.Dir = unescape(fields[4])
			}
		case "cgroup":
			m.Hybrid = true
		}
	}
	if err := lines.Err(); err != nil {
		return CgroupMount{}, fmt.Errorf("looking for cgroup2: %w", err)
	}
	if m.Dir == "" {
		return CgroupMount{}, ErrNoCgroup2
	}
	return m, nil
}

// unescape undoes the octal escapes of blanks and backslashes in mountinfo.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+4 <= len(s) {
			if c, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(c))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func cgroup2Answer(*session) answer {
	m, err := FindCgroup2()
	switch {
	case errors.Is(err, ErrNoCgroup2):
		return forbidden(err.Error(), "sudo mount -t cgroup2 none /sys/fs/cgroup, or boot with systemd.unified_cgroup_hierarchy=1")
	case err != nil:
		return unknown(err.Error(), "")
	case m.Hybrid:
		return present(m.Dir + " (hybrid: version 1 is mounted too)")
	default:
		return present(m.Dir)
	}
}
