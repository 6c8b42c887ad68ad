package emit

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"iter"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/profile"
)

var apparmor = Format{
	Name:      "apparmor",
	For:       "a profile of AppArmor, for apparmor_parser(8) and /etc/apparmor.d",
	CheckedBy: "apparmor_parser, and kernels that have AppArmor",
	Enforces:  true,
	Sections:  profile.AllSections,
	Notes:     func(in *Input) []string { return once(in, apparmorOf).notes },
	Write: func(w io.Writer, in *Input) error {
		a := once(in, apparmorOf)
		if a.err != nil {
			return a.err
		}
		b := bufio.NewWriter(w)
		a.write(b, in)
		return b.Flush()
	},
}

// apparmorProfile is what is said in the language of apparmor.d(5).
type apparmorProfile struct {
	name, attached, flags string
	network, other        []string
	files                 map[string]apparmorPerms
	links, denied         []string
	notes                 notes
	err                   error
}

// apparmorPerms are the letters of a file rule.
type apparmorPerms struct{ r, w, k, m, ix bool }

func (p apparmorPerms) String() string {
	var s strings.Builder
	for _, l := range []struct {
		on     bool
		letter string
	}{{p.r, "r"}, {p.w, "w"}, {p.k, "k"}, {p.m, "m"}, {p.ix, "ix"}} {
		if l.on {
			s.WriteString(l.letter)
		}
	}
	return s.String()
}

func (p apparmorPerms) with(q apparmorPerms) apparmorPerms {
	return apparmorPerms{p.r || q.r, p.w || q.w, p.k || q.k, p.m || q.m, p.ix || q.ix}
}

func apparmorOf(in *Input) *apparmorProfile {
	a := &apparmorProfile{name: "turnstile", files: make(map[string]apparmorPerms)}
	if exe := program(in); exe != "" {
		a.name, a.attached = apparmorName(path.Base(exe)), apparmorPath(profile.Literal(exe))
		a.notes.add("the kernel puts this profile around every start of %s; without the path after the name it is for aa-exec -p alone", exe)
	}
	switch in.Profile.Default.Kind {
	case profile.Log:
		a.flags = " flags=(complain)"
	case profile.Kill:
		a.flags = " flags=(kill)"
	}
	if a.flags == "" {
		a.notes.add("what is refused fails with EACCES")
	}
	a.addNetwork(in)
	a.addOther(in)
	a.addFiles(in)
	a.addClosed(in.Profile.Closed)
	a.notes.add("a trace does not tell capabilities: what needs one fails until there is a rule %q for it", "capability NAME,")
	a.notes.add("AppArmor lets everybody look whether a file is there (stat), so there are no rules for that")
	return a
}

// write has the comments outside of the profile, where nothing can be mistaken for a rule.
func (a *apparmorProfile) write(b *bufio.Writer, in *Input) {
	for _, l := range about(in, profile.AllSections, a.notes) {
		b.WriteString("# " + l + "\n")
	}
	b.WriteString("\nabi <abi/3.0>,\n\ninclude <tunables/global>\n\nprofile " + a.name)
	if a.attached != "" {
		b.WriteString(" " + a.attached)
	}
	b.WriteString(a.flags + " {\n  # Descriptors of a terminal are inherited.\n  include <abstractions/consoles>\n")
	for _, section := range []iter.Seq[string]{slices.Values(a.network), slices.Values(a.other), a.fileRules(), slices.Values(a.links), slices.Values(a.denied)} {
		lead := "\n"
		for rule := range section {
			b.WriteString(lead + "  " + rule + ",\n")
			lead = ""
		}
	}
	b.WriteString("}\n")
}

func (a *apparmorProfile) fileRules() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, p := range slices.Sorted(maps.Keys(a.files)) {
			if letters := a.files[p].String(); letters != "" && !yield(p+" "+letters) {
				return
			}
		}
	}
}

// apparmorFamilies are the domains of network rules (apparmor.d(5)) among those that a
// trace has names for.
var apparmorFamilies = []string{"alg", "bluetooth", "can", "inet", "inet6", "key", "netlink", "packet", "qipcrtr", "tipc", "unix", "vsock", "xdp"}

func (a *apparmorProfile) addNetwork(in *Input) {
	kinds, known := socketKinds(in)
	for _, k := range kinds {
		if k.Family == "unspec" {
			continue // a disconnect
		}
		if !slices.Contains(apparmorFamilies, k.Family) {
			a.err = cmp.Or(a.err, fmt.Errorf("AppArmor has no name for the address family %q", k.Family))
		}
		rule := "network " + k.Family
		if strings.Trim(k.Type, "0123456789") != "" {
			rule += " " + k.Type
		}
		a.network = append(a.network, rule)
		if k.Family == "unix" {
			a.network = append(a.network, strings.TrimSuffix("unix type="+k.Type, " type="))
		}
	}
	if len(kinds) > 0 {
		a.notes.add("AppArmor holds sockets to family and type, not to addresses and ports")
	}
	if !known {
		a.notes.add("sockets that were made and not used may be of other families, which are not allowed; observe --args tells them")
	}
	slices.Sort(a.network)
	a.network = slices.Compact(a.network)
}

func (a *apparmorProfile) addOther(in *Input) {
	a.other = append(a.other, "signal (receive) peer=unconfined", "signal (send, receive) peer="+a.name)
	if calls(in, "ptrace", "process_vm_readv", "process_vm_writev") {
		a.other = append(a.other, "ptrace (read, readby, trace, tracedby) peer="+a.name)
		a.notes.add("other processes may be traced and read if they are in this profile too")
	}
	for _, c := range []struct{ rule, call string }{{"mount", "mount"}, {"umount", "umount2"}, {"pivot_root", "pivot_root"}} {
		if calls(in, c.call) {
			a.other = append(a.other, c.rule)
			a.notes.add("%s was called and is allowed with all arguments", c.call)
		}
	}
}

func (a *apparmorProfile) addFiles(in *Input) {
	seen := sightsOf(in)
	locks := apparmorLocks{flock: calls(in, "flock"), any: calls(in, "flock", "fcntl", "fcntl64")}
	var old, fresh []string
	for _, f := range in.Profile.Files {
		f = anyProcess(f)
		text := shared(apparmorPath(f.Pattern), f.Pattern)
		perms := apparmorPermsOf(f, locks)
		for _, t := range apparmorForms(f, seen, text) {
			a.files[t] = a.files[t].with(perms)
		}
		if f.Pattern.Base == profile.Home {
			a.notes.add("@{HOME} is the home of every user")
		}
		if seen.of(f.Pattern) != nil && seen.did(f.Pattern, event.OpLink) {
			if f.Classes&event.Create != 0 {
				fresh = append(fresh, text)
			} else {
				old = append(old, text)
			}
		}
	}
	if locks.any {
		a.notes.add("whether files are locked is not in a trace: all that are written may be")
	}
	a.addLinks(fresh, old)
	if n := len(a.files); n > apparmorMany {
		a.notes.add("there are %d rules for files, and apparmor_parser takes minutes for ten thousand, and the longer the more (--collapse takes files together)", n)
	}
}

// apparmorPairs is how many rules for pairs of names there are at most: two thousand rules
// take the parser seconds, and ten thousand minutes.
const apparmorPairs = 2500

// apparmorMany is how many rules are worth a word.
const apparmorMany = 5000

// addLinks lets names be those of files. A trace does not say which of which.
func (a *apparmorProfile) addLinks(fresh, old []string) {
	if len(fresh)*len(old) > apparmorPairs {
		a.notes.add("%d names were given to %d files: each may be given to any file with which no more is allowed than with the name", len(fresh), len(old))
		for _, n := range fresh {
			a.links = append(a.links, "link subset "+n+" -> /**")
		}
		return
	}
	for _, n := range fresh {
		for _, o := range old {
			a.links = append(a.links, "link "+n+" -> "+o)
		}
	}
}

// addClosed denies what stays closed. A denial wins over all that is allowed, so it cannot
// have exceptions.
func (a *apparmorProfile) addClosed(closed []profile.Closed) {
	for _, c := range closed {
		perms := apparmorPermsOf(profile.File{Classes: c.Classes &^ event.Exec}, apparmorLocks{}).String()
		if c.Classes&event.Exec != 0 {
			perms += "x"
		}
		if len(c.Except) > 0 || perms == "" {
			a.notes.noteClosed([]profile.Closed{c})
			continue
		}
		a.denied = append(a.denied, "deny "+apparmorPath(c.Pattern)+" "+perms)
	}
}

// apparmorLocks says whether locks were taken: flock(2), for which a file that is only read
// will do, or fcntl(2) too, which has other uses.
type apparmorLocks struct{ flock, any bool }

// apparmorPermsOf are the letters for a file. A program is mapped as well as executed, and
// a library only mapped.
func apparmorPermsOf(f profile.File, locks apparmorLocks) apparmorPerms {
	c := f.Classes
	p := apparmorPerms{
		r: c&(event.Read|event.List|event.Connect|event.Exec) != 0,
		w: c&(event.Write|event.Create|event.Delete|event.Attr|event.Connect|event.Bind) != 0,
		m: c&event.Exec != 0,
		// Without a word about its code it may be anything.
		ix: c&event.Exec != 0 && (f.Code == 0 || f.Code&profile.Program != 0),
	}
	p.k = p.w && locks.any || c&event.Read != 0 && c&event.Exec == 0 && locks.flock
	return p
}

// apparmorForms are the spellings of a path: that of a directory ends in a slash.
func apparmorForms(f profile.File, seen sights, text string) []string {
	directory := strings.TrimSuffix(text, "/") + "/"
	switch {
	case f.Pattern.Tree:
		return []string{strings.TrimSuffix(text, "**"), text}
	case text == "/":
		return []string{text}
	case f.Classes&(event.List|event.Create|event.Delete) == 0:
		return []string{text}
	case seen.did(f.Pattern, event.OpRename): // of a file or a directory; so may be what nothing is known of
		return []string{text, directory}
	case seen.directory(f) && f.Classes&(event.Read|event.Write|event.Exec) == 0:
		return []string{directory}
	case seen.directory(f):
		return []string{text, directory}
	default:
		return []string{text}
	}
}

// apparmorPath is a pattern as a file glob (apparmor.d(5)). All but plain bytes are written
// as \ooo: then it needs no quotes, and nothing in it is a wildcard, a variable or an end.
func apparmorPath(p profile.Pattern) string {
	base := apparmorEscape(p.At)
	switch {
	case p.Base == profile.Home:
		base = "@{HOME}"
	case p.Base == profile.Root && p.First() == "proc":
		tree := p.Tree
		base, p = "@{PROC}", profile.Pattern{}.With(p.Names()[1:]...)
		p.Tree = tree
	case p.Base == profile.Root:
		base = ""
	}
	return p.Format(base, apparmorEscape, "*", "/**")
}

func apparmorEscape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("/._-+:=%~", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, `\%03o`, c)
		}
	}
	return b.String()
}

// apparmorName is a name that a profile can have: unquoted, and no path.
func apparmorName(s string) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-+", r) {
			return r
		}
		return '_'
	}, s)
	return "turnstile." + name
}
