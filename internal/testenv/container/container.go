// Package container runs programs in containers of runc and crun: for the tests that load
// profiles, and for measuring what the runtimes themselves need.
//
// Each runs in a mount and a pid namespace of its own, which take with them whatever a
// runtime leaves behind: see setup.sh. It needs root.
package container

import (
	"context"
	_ "embed" // setup.sh
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// setup is what happens in the mount namespace before the runtime starts.
//
//go:embed setup.sh
var setup string

// Runtime is a runtime of containers.
type Runtime struct {
	// Program is runc or crun, as it is to be found in Root.
	Program string
	// Root is a directory with the file system that the runtime is run in: a Debian
	// of another age. Empty is this machine's.
	Root string
}

// Run runs one container to its end. Its bundle is made in dir. Unless the specification
// names a root, the container sees the file system of the machine, read-only but for the
// mounts of the specification. The error is that of [exec.Cmd.Run].
//
// When ctx ends, so does the container.
func (r Runtime) Run(ctx context.Context, dir string, spec *specs.Spec, stdout, stderr io.Writer) error {
	host := ""
	if spec.Root == nil {
		host = "host"
		spec.Root = &specs.Root{Path: "rootfs", Readonly: true}
	}
	if err := os.MkdirAll(filepath.Join(dir, "rootfs"), 0o755); err != nil {
		return err
	}
	config, err := json.Marshal(spec)
	if err != nil {
		return fmt.Errorf("writing the container's configuration: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "config.json"), config, 0o644); err != nil {
		return err
	}
	id := fmt.Sprintf("turnstile-%d-%d", os.Getpid(), time.Now().UnixNano())
	cmd := exec.CommandContext(ctx, "unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc",
		"sh", "-euc", setup, "setup", r.Program, dir, id, host, r.Root)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	err = cmd.Run()
	return errors.Join(err, removeCgroups(id))
}

// removeCgroups removes what a runtime has left of a container: runc does if it fails.
func removeCgroups(id string) error {
	var left []string
	err := filepath.WalkDir("/sys/fs/cgroup", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && d.Name() == id {
			left = append(left, path)
		}
		return nil // what vanishes meanwhile belongs to others
	})
	for _, dir := range left {
		// The last process may not be gone yet, if it was killed.
		removed := os.Remove(dir)
		for tries := 0; removed != nil && !errors.Is(removed, fs.ErrNotExist) && tries < 200; tries++ {
			time.Sleep(10 * time.Millisecond)
			removed = os.Remove(dir)
		}
		if !errors.Is(removed, fs.ErrNotExist) {
			err = errors.Join(err, removed)
		}
	}
	return err
}
