package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// The kernel as a whole.
const (
	KernelRelease   ID = "kernel.release"
	KernelArch      ID = "kernel.arch"
	BTF             ID = "kernel.btf"
	Lockdown        ID = "kernel.lockdown"
	PtraceScope     ID = "kernel.ptrace_scope"
	UnprivilegedBPF ID = "kernel.unprivileged_bpf"
	IOUring         ID = "kernel.io_uring"
)

var kernelFeatures = []entry{
	{Feature{
		ID: KernelRelease, Name: "kernel release",
		Without: "Versions cannot be compared, so explanations are poorer.",
	}, releaseAnswer},
	{Feature{ID: KernelArch, Name: "architecture"}, archAnswer},
	{Feature{
		ID: BTF, Name: "kernel type information (BTF)", Since: "5.4", Config: "CONFIG_DEBUG_INFO_BTF", Needs: required(Observe),
		Without: "Programs cannot be fitted to the structures of this kernel.",
	}, (*session).btfAnswer},
	{Feature{
		ID: Lockdown, Name: "lockdown below confidentiality", Since: "5.4", Needs: required(Observe),
		Without: "No program may read kernel memory, root's neither.",
	}, (*session).lockdownAnswer},
	{Feature{
		ID: PtraceScope, Name: "ptrace of one's own children", Since: "3.4", Needs: required(Enforce),
		Without: "The arguments of a call cannot be read, so no call can be judged.",
	}, (*session).ptraceScopeAnswer},
	{Feature{ID: UnprivilegedBPF, Name: "kernel.unprivileged_bpf_disabled", Since: "4.4"}, unprivilegedBPFAnswer},
	{Feature{
		ID: IOUring, Name: "io_uring", Since: "5.1", Config: "CONFIG_IO_URING",
		Without: "Nothing that Turnstile needs: programs fall back to system calls, which it sees.",
	}, ioUringAnswer},
}

func releaseAnswer(*session) answer {
	release, _, err := Release()
	if err != nil {
		return unknown(err.Error(), "")
	}
	if _, err := ParseVersion(release); err != nil {
		return unknown(err.Error(), "")
	}
	return present(release)
}

func archAnswer(*session) answer {
	_, machine, err := Release()
	if err != nil {
		return unknown(err.Error(), "")
	}
	return present(machine)
}

// lockdownAnswer reads the mode (kernel_lockdown(7)). Integrity does not matter
// to observe; confidentiality takes bpf_probe_read_kernel away. Where the file
// cannot be read, a program that uses this helper gives the answer.
func (s *session) lockdownAnswer() answer {
	const file = "/sys/kernel/security/lockdown"
	text, err := os.ReadFile(file)
	if err == nil {
		return judgeLockdown(string(text))
	}
	if modules, listErr := s.modules(); listErr == nil && !slices.Contains(modules, "lockdown") {
		return present("the lockdown module is not active")
	}
	if s.readKernelAnswer().State == Present {
		return present("none or integrity: a program may read kernel memory")
	}
	return unknown(fmt.Sprintf("%s cannot be read (%s)", file, named(cause(err))), "sudo mount -t securityfs securityfs /sys/kernel/security")
}

// judgeLockdown reads "none [integrity] confidentiality": the brackets mark the
// active mode (security/lockdown/lockdown.c).
func judgeLockdown(text string) answer {
	_, rest, _ := strings.Cut(text, "[")
	mode, _, ok := strings.Cut(rest, "]")
	switch {
	case !ok:
		return unknown(fmt.Sprintf("parsing lockdown mode %q: none is marked", strings.TrimSpace(text)), "")
	case mode == "confidentiality":
		return answer{
			State: Missing, Cause: CausePolicy, Detail: mode,
			Reason: "lockdown is in confidentiality mode, which forbids programs to read kernel memory",
			Fix:    "boot with lockdown=integrity on the kernel command line; integrity is enough for Secure Boot",
		}
	default:
		return present(mode)
	}
}

// ptraceScopeAnswer reads Yama's setting. Reading a target's memory and taking
// its descriptors are PTRACE_MODE_ATTACH accesses: Yama lets a parent do so
// in scope 1, only CAP_SYS_PTRACE in scope 2 and nobody in scope 3
// (Documentation/admin-guide/LSM/Yama.rst).
func (s *session) ptraceScopeAnswer() answer {
	scope, err := sysctl("kernel.yama.ptrace_scope")
	if errors.Is(err, fs.ErrNotExist) {
		return present("Yama is not active")
	}
	if err != nil {
		return unknown(err.Error(), "")
	}
	detail := "scope " + scope
	const fix = "sudo sysctl kernel.yama.ptrace_scope=1"
	switch {
	case scope == "0" || scope == "1":
		return present(detail)
	case scope == "2" && s.capabilities.Effective.Has(CapSysPtrace):
		return present(detail + ", with CAP_SYS_PTRACE")
	case scope == "2":
		return answer{
			State: Missing, Cause: CausePolicy, Detail: detail, Fix: fix,
			Reason: "kernel.yama.ptrace_scope is 2: only CAP_SYS_PTRACE may read another process's memory",
		}
	default:
		return answer{
			State: Missing, Cause: CausePolicy, Detail: detail, Fix: fix + " in sysctl.d, and a reboot: a running kernel does not lower scope 3",
			Reason: fmt.Sprintf("kernel.yama.ptrace_scope is %s: nobody may read another process's memory", scope),
		}
	}
}

// unprivilegedBPFAnswer is a fact: observe asks for CAP_BPF in any case
// (Documentation/admin-guide/sysctl/kernel.rst).
func unprivilegedBPFAnswer(*session) answer {
	value, err := sysctl("kernel.unprivileged_bpf_disabled")
	if errors.Is(err, fs.ErrNotExist) {
		return lacking("there is no such setting")
	}
	if err != nil {
		return unknown(err.Error(), "")
	}
	meaning := map[string]string{
		"0": "anybody may load simple programs",
		"1": "only CAP_BPF, until reboot",
		"2": "only CAP_BPF",
	}
	return present(strings.TrimSuffix(value+": "+meaning[value], ": "))
}

// ioUringAnswer asks for a ring without saying where its parameters are:
// io_uring_setup(2) checks whether it is allowed before it reads them.
func ioUringAnswer(*session) answer {
	fd, _, errno := unix.Syscall(unix.SYS_IO_URING_SETUP, 1, 0, 0)
	switch errno {
	case 0:
		// It cannot happen, but a descriptor must not leak if it does.
		_ = unix.Close(int(fd))
		return present("")
	case unix.EFAULT:
		return present("its operations are not system calls: observe says so, enforce closes it")
	case unix.ENOSYS:
		return lacking("the kernel has no io_uring (ENOSYS)")
	case unix.EPERM:
		value, err := sysctl("kernel.io_uring_disabled")
		if err != nil || value == "0" {
			return forbidden("io_uring_setup(2) answers EPERM: a seccomp filter or a security module forbids it", "")
		}
		return forbidden("kernel.io_uring_disabled is "+value+" (EPERM)", "")
	default:
		return unknown("io_uring_setup(2) answers "+named(errno), "")
	}
}

// sysctl reads a setting by the name that sysctl(8) has for it.
func sysctl(name string) (string, error) {
	text, err := os.ReadFile("/proc/sys/" + strings.ReplaceAll(name, ".", "/"))
	if err != nil {
		return "", fmt.Errorf("reading sysctl %s: %w", name, cause(err))
	}
	return strings.TrimSpace(string(text)), nil
}

// cause strips the path from an error of package os, for sentences that have
// named it already.
func cause(err error) error {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return pathErr.Err
	}
	return err
}
