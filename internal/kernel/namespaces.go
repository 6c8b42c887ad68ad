package kernel

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Namespaces and cgroups.
const (
	UserNamespace ID = "ns.user"
	PIDNamespace  ID = "ns.pid"
	Cgroup2       ID = "ns.cgroup2"
)

var namespaceFeatures = []entry{
	{Feature{
		ID: UserNamespace, Name: "user namespaces", Since: "3.8", Config: "CONFIG_USER_NS",
		Without: "Nothing that Turnstile needs: sandboxes inside a target, like a browser's, do without or do not start.",
	}, userNamespaceAnswer},
	{Feature{
		ID: PIDNamespace, Name: "the initial PID namespace", Needs: optional(Observe),
		Without: "The kernel's process numbers, which programs see, are not the ones of this container.",
	}, pidNamespaceAnswer},
	{Feature{
		ID: Cgroup2, Name: "cgroup version 2", Since: "4.5", Config: "CONFIG_CGROUPS", Needs: optional(Observe),
		Without: "--cgroup does not work.",
	}, cgroup2Answer},
}

// The inode numbers of the initial namespaces (PROC_USER_INIT_INO and
// PROC_PID_INIT_INO in include/linux/proc_ns.h).
const (
	initialUserIno = 0xEFFFFFFD
	initialPIDIno  = 0xEFFFFFFC
)

// inInitialUserNamespace reports true where /proc does not tell: a wrong true
// leads to advice that does not help, a wrong false would deny what works.
func inInitialUserNamespace() bool {
	var st unix.Stat_t
	return unix.Stat("/proc/self/ns/user", &st) != nil || st.Ino == initialUserIno
}

func pidNamespaceAnswer(*session) answer {
	const link = "/proc/self/ns/pid"
	var st unix.Stat_t
	if err := unix.Stat(link, &st); err != nil {
		return unknown(fmt.Sprintf("looking at %s: %s", link, named(err)), "")
	}
	if st.Ino == initialPIDIno {
		return present("")
	}
	return forbidden(fmt.Sprintf("this process is in PID namespace %d", st.Ino),
		"run it in the initial PID namespace (for docker: --pid host)")
}
