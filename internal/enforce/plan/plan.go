// Package plan turns a policy into what the kernel does without asking: a seccomp filter
// in which only the calls that some rule could say no to are notified.
//
// It reads the table of package syscalls and installs nothing. Start reading at [Filter].
package plan

import (
	"slices"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/policy"
	"github.com/turnstile-project/turnstile/internal/seccomp"
	"github.com/turnstile-project/turnstile/internal/syscalls"
)

// Options are what a filter is made for.
type Options struct {
	ABI event.ABI
	// Classes in which some rule could say something else than allow.
	Classes event.Class
	// Addresses are those of them in which that is said of addresses of sockets that
	// are no paths.
	Addresses event.Class
	// Fast are the classes that Landlock holds as the policy says: calls that do nothing
	// else are not notified.
	Fast event.Class
	// Verify says that calls with [syscalls.EffectVerify] are notified.
	Verify bool
	// FakeUndumpable lets prctl(PR_SET_DUMPABLE, 0) succeed without effect. A process
	// that nobody may look into cannot be gated without privilege, and ssh-agent and
	// gpg want to be one.
	FakeUndumpable bool
	// Credentials says that the calls of [ChangesCredentials] are notified.
	Credentials bool
	// Open are the side doors that are open, and Calls what is denied in any case.
	Open  policy.Door
	Calls []policy.CallRule
}

// changers are the calls after which a thread may have other rights than before.
var changers = []string{
	"setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setfsuid", "setfsgid",
	"setgroups", "capset",
}

// ChangesCredentials says whether a call may give a thread other rights than it had.
func ChangesCredentials(abi event.ABI, nr int32) bool {
	name, _ := syscalls.Known(abi, nr)
	return slices.Contains(changers, name) || name == "prctl"
}

// Filter is what the kernel does with every call.
func Filter(o Options) *seccomp.Filter {
	table := seccomp.Table{
		ABI: abis[o.ABI], Default: seccomp.Allow,
		Limit: syscalls.Limit(o.ABI), Unknown: seccomp.Errno(unix.ENOSYS),
		Rules: map[uint32][]seccomp.Rule{},
	}
	for _, nr := range syscalls.All(o.ABI) {
		if spec := syscalls.Lookup(o.ABI, nr); spec != nil {
			if rules := rulesOf(spec, o); rules != nil {
				table.Rules[uint32(nr)] = rules
			}
		}
	}
	for _, more := range []map[string][]seccomp.Rule{doors(o), detours(o)} {
		for name, rules := range more {
			if nr, known := syscalls.Number(o.ABI, name); known {
				table.Rules[uint32(nr)] = append(rules, table.Rules[uint32(nr)]...)
			}
		}
	}
	for nr := range table.Limit {
		if _, known := syscalls.Known(o.ABI, int32(nr)); !known && !isProbe(o.ABI, nr) {
			table.Rules[nr] = []seccomp.Rule{{Action: table.Unknown}}
		}
	}
	deny(&table, o.ABI, o.Calls, itself)
	if o.closed(policy.DoorForeignABI) {
		return &seccomp.Filter{Tables: []seccomp.Table{table}, Other: seccomp.Errno(unix.ENOSYS)}
	}
	return &seccomp.Filter{Tables: append([]seccomp.Table{table}, foreign(o)...), Other: seccomp.Allow}
}

// isProbe says whether a number is uretprobe or uprobe, which the kernel puts into the
// code of processes that are being traced (arch/x86/kernel/uprobes.c).
func isProbe(abi event.ABI, nr uint32) bool {
	return abi == event.X8664 && (nr == 335 || nr == 336)
}

var abis = map[event.ABI]seccomp.ABI{
	event.X8664: seccomp.X8664, event.X32: seccomp.X32, event.I386: seccomp.I386,
	event.ARM64: seccomp.ARM64, event.ARM: seccomp.ARM,
}

// rulesOf are the rules of a call that names files, nil if it is allowed whatever it says.
func rulesOf(spec *syscalls.Spec, o Options) []seccomp.Rule {
	switch spec.Effect() {
	case syscalls.EffectNone, syscalls.EffectPass:
		return nil
	case syscalls.EffectRefuse:
		return nil // behind a door
	case syscalls.EffectVerify:
		if !o.Verify {
			return nil
		}
	}
	if o.Classes&event.Bind != 0 {
		// While a path is bound nobody may change what it leads to.
		o.Classes |= event.Create | event.Delete
	}
	if spec.Op == event.OpListen && o.Addresses&event.Bind == 0 {
		return nil // the path of a socket was judged when it was bound
	}
	var rules []seccomp.Rule
	if isBound(spec) && spec.Classes()&o.Classes&o.Fast != 0 {
		o.Classes &^= o.Fast
		rules = unbound(spec)
	}
	otherwise := seccomp.Rule{Action: seccomp.Notify}
	if spec.Classes()&o.Classes == 0 {
		if rules == nil {
			return nil
		}
		otherwise.Action = seccomp.Allow
	}
	for _, v := range spec.Variants() {
		rule := seccomp.Rule{Action: seccomp.Notify}
		if v.Classes&o.Classes == 0 {
			rule.Action = seccomp.Allow
		}
		if v.Mask != 0 || v.Value != 0 {
			rule.Conditions = []seccomp.Condition{{Arg: v.Arg, Mask: v.Mask, Value: v.Value}}
		}
		rules = append(rules, rule)
	}
	return append(rules, otherwise)
}

// isBound says whether Landlock holds all that a call can do in the classes that it holds,
// but for what unbound says. What openat2(2) does is in memory.
func isBound(spec *syscalls.Spec) bool {
	switch spec.Op {
	case event.OpOpen:
		return spec.Name != "openat2"
	case event.OpTruncate, event.OpMkdir, event.OpMknod, event.OpSymlink, event.OpUnlink, event.OpRmdir:
		return true
	}
	return false
}

// Unbound says whether an open with these flags does something for which Landlock has no
// right: make a file without a name, or open one for ioctl(2) only. Before ABI 3 there is
// none for O_TRUNC without writing.
func Unbound(flags uint64, abi int) bool {
	return flags&tmpfile != 0 || flags&unix.O_ACCMODE == unix.O_ACCMODE ||
		abi < abiTruncate && flags&(unix.O_ACCMODE|unix.O_TRUNC) == unix.O_RDONLY|unix.O_TRUNC
}

// tmpfile is __O_TMPFILE, include/uapi/asm-generic/fcntl.h.
const tmpfile = unix.O_TMPFILE &^ unix.O_DIRECTORY

// unbound are the rules that have such opens notified. Before ABI 3 writing is not fast.
func unbound(spec *syscalls.Spec) []seccomp.Rule {
	for i, role := range spec.Args {
		if arg := uint8(i); role == syscalls.Flags && spec.Op == event.OpOpen {
			return []seccomp.Rule{
				when(arg, unix.O_PATH, unix.O_PATH, seccomp.Allow), // as ever
				when(arg, tmpfile, tmpfile, seccomp.Notify),
				when(arg, unix.O_ACCMODE, unix.O_ACCMODE, seccomp.Notify),
			}
		}
	}
	return nil
}
