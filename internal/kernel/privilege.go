package kernel

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// The privileges.
const (
	PrivilegeBPF       ID = "privilege.bpf"
	PrivilegePerfmon   ID = "privilege.perfmon"
	PrivilegeMemlock   ID = "privilege.memlock"
	PrivilegeSysPtrace ID = "privilege.sys_ptrace"
	PrivilegeSysAdmin  ID = "privilege.sys_admin"
)

var privilegeFeatures = []entry{
	{Feature{
		ID: PrivilegeBPF, Name: "CAP_BPF", Since: "5.8", Needs: required(Observe),
		Without: "No BPF program or map can be created.",
	}, func(s *session) answer { return s.capability(CapBPF) }},
	{Feature{
		ID: PrivilegePerfmon, Name: "CAP_PERFMON", Since: "5.8", Needs: required(Observe),
		Without: "No BPF program can trace or read kernel memory.",
	}, func(s *session) answer { return s.capability(CapPerfmon) }},
	{Feature{
		ID: PrivilegeMemlock, Name: "locked memory for BPF", Needs: required(Observe),
		Without: "Maps of useful size are refused before Linux 5.11, which counts them as locked memory.",
	}, (*session).memlockAnswer},
	{Feature{
		ID: PrivilegeSysPtrace, Name: "CAP_SYS_PTRACE", Since: "2.2", Needs: optional(Observe),
		Without: "--pid and --cgroup are limited to processes of the same user.",
	}, func(s *session) answer { return s.capability(CapSysPtrace) }},
	{Feature{
		ID: PrivilegeSysAdmin, Name: "CAP_SYS_ADMIN", Since: "2.2", Needs: required(Watch),
		Without: "Nobody but the administrator may watch a whole file system.",
	}, func(s *session) answer { return s.capability(CapSysAdmin) }},
}

// observeCapabilities are the ones that observe asks for. Setting capabilities
// on a file replaces those which it has, so a command that grants one of them
// must name all.
var observeCapabilities = []Capability{CapBPF, CapPerfmon}

func (s *session) capability(c Capability) answer {
	switch {
	case !s.capabilities.Effective.Allows(c):
		return s.lacksCapability(c)
	case !s.initialUserNS:
		return s.onlyInNamespace(c)
	case !s.capabilities.Effective.Has(c):
		return present("by CAP_SYS_ADMIN")
	default:
		return present("")
	}
}

func (s *session) lacksCapability(c Capability) answer {
	return unprivileged(fmt.Sprintf("not among the effective capabilities of this process (uid %d)", unix.Geteuid()), s.grant(c))
}

func (s *session) onlyInNamespace(caps ...Capability) answer {
	return unprivileged("held in a user namespace, but the kernel asks for it in the initial one", s.grant(caps...))
}

// refused judges a call that needs caps and ended with EPERM or EACCES.
func (s *session) refused(err error, caps ...Capability) answer {
	lacking := slices.DeleteFunc(slices.Clone(caps), s.capabilities.Effective.Allows)
	switch {
	case len(lacking) > 0:
		return unprivileged(fmt.Sprintf("needs %s, which this process lacks (%s)", join(lacking), named(err)), s.grant(caps...))
	case !s.initialUserNS:
		return s.onlyInNamespace(caps...)
	default:
		return forbidden(fmt.Sprintf("refused with %s in spite of %s: by a security module, lockdown, a seccomp filter or a hardened kernel",
			named(err), join(caps)), "")
	}
}

// grant returns the command that gives caps to this program, or what stands in
// the way of any such command.
func (s *session) grant(caps ...Capability) string {
	if !s.initialUserNS {
		return "run it in the initial user namespace, outside of this container"
	}
	forBPF := slices.Contains(caps, CapBPF) || slices.Contains(caps, CapPerfmon)
	if forBPF {
		caps = slices.Clone(observeCapabilities)
		if memlockMatters(s.version) {
			caps = append(caps, CapSysResource)
		}
	}
	// What is not in the bounding set cannot come back: not from a file, not
	// by sudo (capabilities(7)).
	for _, c := range caps {
		if held, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, uintptr(c), 0, 0, 0); err == nil && held == 0 {
			return fmt.Sprintf("start it with %s in the bounding set (for docker: %s)", join(caps), dockerFlags(caps))
		}
	}
	if nnp, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); err == nil && nnp == 1 {
		return "start it from a shell without no_new_privs, which stops both sudo and file capabilities"
	}
	exe := program()
	// A file capability for more than BPF would make the program a way
	// around the permissions of every file or process.
	if !forBPF || onNosuid(exe) {
		return "sudo " + quote(exe)
	}
	names := make([]string, len(caps))
	for i, c := range caps {
		names[i] = strings.ToLower(c.String())
	}
	return fmt.Sprintf("sudo setcap %s=ep %s", strings.Join(names, ","), quote(exe))
}

func dockerFlags(caps []Capability) string {
	flags := make([]string, len(caps))
	for i, c := range caps {
		flags[i] = "--cap-add " + strings.TrimPrefix(c.String(), "CAP_")
	}
	return strings.Join(flags, " ")
}

// program returns the path of the running binary, as setcap(8) needs it.
func program() string {
	exe, err := os.Executable()
	if err != nil {
		return "turnstile"
	}
	return exe
}

// onNosuid reports whether file capabilities are ignored where path lies.
func onNosuid(path string) bool {
	var fs unix.Statfs_t
	return unix.Statfs(path, &fs) == nil && fs.Flags&unix.ST_NOSUID != 0
}

// quote makes path safe to paste into a shell.
func quote(path string) string {
	safe := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+@%:,", r)
	}
	if path != "" && strings.IndexFunc(path, func(r rune) bool { return !safe(r) }) < 0 {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}
