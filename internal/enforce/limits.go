package enforce

import (
	"bytes"
	"errors"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/enforce/resolve"
)

// limits are the soft limits of a process (getrlimit(2)).
type limits struct{ files, fileSize uint64 }

// limits of the target. To ask for them takes rights that are not always there, and to
// read them ten times as long.
func (c *call) limits() (l limits, err error) {
	c.asTracer(func() {
		if l, err = askLimits(c.tid()); err != nil {
			l, err = readLimits("/proc/" + strconv.Itoa(c.tid()) + "/limits")
		}
	})
	return l, err
}

func askLimits(tid int) (limits, error) {
	var files, size unix.Rlimit
	err := unix.Prlimit(tid, unix.RLIMIT_NOFILE, nil, &files)
	if err == nil {
		err = unix.Prlimit(tid, unix.RLIMIT_FSIZE, nil, &size)
	}
	return limits{files.Cur, size.Cur}, err
}

// readLimits reads proc_pid_limits(5).
func readLimits(file string) (limits, error) {
	fd, err := unix.Open(file, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return limits{}, err
	}
	defer func() { _ = unix.Close(fd) }()
	var b [2048]byte
	n, err := unix.Read(fd, b[:])
	if err != nil {
		return limits{}, err
	}
	return parseLimits(b[:n])
}

func parseLimits(text []byte) (l limits, err error) {
	found := 0
	for line := range bytes.Lines(text) {
		for name, value := range map[string]*uint64{"Max open files": &l.files, "Max file size": &l.fileSize} {
			rest, is := bytes.CutPrefix(line, []byte(name))
			fields := bytes.Fields(rest)
			if !is || len(fields) == 0 {
				continue
			}
			found++
			if string(fields[0]) == "unlimited" {
				*value = unix.RLIM_INFINITY
			} else if *value, err = strconv.ParseUint(string(fields[0]), 10, 64); err != nil {
				return l, err
			}
		}
	}
	if found != 2 {
		return l, errors.New("limits are missing")
	}
	return l, nil
}

// hasRoom says EMFILE if the target has as many descriptors as it may. The kernel looks
// before it makes or empties a file; a descriptor is given to the target after that. Before
// Linux 6.2 nobody tells how many there are.
func (c *call) hasRoom() error {
	l, err := c.limits()
	if err != nil {
		return unix.EACCES
	}
	var dir unix.Stat_t
	c.asTracer(func() { err = unix.Stat("/proc/"+strconv.Itoa(c.tid())+"/fd", &dir) })
	if err == nil && uint64(dir.Size) >= l.files {
		return unix.EMFILE
	}
	return nil
}

// limitSize is the target's RLIMIT_FSIZE (getrlimit(2)).
func (c *call) limitSize(o *resolve.Object, length int64) error {
	if length <= o.Stat.Size || !o.Is(unix.S_IFREG) {
		return nil
	}
	l, err := c.limits()
	if err != nil {
		return unix.EACCES
	}
	if uint64(length) > l.fileSize {
		c.asTracer(func() { _ = unix.Tgkill(c.tgid(), c.tid(), unix.SIGXFSZ) })
		return unix.EFBIG
	}
	return nil
}
