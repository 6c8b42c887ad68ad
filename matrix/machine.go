package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// machine is a kernel and the disk to boot it with.
type machine struct {
	row    row
	kernel bootable
	disk   string // an initial RAM disk, removed at the end: it is large
	log    string // where the console is kept
}

// boot runs the machine to its end and reads the results from its console.
func (m *machine) boot(ctx context.Context, res *result) error {
	defer func() { _ = os.Remove(m.disk) }()
	arch := m.row.arch
	ctx, cancel := context.WithTimeout(ctx, arch.limit)
	defer cancel()
	if err := os.MkdirAll(filepath.Dir(m.log), 0o755); err != nil {
		return fmt.Errorf("keeping the console: %w", err)
	}
	kept, err := os.Create(m.log)
	if err != nil {
		return fmt.Errorf("keeping the console: %w", err)
	}
	defer kept.Close()

	args := slices.Concat(arch.qemu[1:], []string{
		"-smp", "1", "-m", "3072", "-nographic", "-no-reboot", "-nic", "none",
		"-kernel", m.kernel.image, "-initrd", m.disk,
		// A panic ends the machine. Landlock is not in the default list of
		// every kernel that has it.
		"-append", "quiet panic=-1 lsm=landlock,lockdown,yama,apparmor,bpf console=" + arch.console,
	})
	cmd := exec.CommandContext(ctx, arch.qemu[0], args...)
	cmd.Stderr = kept
	cmd.Cancel = func() error { return cmd.Process.Signal(unix.SIGKILL) }
	console, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("starting the machine: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting the machine: %w", err)
	}
	res.say("%s", res.kernel)
	lines := bufio.NewReader(io.TeeReader(console, kept))
	for {
		line, err := lines.ReadString('\n')
		res.read(strings.TrimRight(line, "\r\n"))
		if err != nil {
			break
		}
	}
	err = cmd.Wait()
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		res.problem("the machine did not end within %v", arch.limit)
	} else if err != nil {
		res.problem("qemu: %v", err)
	}
	res.close(len(suites))
	return nil
}
