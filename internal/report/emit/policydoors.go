package emit

import (
	"fmt"
	"slices"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/policy"
	"github.com/turnstile-project/turnstile/internal/profile"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// doorsOf are the side doors that a trace went through. A call that always failed went
// through none.
func doorsOf(d *trace.Document) policy.Door {
	var open policy.Door
	for _, c := range d.Syscalls {
		if c.ABI != d.Host.Arch && c.Count > 0 {
			open |= policy.DoorForeignABI
		}
		if d.Results && c.Errors.Total() >= c.Count && c.Count > 0 {
			continue
		}
		for _, door := range policy.AllDoors.Doors() {
			if slices.Contains(door.Calls(), c.Name) || c.Name == "ioctl" && slices.ContainsFunc(argumentValues(c, 1), func(v uint64) bool { return slices.Contains(door.Ioctls(), v) }) {
				open |= door
			}
		}
		switch c.Name {
		case "clone", "clone3", "unshare":
			if slices.ContainsFunc(argumentValues(c, 0), func(v uint64) bool { return v&policy.NamespaceFlags != 0 }) {
				open |= policy.DoorNamespaces
			}
		case "socket", "socketpair":
			open |= doorOfFamilies(argumentValues(c, 0))
		}
	}
	for _, s := range d.Sockets {
		if s.Type == "raw" && (s.Family == "inet" || s.Family == "inet6") {
			open |= policy.DoorRawSockets
		}
	}
	return open
}

func argumentValues(c *trace.Syscall, index int) []uint64 {
	for _, a := range c.Args {
		if a.Index == index {
			return a.Values
		}
	}
	return nil
}

func doorOfFamilies(families []uint64) (open policy.Door) {
	for _, f := range families {
		switch f {
		case unix.AF_UNSPEC, unix.AF_UNIX, unix.AF_INET, unix.AF_INET6, unix.AF_NETLINK:
		case unix.AF_PACKET, unix.AF_XDP:
			open |= policy.DoorRawSockets
		default:
			open |= policy.DoorSocketFamilies
		}
	}
	return open
}

// policyNotes say which doors a policy opens, and what it is not sure of.
func policyNotes(in *Input) []string {
	var notes []string
	for _, door := range doorsOf(in.Trace).Doors() {
		notes = append(notes, fmt.Sprintf("the side door %v is opened, as it was used: %s are not held", door, door.Bypasses()))
	}
	if slices.ContainsFunc(in.Profile.Files, func(f profile.File) bool { return allowedClasses(&f) != 0 && !utf8.ValidString(f.Pattern.String()) }) {
		notes = append(notes, "a byte of a name that is no UTF-8 is any character in the policy")
	}
	for _, c := range in.Trace.Syscalls {
		if slices.Contains([]string{"unshare", "socket"}, c.Name) && len(c.Args) == 0 && c.Count > 0 {
			notes = append(notes, "the trace does not have the arguments of "+c.Name+": whether it needs a side door is not known (observe --args)")
		}
	}
	rules, more := socketRules(in.Profile)
	for _, r := range rules {
		if r.why != "" {
			notes = append(notes, fmt.Sprintf("%v of %s is allowed, which is more than was seen (%s)", r.class, r.text, r.why))
		}
	}
	return append(notes, more...)
}

// doors writes the side doors that are open.
func (p *policyWriter) doors(in *Input) {
	open := doorsOf(in.Trace)
	if open == 0 {
		return
	}
	fmt.Fprint(p, "# What came through these side doors is not held.\nopen:\n")
	for _, door := range open.Doors() {
		fmt.Fprintf(p, "  - %v # %s\n", door, door.What())
	}
}
