package observe

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/kernel"
)

// ErrNotCgroup2 says that a directory is not one of the cgroup v2 hierarchy.
var ErrNotCgroup2 = errors.New("not a cgroup v2 directory")

// setCgroup makes dir the cgroup whose tasks are followed: those in it or below
// it at the time of a call, so that tasks which are moved in count too.
func setCgroup(m *ebpf.Map, dir string) error {
	f, err := openCgroup(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := mayLookBelow(dir); err != nil {
		return err
	}
	if err := m.Put(uint32(0), uint32(f.Fd())); err != nil {
		return fmt.Errorf("watching cgroup %q: %w", dir, err)
	}
	return nil
}

// mayLookBelow fails if the caller may not look into a process that is in the
// cgroup now. Those that come later are withheld by the kernel side.
func mayLookBelow(dir string) error {
	if !Restricted() {
		return nil
	}
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Name() != "cgroup.procs" {
			return err
		}
		pids, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("listing the processes of cgroup %q: %w", dir, err)
		}
		for pid := range strings.FieldsSeq(string(pids)) {
			// This link is guarded by PTRACE_MODE_READ (proc(5)).
			if _, err := os.Readlink("/proc/" + pid + "/exe"); errors.Is(err, fs.ErrPermission) {
				return fmt.Errorf("process %s in cgroup %q: %w", pid, dir, ErrForbidden)
			}
		}
		return nil
	})
}

func openCgroup(dir string) (*os.File, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("opening cgroup: %w", err)
	}
	var fs unix.Statfs_t
	if err := unix.Fstatfs(int(f.Fd()), &fs); err != nil {
		f.Close()
		return nil, fmt.Errorf("looking at cgroup %q: %w", dir, err)
	}
	if fs.Type == unix.CGROUP2_SUPER_MAGIC {
		return f, nil
	}
	f.Close()
	if mount, err := kernel.FindCgroup2(); err == nil {
		return nil, fmt.Errorf("%q: %w; on this machine they are below %q", dir, ErrNotCgroup2, mount.Dir)
	}
	return nil, fmt.Errorf("%q: %w, and none is mounted: %q mounts it", dir, ErrNotCgroup2, "mount -t cgroup2 none /sys/fs/cgroup")
}
