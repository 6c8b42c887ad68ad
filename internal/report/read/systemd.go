package read

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/quote"
	"github.com/turnstile-project/turnstile/internal/systemd"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// readSystemd reads a unit file or a drop-in: what its SystemCallFilter=,
// SystemCallArchitectures= and RestrictAddressFamilies= let a service do
// (systemd.exec(5)). Sections other than those that have a service's settings do not count.
func readSystemd(text []byte, c Context) (*Profile, error) {
	lines, ignored := unitFile(string(text))
	u := unit{errno: Action{Text: "kills the process"}}
	for _, n := range ignored {
		u.note("systemd ignores line %d", n)
	}
	for _, a := range lines {
		if slices.Contains([]string{"Service", "Socket", "Mount", "Swap"}, a.section) {
			u.read(a)
		}
	}
	if !u.spoke {
		return nil, errors.New("no line of it is about system calls (SystemCallFilter=, SystemCallArchitectures= or RestrictAddressFamilies= in [Service])")
	}
	p := &Profile{Format: "systemd", line: systemdLine}
	p.Filters = append(p.Filters, u.callFilter(c), u.familyFilter())
	if len(u.others) > 0 {
		slices.Sort(u.others)
		u.note("not judged: %s", strings.Join(slices.Compact(u.others), ", "))
	}
	u.notes = append(u.notes, unknownNames(u.unknown)...)
	p.Notes = u.notes
	return p, nil
}

// unit is what the lines of a unit file have said so far.
type unit struct {
	spoke bool
	// calls are those of the list: they are what is allowed, or what is denied and how.
	calls     map[string]Action
	allowList bool
	errno     Action
	archs     []event.ABI
	families  map[uint64]bool
	// familyList says that there is a list of families, and familyAllow that it is one of
	// what is allowed.
	familyList, familyAllow bool

	notes, others, unknown []string
}

func (u *unit) note(format string, args ...any) {
	u.notes = append(u.notes, fmt.Sprintf(format, args...))
}

// alsoFilters are settings that refuse system calls, or what they may do, by other means.
var alsoFilters = []string{
	"SystemCallLog", "RestrictNamespaces", "MemoryDenyWriteExecute", "RestrictRealtime", "RestrictSUIDSGID",
	"LockPersonality", "ProtectClock", "ProtectKernelModules", "ProtectKernelLogs", "ProtectKernelTunables", "ProtectHostname",
	"PrivateDevices", "SocketBindAllow", "SocketBindDeny", "IPAddressAllow", "IPAddressDeny",
}

func (u *unit) read(a assignment) {
	switch a.key {
	case "SystemCallFilter":
		u.spoke = true
		u.filter(a)
	case "SystemCallErrorNumber":
		u.setErrno(a)
	case "SystemCallArchitectures":
		u.spoke = true
		u.architectures(a)
	case "RestrictAddressFamilies":
		u.spoke = true
		u.restrictFamilies(a)
	default:
		if slices.Contains(alsoFilters, a.key) {
			u.others = append(u.others, a.key+"=")
		}
	}
}

// filter takes one line of SystemCallFilter=. The first line says whether the list is one
// of what is allowed; then each adds to it or takes away (config_parse_syscall_filter of
// systemd's src/core/load-fragment.c).
func (u *unit) filter(a assignment) {
	if a.value == "" {
		u.calls, u.allowList = nil, false
		return
	}
	value, inverted := strings.CutPrefix(a.value, "~")
	if u.calls == nil {
		u.calls = make(map[string]Action)
		u.allowList = !inverted
		if u.allowList {
			for _, name := range systemd.Set("@default") {
				u.calls[name] = Action{Allows: true}
			}
		}
	}
	for word := range strings.FieldsSeq(value) {
		name, how, hasHow := strings.Cut(word, ":")
		var action Action
		if hasHow {
			var ok bool
			if action, ok = systemdErrno(how); !ok || !inverted {
				u.note("systemd ignores %s in line %d", quote.Word(word), a.line)
				continue
			}
		}
		u.put(name, action, inverted, a.line)
	}
}

// put adds the calls of one word to the list, or takes them from it.
func (u *unit) put(name string, action Action, inverted bool, line int) {
	calls := []string{name}
	if strings.HasPrefix(name, "@") {
		if calls = systemd.Set(name); calls == nil {
			u.note("%s in line %d is no set of %s, and ignored", quote.Word(name), line, systemd.Version)
		}
	} else if !isCall(name) {
		u.unknown = append(u.unknown, name)
	}
	for _, call := range calls {
		if inverted == u.allowList {
			delete(u.calls, call)
			continue
		}
		if old, ok := u.calls[call]; ok && action == (Action{}) {
			action = old // the errno that it has stays
		}
		u.calls[call] = action
	}
}

// systemdErrno is what an errno by name or number, or kill, does.
func systemdErrno(text string) (Action, bool) {
	if text == "kill" {
		return Action{Text: "kills the process"}, true
	}
	if errno := event.ErrnoNamed(text); errno != 0 {
		return failsWith(errno), true
	}
	if n, err := strconv.ParseUint(text, 10, 12); err == nil && n < 4096 {
		return failsWith(unix.Errno(n)), true
	}
	return Action{}, false
}

func (u *unit) setErrno(a assignment) {
	if a.value == "" {
		u.errno = Action{Text: "kills the process"}
		return
	}
	if action, ok := systemdErrno(a.value); ok {
		u.errno = action
	} else {
		u.note("systemd ignores %s in line %d", quote.Word(a.value), a.line)
	}
}

// systemdArchs are names of architectures (systemd.exec(5)); native is that of the machine.
var systemdArchs = map[string]event.ABI{"x86": event.I386, "x86-64": event.X8664, "x32": event.X32, "arm": event.ARM, "arm64": event.ARM64}

const native = event.ABIUnknown

func (u *unit) architectures(a assignment) {
	if a.value == "" {
		u.archs = nil
		return
	}
	for word := range strings.FieldsSeq(a.value) {
		word = strings.Trim(word, `"'`)
		abi, known := systemdArchs[word]
		switch {
		case word == "native":
			u.archs = append(u.archs, native)
		case known:
			u.archs = append(u.archs, abi)
			if abi == event.X32 {
				u.archs = append(u.archs, event.X8664) // which the vDSO of x32 needs
			}
		default:
			u.note("%s in line %d is no architecture that has calls here", quote.Word(word), a.line)
		}
	}
}

func (u *unit) restrictFamilies(a assignment) {
	if a.value == "" {
		u.families, u.familyList = nil, false
		return
	}
	value, inverted := strings.CutPrefix(a.value, "~")
	if !u.familyList {
		u.families, u.familyList, u.familyAllow = make(map[uint64]bool), true, !inverted
	}
	if value == "none" {
		return // of what is allowed, so that nothing is
	}
	for word := range strings.FieldsSeq(value) {
		word = strings.Trim(word, `"'`)
		name := strings.ToLower(strings.TrimPrefix(word, "AF_"))
		family, ok := familyNumber(cmp.Or(map[string]string{"local": "unix", "route": "netlink"}[name], name))
		switch {
		case !ok || !strings.HasPrefix(word, "AF_"):
			u.note("%s in line %d is no family of addresses that Turnstile knows", quote.Word(word), a.line)
		case inverted == u.familyAllow:
			delete(u.families, family)
		default:
			u.families[family] = true
		}
	}
}

// familyNumber is the family of a name as traces have it.
func familyNumber(name string) (uint64, bool) {
	for f := range uint16(unix.AF_MAX) {
		if trace.FamilyName(f) == name {
			return uint64(f), true
		}
	}
	return 0, false
}

// callFilter is the filter that systemd loads for the list and for the architectures. Calls of
// all ABIs are filtered by their names.
func (u *unit) callFilter(c Context) *Filter {
	f := &Filter{Foreign: Action{Text: "kills the process"}, Default: Action{Allows: true}}
	if u.archs != nil {
		f.ABIs = []event.ABI{c.ABI}
		for _, abi := range u.archs {
			if abi != native {
				f.ABIs = append(f.ABIs, abi)
			}
		}
	}
	if u.calls != nil && u.allowList {
		f.Default = u.errno
	}
	for name, action := range u.calls {
		if !u.allowList && action == (Action{}) {
			action = u.errno
		}
		action.Allows = u.allowList
		f.add(name, Rule{Action: action})
	}
	return f
}

// familyFilter is the other one, which looks at socket(2) alone.
func (u *unit) familyFilter() *Filter {
	f := &Filter{Default: Action{Allows: true}}
	if u.familyList {
		f.add("socket", Rule{
			Action:     failsWith(unix.EAFNOSUPPORT),
			Conditions: []Condition{{0, func(v uint64) bool { return u.families[v] != u.familyAllow }}},
		})
	}
	return f
}

// systemdLine is what to add for a call: lists are joined, and what a later line says
// counts.
func systemdLine(f *Finding) string {
	const where = "add to the end of [Service]: "
	switch {
	case f.Why == foreign:
		for name, abi := range systemdArchs {
			if abi == f.ABI {
				return where + "SystemCallArchitectures=" + name
			}
		}
	case f.Values != nil:
		var families []string
		for _, v := range f.Values {
			families = append(families, "AF_"+strings.ToUpper(trace.FamilyName(uint16(v))))
		}
		return where + "RestrictAddressFamilies=" + strings.Join(families, " ")
	}
	return where + "SystemCallFilter=" + f.Call.Name
}
