package read

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/policy"
	"github.com/turnstile-project/turnstile/internal/policy/lang"
	"github.com/turnstile-project/turnstile/internal/profile"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// readPolicy reads a policy of Turnstile's own. Its rules are about files, programs and
// sockets, and about calls that they deny whatever they do.
func readPolicy(name string, text []byte, c Context) (*Profile, error) {
	file, err := lang.Parse(name, text, c.Variables)
	if err != nil {
		return nil, err
	}
	if c.Resolve != nil {
		if err := file.Policy.Bind(c.Resolve); err != nil {
			return nil, err
		}
	}
	j := judge{policy: file.Policy.Compile()}
	return &Profile{
		Format: "policy", objects: j.objects,
		sections: profile.Syscalls | profile.Files | profile.Sockets | profile.Processes,
	}, nil
}

// judge asks a policy about what is in a trace.
type judge struct {
	policy *policy.Compiled
	by     map[int]*trace.Process
}

func (j judge) objects(d *trace.Document) []Finding {
	j.by = d.ProcessesByID()
	var all []Finding
	for _, s := range d.Syscalls {
		if f := j.call(s); f != nil && s.Count > 0 {
			all = append(all, *f)
		}
	}
	for _, f := range d.Files {
		all = append(all, j.file(f)...)
	}
	if d.Files == nil { // else the programs are among them
		for _, x := range d.Execs {
			all = append(all, j.exec(x)...)
		}
	}
	for _, s := range d.Sockets {
		all = append(all, j.socket(s, d.Files != nil)...)
	}
	return all
}

// call is about what no rule about files is asked: calls that are denied by name, and those
// of side doors.
func (j judge) call(s *trace.Syscall) *Finding {
	abi, _ := event.ParseABI(s.ABI)
	if r := policy.FindCallRule(j.policy.Calls, s.Name); r != nil {
		what := "fails with " + event.Errno(r.Fails()).String()
		if r.Kill {
			what = "kills the process"
		}
		return &Finding{Call: s, ABI: abi, What: what, Why: r.Name + " denies it", Add: fmt.Sprintf("take %q out of \"syscalls\" in %s", s.Name, r.Name)}
	}
	if door := policy.DoorOf(s.Name); door != 0 && j.policy.Open&door == 0 {
		return &Finding{
			Call: s, ABI: abi, What: "fails", Why: fmt.Sprintf("the side door %v is closed", door),
			Add: fmt.Sprintf("open: [%v]", door),
		}
	}
	return nil
}

// file asks about each class, for each program that there was.
func (j judge) file(f *trace.File) []Finding {
	if !strings.HasPrefix(f.Path, "/") {
		return []Finding{{File: f, Classes: f.Classes, Unknown: true, Why: "its path is not known from the root"}}
	}
	all := j.ask(f.Classes, f.Path, f.Processes)
	for i := range all {
		all[i].File = f
	}
	if all == nil && f.Folded {
		return []Finding{{File: f, Classes: f.Classes, Unknown: true, Why: "it stands for files in it whose names the trace does not have"}}
	}
	return all
}

func (j judge) exec(x *trace.Exec) []Finding {
	var processes []int
	if x.Process != nil {
		processes = []int{*x.Process}
	}
	all := j.ask(event.Exec, x.Path, processes)
	if x.Interpreter != "" {
		all = append(all, j.ask(event.Exec, x.Interpreter, processes)...)
	}
	for i := range all {
		all[i].Exec = x
	}
	return all
}

// ask is about classes of access to a path. What is denied for the same reason is one finding.
func (j judge) ask(classes event.Class, path string, processes []int) []Finding {
	var all []Finding
	for class := event.Class(1); class <= classes; class <<= 1 {
		if classes&class == 0 {
			continue
		}
		for _, p := range j.programs(path, processes) {
			d := j.policy.Decide(class, p)
			if d.Verdict == event.VerdictAllow {
				continue
			}
			e := j.policy.Explain(class, p)
			found := Finding{Classes: class, What: verdictText(d), Why: whyDenied(d)}
			remedy := e.Remedy()
			found.Add = remedyText(&remedy, "paths", policy.Quote(path))
			if !utf8.ValidString(path) {
				found.Add = "" // a policy is UTF-8
			}
			all = appendFinding(all, found)
			break // one program is enough
		}
	}
	for i := range all {
		all[i].Add = strings.ReplaceAll(all[i].Add, classPlace, strings.Join(all[i].Classes.Names(), ", "))
	}
	return all
}

// appendFinding joins what differs in the class alone.
func appendFinding(all []Finding, f Finding) []Finding {
	for i := range all {
		if all[i].What == f.What && all[i].Why == f.Why && all[i].Add == f.Add {
			all[i].Classes |= f.Classes
			return all
		}
	}
	return append(all, f)
}

// programs are a path as each of the programs of some processes asks for it. Their last
// images are known, and they may have had others.
func (j judge) programs(path string, processes []int) []policy.Path {
	var all []policy.Path
	for _, id := range processes {
		p := j.by[id]
		if p == nil {
			continue
		}
		asked := policy.Path{Name: path, Exe: p.Exe}
		if rest, own := strings.CutPrefix(path+"/", "/proc/"+strconv.Itoa(int(p.PID))+"/"); own {
			asked.Self = strings.TrimSuffix("/proc/self/"+rest, "/")
		}
		if !slices.Contains(all, asked) {
			all = append(all, asked)
		}
	}
	if all == nil {
		all = append(all, policy.Path{Name: path})
	}
	return all
}

func verdictText(d policy.Decision) string {
	if d.Verdict == event.VerdictAsk {
		return "is asked about"
	}
	return "fails with " + event.Errno(d.Denied()).String()
}

func whyDenied(d policy.Decision) string {
	if d.Rule == nil {
		return "no rule allows it"
	}
	return d.By() + " is about it"
}

// classPlace stands in a line for classes that are not all known yet. It is no text that
// a path can have, as a policy is UTF-8.
const classPlace = "\xff"

// remedyText is what to change in a policy. Text is the object as a rule names it alone.
func remedyText(r *policy.Remedy, key, text string) string {
	var parts []string
	quoted := strconv.Quote(text)
	if !yamlQuotes(text) {
		quoted = jsonText(text)
	}
	for _, rule := range r.Except {
		parts = append(parts, fmt.Sprintf("add to the rule of %s: except: [%s]", rule.Name, quoted))
	}
	for _, rule := range r.Change {
		parts = append(parts, fmt.Sprintf("make an allow of %s", rule.Name))
	}
	if r.Allow {
		parts = append(parts, fmt.Sprintf("add to \"rules\": - {allow: [%s], %s: [%s]}", classPlace, key, quoted))
	}
	return strings.Join(parts, ", and ")
}

// yamlQuotes says whether Go quotes a text as YAML reads it.
func yamlQuotes(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' })
}

// socket asks about an address. That of a file is among the files if those were watched.
func (j judge) socket(s *trace.Socket, files bool) []Finding {
	class := map[string]event.Class{
		event.OpConnect.String(): event.Connect, event.OpSend.String(): event.Connect,
		event.OpBind.String(): event.Bind, event.OpListen.String(): event.Bind,
	}[s.Op]
	if class == 0 {
		return nil // accept takes what comes
	}
	if s.Path != "" && !s.Abstract {
		if files || s.Op == event.OpListen.String() {
			return nil
		}
		all := j.ask(class, s.Path, s.Processes)
		for i := range all {
			all[i].Socket = s
		}
		return all
	}
	at, ok := addressOf(s)
	if !ok {
		return nil // such as a socket without a name
	}
	for _, p := range j.programs("", s.Processes) {
		at.Exe = p.Exe
		d := j.policy.DecideAddress(class, at)
		if d.Verdict == event.VerdictAllow {
			continue
		}
		found := Finding{Socket: s, Classes: class, What: verdictText(d), Why: whyDenied(d)}
		if at.Named() && utf8.ValidString(at.Name) {
			e := j.policy.ExplainAddress(class, at)
			remedy := e.Remedy()
			found.Add = strings.ReplaceAll(remedyText(&remedy, "sockets", at.String()), classPlace, class.String())
		}
		return []Finding{found}
	}
	return nil
}

// addressOf is the address of a socket as rules see it.
func addressOf(s *trace.Socket) (policy.Address, bool) {
	family, ok := familyNumber(s.Family)
	if !ok || s.Family == "unspec" || s.Family == "unix" && s.Path == "" {
		return policy.Address{}, false
	}
	e := event.Socket{Family: uint16(family), Abstract: s.Abstract, Path: []byte(s.Path)}
	if ip, err := netip.ParseAddr(s.Addr); err == nil {
		e.Addr = ip
	}
	if s.Port != nil {
		e.Port = *s.Port
	}
	e.Type, e.TypeKnown = numberOf(s.Type, unix.SOCK_PACKET, trace.TypeName)
	if e.TypeKnown && s.Protocol != "" {
		e.Protocol, e.TypeKnown = numberOf(s.Protocol, unix.IPPROTO_MPTCP, func(n uint16) string { return trace.ProtocolName(uint16(family), n) })
	}
	return policy.AddressOf(&e), true
}

// numberOf finds the number up to a last one that has a name.
func numberOf(text string, last uint16, name func(uint16) string) (uint16, bool) {
	for n := range last + 1 {
		if name(n) == text {
			return n, true
		}
	}
	return 0, false
}
