package kernel

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Landlock and what each version of its ABI added
// (Documentation/userspace-api/landlock.rst).
const (
	Landlock            ID = "landlock"
	LandlockRefer       ID = "landlock.refer"
	LandlockTruncate    ID = "landlock.truncate"
	LandlockNetTCP      ID = "landlock.net_tcp"
	LandlockIoctlDev    ID = "landlock.ioctl_dev"
	LandlockScope       ID = "landlock.scope"
	LandlockAudit       ID = "landlock.audit"
	LandlockTSync       ID = "landlock.tsync"
	LandlockResolveUnix ID = "landlock.resolve_unix"
)

const landlockConfig = "CONFIG_SECURITY_LANDLOCK"

var landlockFeatures = []entry{
	{Feature{
		ID: Landlock, Name: "Landlock", Since: "5.13", Config: landlockConfig, Needs: optional(Enforce),
		Without: "Every call is performed by the supervisor, and exec is bound by ptrace alone.",
	}, (*session).landlockAnswer},
	landlockFeature(2, Feature{
		ID: LandlockRefer, Name: "Landlock REFER", Since: "5.19", Needs: optional(Enforce),
		Without: "Nothing: renames and links are performed by the supervisor.",
	}),
	landlockFeature(3, Feature{
		ID: LandlockTruncate, Name: "Landlock TRUNCATE", Since: "6.2", Needs: optional(Enforce),
		Without: "Truncating without writing is judged by the supervisor only; --fast does not leave writing to the kernel.",
	}),
	landlockFeature(4, Feature{
		ID: LandlockNetTCP, Name: "Landlock TCP ports", Since: "6.7", Needs: optional(Enforce),
		Without: "TCP connects and binds are judged by the supervisor only.",
	}),
	landlockFeature(5, Feature{
		ID: LandlockIoctlDev, Name: "Landlock device ioctls", Since: "6.10", Needs: optional(Enforce),
		Without: "Requests to an opened device are not bounded.",
	}),
	landlockFeature(6, Feature{
		ID: LandlockScope, Name: "Landlock scopes", Since: "6.12", Needs: optional(Enforce),
		Without: "The target may signal other processes of its user; abstract sockets are judged by the supervisor only.",
	}),
	landlockFeature(7, Feature{
		ID: LandlockAudit, Name: "Landlock audit control", Since: "6.15", Needs: optional(Enforce),
		Without: "What Landlock denies is not in the audit log.",
	}),
	landlockFeature(8, Feature{
		ID: LandlockTSync, Name: "Landlock TSYNC", Since: "7.0",
		Without: "Nothing that Turnstile needs: it starts its targets with one thread.",
	}),
	landlockFeature(9, Feature{
		ID: LandlockResolveUnix, Name: "Landlock named sockets", Since: "7.1", Needs: optional(Enforce),
		Without: "Connecting to a named socket is performed by the supervisor, whose credentials the peer then sees.",
	}),
}

// landlockFeature is the row of what came with version abi.
func landlockFeature(abi int, f Feature) entry {
	f.Config = landlockConfig
	return entry{f, func(s *session) answer {
		got, err := s.landlock()
		if err != nil {
			return s.landlockAnswer()
		}
		if got < abi {
			return lacking(fmt.Sprintf("came with Landlock ABI %d, this kernel has %d", abi, got))
		}
		return present(fmt.Sprintf("ABI %d", abi))
	}}
}

func (s *session) landlockAnswer() answer {
	abi, err := s.landlock()
	switch {
	case err == nil:
		return present(fmt.Sprintf("ABI %d", abi))
	case is(err, unix.ENOSYS):
		return lacking("the kernel has no Landlock (ENOSYS)")
	case is(err, unix.EOPNOTSUPP):
		modules, _ := s.modules()
		return forbidden("Landlock is built in but was not enabled at boot (EOPNOTSUPP)", bootWith("landlock", modules))
	case is(err, unix.EPERM, unix.EACCES):
		return forbidden(fmt.Sprintf("landlock_create_ruleset(2) answers %s: a filter around this process forbids it", named(err)),
			"run it outside of that sandbox, or let the sandbox's profile allow landlock_create_ruleset(2)")
	default:
		return unknown("landlock_create_ruleset(2) answers "+named(err), "")
	}
}

// bootWith tells how to enable a security module beside the active ones. Those
// that are always there cannot be named (lsm= in
// Documentation/admin-guide/kernel-parameters.txt).
func bootWith(module string, active []string) string {
	if len(active) == 0 {
		return fmt.Sprintf("add %s to lsm= on the kernel command line (the active list is in /sys/kernel/security/lsm)", module)
	}
	always := []string{"capability", "ima", "evm"}
	names := slices.DeleteFunc(slices.Clone(active), func(m string) bool { return slices.Contains(always, m) })
	return fmt.Sprintf("boot with lsm=%s on the kernel command line", strings.Join(append(names, module), ","))
}
