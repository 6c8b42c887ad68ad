// Command guest is process 1 of the machines that the matrix boots. It makes the
// system ready, runs the test binaries of the plan as its children, and switches the
// machine off.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/kernel"
	"github.com/turnstile-project/turnstile/matrix/plan"
)

func main() {
	if os.Getpid() != 1 {
		probe()
		return
	}
	if err := run(); err != nil {
		fmt.Printf("\n%sfailed %v\n", plan.Mark, err)
	} else {
		fmt.Printf("\n%sdone\n", plan.Mark)
	}
	unix.Sync()
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
	select {}
}

func run() error {
	for _, f := range []func() error{mountAll, loopbackUp, limitMessages} {
		if err := f(); err != nil {
			return err
		}
	}
	text, err := os.ReadFile(plan.File)
	if err != nil {
		return fmt.Errorf("reading the plan: %w", err)
	}
	var p plan.Plan
	if err := json.Unmarshal(text, &p); err != nil {
		return fmt.Errorf("reading the plan: %w", err)
	}
	if err := tellFeatures(); err != nil {
		return err
	}
	for _, s := range p.Suites {
		fmt.Printf("\n%sbegin %s\n", plan.Mark, s.Package)
		status, err := runSuite(s)
		if err != nil {
			return err
		}
		fmt.Printf("\n%send %s %d\n", plan.Mark, s.Package, status)
	}
	return nil
}

// tellFeatures lets a child ask the kernel what it can do: some of the questions end the
// thread that asks.
func tellFeatures() error {
	cmd := exec.Command("/proc/self/exe")
	cmd.Stderr = os.Stdout
	features, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("asking the kernel what it can do: %w", err)
	}
	fmt.Printf("\n%sfeatures %s\n", plan.Mark, features)
	return nil
}

// probe prints the answers of the kernel.
func probe() {
	answers := map[kernel.ID]string{}
	for _, r := range kernel.Probe() {
		answers[r.ID] = r.State.String()
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		panic(err)
	}
}

// runSuite runs a test binary, and waits for it and meanwhile for every orphan.
func runSuite(s plan.Suite) (status int, err error) {
	cmd := exec.Command(s.Binary, "-test.v", "-test.short", "-test.timeout=25m", "-test.run="+s.Run, "-test.skip="+s.Skip)
	cmd.Dir = filepath.Join("/src", s.Package)
	cmd.Env = []string{
		"PATH=/usr/sbin:/usr/bin", "HOME=/root", "LC_ALL=C", "TERM=dumb",
		"TURNSTILE_TARGETS=/targets", "TURNSTILE_TEST_STRICT=1",
	}
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stdout
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return 0, fmt.Errorf("starting %q: %w", s.Binary, err)
	}
	for {
		var ws syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &ws, 0, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return 0, fmt.Errorf("waiting for %q: %w", s.Binary, err)
		case pid == cmd.Process.Pid && ws.Signaled():
			return 128 + int(ws.Signal()), nil
		case pid == cmd.Process.Pid:
			return ws.ExitStatus(), nil
		}
	}
}

func mountAll() error {
	for _, m := range []struct{ source, dir, kind, options string }{
		{"proc", "/proc", "proc", ""},
		{"sysfs", "/sys", "sysfs", ""},
		{"devtmpfs", "/dev", "devtmpfs", ""},
		{"devpts", "/dev/pts", "devpts", "mode=0620,ptmxmode=0666"},
		{"tmpfs", "/dev/shm", "tmpfs", "mode=1777"},
		{"tmpfs", "/tmp", "tmpfs", "mode=1777"},
		{"tmpfs", "/var/tmp", "tmpfs", "mode=1777"},
		{"tmpfs", "/run", "tmpfs", "mode=0755"},
		{"cgroup2", "/sys/fs/cgroup", "cgroup2", ""},
		{"tracefs", "/sys/kernel/tracing", "tracefs", ""},
		{"securityfs", "/sys/kernel/security", "securityfs", ""},
		// A hierarchy of version 1, for the test that it is refused.
		{"cgroup", "/run/cgroup1", "cgroup", "none,name=matrix"},
	} {
		if err := os.MkdirAll(m.dir, 0o755); err != nil {
			return fmt.Errorf("making %q: %w", m.dir, err)
		}
		if err := unix.Mount(m.source, m.dir, m.kind, 0, m.options); err != nil && !errors.Is(err, unix.EBUSY) {
			return fmt.Errorf("mounting %q: %w", m.dir, err)
		}
	}
	for link, text := range map[string]string{"/dev/fd": "/proc/self/fd", "/dev/stdin": "/proc/self/fd/0", "/dev/stdout": "/proc/self/fd/1", "/dev/stderr": "/proc/self/fd/2", "/dev/ptmx": "/dev/pts/ptmx"} {
		if err := os.Symlink(text, link); err != nil && !errors.Is(err, os.ErrExist) {
			return fmt.Errorf("making %q: %w", link, err)
		}
	}
	return nil
}

// loopbackUp switches the loopback device on (netdevice(7)).
func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("opening a socket: %w", err)
	}
	defer func() { _ = unix.Close(fd) }()
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	request.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCSIFFLAGS, uintptr(unsafe.Pointer(request))); errno != 0 {
		return fmt.Errorf("switching the loopback device on: %w", errno)
	}
	return nil
}

// limitMessages keeps the kernel from writing between the lines of the tests what is
// no more than a warning.
func limitMessages() error {
	return os.WriteFile("/proc/sys/kernel/printk", []byte("4 4 1 7"), 0o644)
}
