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

// boot runs one machine to its end and reads the results from its console.
func boot(ctx context.Context, r row, k kernel, disk, log string) (result, error) {
	ctx, cancel := context.WithTimeout(ctx, r.arch.limit)
	defer cancel()
	if err := os.MkdirAll(filepath.Dir(log), 0o755); err != nil {
		return result{}, fmt.Errorf("keeping the console: %w", err)
	}
	kept, err := os.Create(log)
	if err != nil {
		return result{}, fmt.Errorf("keeping the console: %w", err)
	}
	defer kept.Close()

	args := slices.Concat(r.arch.qemu[1:], []string{
		"-smp", "1", "-m", "3072", "-nographic", "-no-reboot", "-nic", "none",
		"-kernel", k.image, "-initrd", disk,
		// A panic ends the machine. Landlock is not in the default list of
		// every kernel that has it.
		"-append", "quiet panic=-1 lsm=landlock,lockdown,yama,bpf console=" + r.arch.console,
	})
	cmd := exec.CommandContext(ctx, r.arch.qemu[0], args...)
	cmd.Stderr = kept
	cmd.Cancel = func() error { return cmd.Process.Signal(unix.SIGKILL) }
	console, err := cmd.StdoutPipe()
	if err != nil {
		return result{}, fmt.Errorf("starting the machine: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return result{}, fmt.Errorf("starting the machine: %w", err)
	}
	res := result{row: r, kernel: k.pkg, log: log}
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
		res.problem("the machine did not end within %v", r.arch.limit)
	} else if err != nil {
		res.problem("qemu: %v", err)
	}
	res.close()
	return res, nil
}
