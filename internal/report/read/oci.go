package read

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/quote"
	"github.com/turnstile-project/turnstile/internal/syscalls"
	"github.com/turnstile-project/turnstile/internal/systemd"
)

// readOCI reads linux.seccomp of the runtime specification, by itself or in a config.json.
func readOCI(text []byte, c Context) (*Profile, error) {
	var whole struct {
		Linux *struct {
			Seccomp *specs.LinuxSeccomp `json:"seccomp"`
		} `json:"linux"`
		specs.LinuxSeccomp
	}
	if err := decodeJSON(text, &whole); err != nil {
		return nil, err
	}
	s := &whole.LinuxSeccomp
	if whole.Linux != nil {
		if s = whole.Linux.Seccomp; s == nil {
			return nil, errors.New("its linux object has no seccomp")
		}
	}
	f, notes, err := ociFilter(s, c)
	if err != nil {
		return nil, err
	}
	return &Profile{Format: "oci", Filters: []*Filter{f}, Notes: notes, line: ociLine}, nil
}

// decodeJSON reads one JSON value and nothing behind it.
func decodeJSON(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is more behind the JSON object")
	}
	return nil
}

var ociArchs = map[specs.Arch]event.ABI{
	specs.ArchX86_64: event.X8664, specs.ArchX86: event.I386, specs.ArchX32: event.X32,
	specs.ArchAARCH64: event.ARM64, specs.ArchARM: event.ARM,
}

// otherArchs are those of the specification that Turnstile knows no calls of
// (config-linux.md).
var otherArchs = []specs.Arch{
	specs.ArchMIPS, specs.ArchMIPS64, specs.ArchMIPS64N32, specs.ArchMIPSEL, specs.ArchMIPSEL64, specs.ArchMIPSEL64N32,
	specs.ArchPPC, specs.ArchPPC64, specs.ArchPPC64LE, specs.ArchS390, specs.ArchS390X, specs.ArchPARISC, specs.ArchPARISC64,
	specs.ArchRISCV64, specs.ArchLOONGARCH64, specs.ArchM68K, specs.ArchSH, specs.ArchSHEB,
}

// ociFilter is the filter that runc and crun make of the object.
func ociFilter(s *specs.LinuxSeccomp, c Context) (*Filter, []string, error) {
	if s.DefaultAction == "" {
		return nil, nil, errors.New("it has no defaultAction")
	}
	f := &Filter{ABIs: []event.ABI{c.ABI}, Foreign: Action{Text: "kills the process"}}
	var err error
	if f.Default, err = ociAction(s.DefaultAction, s.DefaultErrnoRet); err != nil {
		return nil, nil, fmt.Errorf("defaultAction: %w", err)
	}
	for _, a := range s.Architectures {
		abi, known := ociArchs[a]
		switch {
		case known:
			f.ABIs = append(f.ABIs, abi)
		case !slices.Contains(otherArchs, a):
			return nil, nil, fmt.Errorf("architecture %q is not known", a)
		}
	}
	var unknown []string
	for i := range s.Syscalls {
		names, err := f.addOCI(&s.Syscalls[i])
		if err != nil {
			return nil, nil, fmt.Errorf("syscalls[%d]: %w", i, err)
		}
		unknown = append(unknown, names...)
	}
	return f, unknownNames(unknown), nil
}

// unknownNames tells of names that may be mistyped. Runtimes ignore them.
func unknownNames(names []string) []string {
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	names = slices.Compact(names)
	for i, name := range names {
		names[i] = quote.Word(name)
	}
	return []string{"it names calls that Turnstile does not know, and that may be mistyped: " + strings.Join(names, ", ")}
}

// addOCI adds one entry, and returns its names that nobody knows.
func (f *Filter) addOCI(s *specs.LinuxSyscall) (unknown []string, err error) {
	action, err := ociAction(s.Action, s.ErrnoRet)
	switch {
	case err != nil:
		return nil, err
	case len(s.Names) == 0:
		return nil, errors.New("it has no names")
	}
	conditions := make([]Condition, 0, len(s.Args))
	var indexes []int
	for _, a := range s.Args {
		c, err := ociCondition(a)
		if err != nil {
			return nil, err
		}
		conditions = append(conditions, c)
		indexes = append(indexes, c.Index)
	}
	slices.Sort(indexes)
	rules := []Rule{{Action: action, Conditions: conditions}}
	if len(slices.Compact(indexes)) < len(conditions) {
		// runc and crun make a rule of each condition if two are about one argument.
		rules = nil
		for _, c := range conditions {
			rules = append(rules, Rule{Action: action, Conditions: []Condition{c}})
		}
	}
	for _, name := range s.Names {
		for _, r := range rules {
			if r.Action != f.Default { // which runtimes leave out, as libseccomp refuses it
				f.add(name, r)
			}
		}
		if !isCall(name) {
			unknown = append(unknown, name)
		}
	}
	return unknown, nil
}

// isCall says whether any ABI has a call of the name, one that Turnstile has no table of
// included.
func isCall(name string) bool {
	return slices.ContainsFunc(event.ABIs(), func(abi event.ABI) bool {
		_, ok := syscalls.Number(abi, name)
		return ok
	}) || slices.Contains(systemd.Set("@known"), name)
}

func ociAction(a specs.LinuxSeccompAction, errnoRet *uint) (Action, error) {
	switch a {
	case specs.ActAllow:
		return Action{Allows: true}, nil
	case specs.ActLog:
		return Action{Allows: true, Text: "is logged"}, nil
	case specs.ActErrno:
		errno := unix.EPERM
		if errnoRet != nil {
			errno = unix.Errno(*errnoRet)
		}
		return failsWith(errno), nil
	case specs.ActTrace:
		return Action{Text: "is left to a tracer"}, nil
	case specs.ActNotify:
		return Action{Text: "is left to a listener"}, nil
	case specs.ActTrap:
		return Action{Text: "gets SIGSYS"}, nil
	case specs.ActKill, specs.ActKillThread:
		return Action{Text: "kills the thread"}, nil
	case specs.ActKillProcess:
		return Action{Text: "kills the process"}, nil
	default:
		return Action{}, fmt.Errorf("action %q is not known", a)
	}
}

func failsWith(errno unix.Errno) Action {
	return Action{Text: "fails with " + event.Errno(errno).String(), Errno: errno}
}

func ociCondition(a specs.LinuxSeccompArg) (Condition, error) {
	if a.Index > 5 {
		return Condition{}, fmt.Errorf("an argument has index %d, and the last is 5", a.Index)
	}
	holds := map[specs.LinuxSeccompOperator]func(uint64) bool{
		specs.OpNotEqual:     func(v uint64) bool { return v != a.Value },
		specs.OpLessThan:     func(v uint64) bool { return v < a.Value },
		specs.OpLessEqual:    func(v uint64) bool { return v <= a.Value },
		specs.OpEqualTo:      func(v uint64) bool { return v == a.Value },
		specs.OpGreaterEqual: func(v uint64) bool { return v >= a.Value },
		specs.OpGreaterThan:  func(v uint64) bool { return v > a.Value },
		specs.OpMaskedEqual:  func(v uint64) bool { return v&a.Value == a.ValueTwo },
	}[a.Op]
	if holds == nil {
		return Condition{}, fmt.Errorf("operator %q is not known", a.Op)
	}
	return Condition{int(a.Index), holds}, nil
}

// ociLine is what to add for a call.
func ociLine(f *Finding) string {
	if f.Why == foreign {
		return `add to "architectures": ` + jsonText(ociArchOf(f.ABI))
	}
	entry := specs.LinuxSyscall{Names: []string{f.Call.Name}, Action: specs.ActAllow}
	var lines []string
	for _, v := range f.Values {
		entry.Args = []specs.LinuxSeccompArg{{Index: uint(f.Index), Value: 0xffffffff, ValueTwo: v, Op: specs.OpMaskedEqual}}
		lines = append(lines, jsonText(entry))
	}
	if f.Values == nil {
		lines = append(lines, jsonText(entry))
	}
	text := `add to "syscalls": ` + strings.Join(lines, ", ")
	if f.Why == "a rule denies it" {
		text = fmt.Sprintf("take %q out of the entry of \"syscalls\" that denies it, and %s", f.Call.Name, text)
	}
	return text
}

func ociArchOf(abi event.ABI) specs.Arch {
	for a, of := range ociArchs {
		if of == abi {
			return a
		}
	}
	return ""
}

func jsonText(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // strings and numbers
	}
	return strings.TrimSpace(b.String())
}
