package plan

import (
	"strings"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/policy"
	"github.com/turnstile-project/turnstile/internal/seccomp"
	"github.com/turnstile-project/turnstile/internal/syscalls"
)

// deny puts the static rules of a policy in the place of all others of a table. They mean a
// call by any of the names that names says it has.
func deny(table *seccomp.Table, abi event.ABI, rules []policy.CallRule, names func(string) []string) {
	for _, nr := range syscalls.All(abi) {
		if uint32(nr) >= table.Limit {
			continue // the private calls of ARM
		}
		switch r := policy.FindCallRule(rules, names(syscalls.Name(abi, nr))...); {
		case r == nil:
		case r.Kill:
			table.Rules[uint32(nr)] = []seccomp.Rule{{Action: seccomp.KillProcess}}
		default:
			table.Rules[uint32(nr)] = []seccomp.Rule{{Action: seccomp.Errno(r.Fails())}}
		}
	}
}

// itself is the only name of a call of the ABI that policies are written in.
func itself(name string) []string { return []string{name} }

// aliases are the name of a call and those by which a rule may mean it: 32-bit ABIs have
// calls that differ in the size of an argument alone, some under an older name, and two that
// stand for many.
func aliases(name string) []string {
	names := []string{name}
	for _, suffix := range []string{"_time64", "64", "32"} {
		if stem, found := strings.CutSuffix(name, suffix); found {
			names = append(names, stem)
			break
		}
	}
	return append(names, olderNames[name]...)
}

// olderNames are calls of 32-bit ABIs, and what they do by the names of other ABIs
// (arch/x86/entry/syscalls/syscall_32.tbl).
var olderNames = map[string][]string{
	"mmap2":      {"mmap"},
	"umount":     {"umount2"},
	"waitpid":    {"wait4"},
	"_newselect": {"select"},
	"_llseek":    {"lseek"},
	"stime":      {"settimeofday", "clock_settime"},
	"nice":       {"setpriority"},
	"socketcall": {
		"socket", "bind", "connect", "listen", "accept", "getsockname", "getpeername", "socketpair", "sendto", "recvfrom",
		"shutdown", "setsockopt", "getsockopt", "sendmsg", "recvmsg", "accept4", "recvmmsg", "sendmmsg",
	},
	"ipc": {
		"semop", "semget", "semctl", "semtimedop", "msgsnd", "msgrcv", "msgget", "msgctl", "shmat", "shmdt", "shmget", "shmctl",
	},
}

// foreign are the tables of the other ABIs of a processor when their door is open: with the
// static rules alone.
func foreign(o Options) []seccomp.Table {
	var tables []seccomp.Table
	for _, abi := range map[event.ABI][]event.ABI{event.X8664: {event.I386, event.X32}, event.ARM64: {event.ARM}}[o.ABI] {
		table := seccomp.Table{
			ABI: abis[abi], Default: seccomp.Allow, Limit: syscalls.Limit(abi), Unknown: seccomp.Allow,
			Rules: map[uint32][]seccomp.Rule{},
		}
		deny(&table, abi, o.Calls, aliases)
		tables = append(tables, table)
	}
	return tables
}
