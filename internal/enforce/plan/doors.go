package plan

import (
	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/policy"
	"github.com/turnstile-project/turnstile/internal/seccomp"
)

// doorPrctls are the operations of PR_SET_MM by which a process that may do so says that it
// runs another file: rules can be about that (prctl(2)).
var doorPrctls = []uint64{unix.PR_SET_MM_EXE_FILE, unix.PR_SET_MM_MAP}

// doorOf is the side door of each call that has one.
var doorOf = func() map[string]policy.Door {
	all := map[string]policy.Door{}
	for _, door := range policy.AllDoors.Doors() {
		for _, name := range door.Calls() {
			all[name] = door
		}
	}
	return all
}()

// closed says whether a door is.
func (o Options) closed(door policy.Door) bool { return o.Open&door == 0 }

// doors are the rules of the calls that go around the gate.
func doors(o Options) map[string][]seccomp.Rule {
	refuse := seccomp.Errno(unix.EPERM)
	all := map[string][]seccomp.Rule{}
	for name, door := range doorOf {
		if o.closed(door) {
			all[name] = []seccomp.Rule{{Action: refuse}}
		}
	}
	if o.closed(policy.DoorNamespaces) {
		// Its flags are in memory. All C libraries go on with clone.
		all["clone3"] = []seccomp.Rule{{Action: seccomp.Errno(unix.ENOSYS)}}
		for _, name := range []string{"clone", "unshare"} {
			for flag := uint64(1); flag <= policy.NamespaceFlags; flag <<= 1 {
				if policy.NamespaceFlags&flag != 0 {
					all[name] = append(all[name], when(0, flag, flag, refuse))
				}
			}
		}
	}
	for _, door := range (policy.AllDoors &^ o.Open).Doors() {
		for _, command := range door.Ioctls() {
			all["ioctl"] = append(all["ioctl"], when(1, anyInt, command, refuse))
		}
	}
	if !o.closed(policy.DoorFanotify) {
		// The gate has no part in a group that opens by itself.
		all["fanotify_mark"] = []seccomp.Rule{{Action: seccomp.Allow}}
	}
	if o.closed(policy.DoorPtrace) {
		for _, operation := range doorPrctls {
			all["prctl"] = append(all["prctl"], both(when(0, anyInt, unix.PR_SET_MM, refuse), when(1, anyInt, operation, refuse)))
		}
	}
	if o.FakeUndumpable {
		done := seccomp.Errno(0)
		all["prctl"] = append(all["prctl"], both(when(0, anyInt, unix.PR_SET_DUMPABLE, done), when(1, ^uint64(0), 0, done)))
	}
	if o.closed(policy.DoorDevices) {
		for name, mode := range map[string]uint8{"mknod": 1, "mknodat": 2} {
			all[name] = deviceRules(mode, o)
		}
	}
	all["socket"], all["socketpair"] = socketRules(o), socketPairRules(o)
	if o.Credentials {
		for _, name := range changers {
			all[name] = []seccomp.Rule{{Action: seccomp.Notify}}
		}
		for _, option := range []uint64{unix.PR_SET_SECUREBITS, unix.PR_SET_KEEPCAPS} {
			all["prctl"] = append(all["prctl"], when(0, anyInt, option, seccomp.Notify))
		}
	}
	return all
}
