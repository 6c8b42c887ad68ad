package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/seccomp"
	"github.com/turnstile-project/turnstile/internal/syscalls"
	"github.com/turnstile-project/turnstile/internal/testenv/container"
)

// container starts the program in a container that has nothing else.
func (m *measurement) container(ctx context.Context, action string, allowed []string, stdout, stderr io.Writer) error {
	dir, err := os.MkdirTemp("", "measure-bundle")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	spec := container.Process(specs.User{}, "/", nil, "/start")
	spec.Process.NoNewPrivileges = m.noNewPrivileges
	spec.Root = &specs.Root{Path: "rootfs"}
	spec.Linux.Seccomp = &specs.LinuxSeccomp{
		DefaultAction: specs.ActErrno,
		Syscalls:      []specs.LinuxSyscall{{Names: allowed, Action: specs.ActAllow}},
	}
	switch action {
	case "kill":
		spec.Linux.Seccomp.DefaultAction = specs.ActKillProcess
	case "ENOSYS":
		errno := uint(unix.ENOSYS)
		spec.Linux.Seccomp.DefaultErrnoRet = &errno
	}
	if err := os.MkdirAll(filepath.Join(dir, "rootfs", "dev"), 0o755); err != nil {
		return err
	}
	program, err := os.ReadFile(m.program)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "rootfs", "start"), program, 0o755); err != nil {
		return err
	}
	return container.Runtime{Program: m.runtime, Root: m.root}.Run(ctx, dir, spec, stdout, stderr)
}

// bwrap has the filter as the kernel takes it.
func (m *measurement) bwrap(ctx context.Context, action string, allowed []string, stdout, stderr io.Writer) error {
	actions := map[string]seccomp.Action{
		"EPERM": seccomp.Errno(unix.EPERM), "ENOSYS": seccomp.Errno(unix.ENOSYS), "kill": seccomp.KillProcess,
	}
	rules := make(map[uint32][]seccomp.Rule)
	for _, name := range allowed {
		nr, _ := syscalls.Number(native, name)
		rules[uint32(nr)] = []seccomp.Rule{{Action: seccomp.Allow}}
	}
	filter := seccomp.Filter{
		Tables: []seccomp.Table{{ABI: filterABI, Rules: rules, Limit: 1 << 20, Default: actions[action], Unknown: actions[action]}},
		Other:  actions[action],
	}
	program, err := filter.Program()
	if err != nil {
		return err
	}
	file := filepath.Join(m.dir, "filter")
	var code bytes.Buffer
	for _, i := range program {
		if err := binary.Write(&code, binary.NativeEndian, i); err != nil {
			return err
		}
	}
	if err := os.WriteFile(file, code.Bytes(), 0o644); err != nil {
		return err
	}
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	args := append([]string{"--dev-bind", "/", "/", "--seccomp", "3"}, strings.Fields(m.arguments)...)
	cmd := exec.CommandContext(ctx, "bwrap", append(args, "--", m.program)...)
	cmd.ExtraFiles = []*os.File{f}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	return cmd.Run()
}

func (m *measurement) firejail(ctx context.Context, action string, allowed []string, stdout, stderr io.Writer) error {
	args := append([]string{"--quiet", "--noprofile", "--seccomp-error-action=" + action}, strings.Fields(m.arguments)...)
	args = append(args, "--seccomp.keep="+strings.Join(allowed, ","), "--", m.program)
	cmd := exec.CommandContext(ctx, "firejail", args...)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	return cmd.Run()
}
