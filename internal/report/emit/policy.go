package emit

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/policy/lang"
	"github.com/turnstile-project/turnstile/internal/profile"
	"github.com/turnstile-project/turnstile/internal/profile/collapse"
	"github.com/turnstile-project/turnstile/internal/quote"
)

// policyUses are the sections of a trace that a policy is made of.
const policyUses = profile.Files | profile.Sockets | profile.Processes

var policyFormat = Format{
	Name:      "policy",
	For:       "turnstile enforce -p: files, programs and addresses",
	CheckedBy: "turnstile policy check, turnstile enforce",
	Enforces:  true,
	Sections:  policyUses,
	Collapse:  collapse.All,
	Notes:     policyNotes,
	Write:     writePolicy,
}

// writePolicy writes a policy (docs/policy.md) that denies what it does not allow.
func writePolicy(w io.Writer, in *Input) error {
	p := policyWriter{widened: make(map[string]*profile.Widened)}
	for i := range in.Profile.Widened {
		x := &in.Profile.Widened[i]
		p.widened[policyGlob(&x.Pattern)] = x
	}
	if err := p.write(in); err != nil {
		return err
	}
	if p.Len() > lang.MaxSize {
		return fmt.Errorf("the policy would have %d bytes, and %d are the most: take more files together (--collapse all)", p.Len(), lang.MaxSize)
	}
	_, err := w.Write(p.Bytes())
	return err
}

type policyWriter struct {
	bytes.Buffer
	widened map[string]*profile.Widened // by the text of the pattern
}

func (p *policyWriter) write(in *Input) error {
	p.head(in)
	fmt.Fprintf(p, "version: %s\ndefault: deny\n", lang.Version)
	sockets, _ := socketRules(in.Profile)
	groups := p.groups(in.Profile.Files)
	if len(groups)+len(sockets) > 0 {
		fmt.Fprint(p, "rules:\n")
	}
	for i, g := range groups {
		if i == 0 || groups[i-1].section != g.section {
			p.section(g.title())
		}
		if err := p.group(g); err != nil {
			return err
		}
	}
	p.sockets(sockets)
	p.closed(in.Profile.Closed)
	p.doors(in)
	return nil
}

// head says what the policy is of.
func (p *policyWriter) head(in *Input) {
	lines := about(in, policyUses, policyNotes(in))
	if in.Profile.Files == nil {
		lines = append(lines, "Files were not watched, so none is allowed.")
	}
	if len(in.Profile.Widened) > 0 {
		lines = append(lines, "Where a path says how many files of it were seen, it has more than these.")
	}
	for _, line := range lines {
		p.comment("", line)
	}
}

// comment writes one line of it.
func (p *policyWriter) comment(indent, text string) {
	fmt.Fprintf(p, "%s# %s\n", indent, quote.Line(text))
}

// fileGroup are files of one section of a policy that are allowed the same.
type fileGroup struct {
	section int
	classes event.Class
	paths   []string
}

// sections of a policy, in order: what is said of them, and which paths they have.
var policySections = []struct {
	title string
	has   func(p *profile.Pattern) bool
}{
	{"The system's programs and libraries.", isBelow("usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "opt", "nix", "snap")},
	{"Settings of the system.", isBelow("etc")},
	{"The kernel's files.", isBelow("proc", "sys")},
	{"Devices.", isBelow("dev")},
	{"The home directory.", hasBase(profile.Home)},
	{"The working directory.", hasBase(profile.CWD)},
	{"Temporary files.", func(p *profile.Pattern) bool { return p.Base == profile.Tmp || isBelow("tmp")(p) }},
	{"Files elsewhere.", func(*profile.Pattern) bool { return true }},
}

func isBelow(dirs ...string) func(*profile.Pattern) bool {
	return func(p *profile.Pattern) bool {
		return p.Base == profile.Root && slices.Contains(dirs, p.First())
	}
}

func hasBase(base profile.Base) func(*profile.Pattern) bool {
	return func(p *profile.Pattern) bool { return p.Base == base }
}

// missingSection is for what was looked for in vain.
var missingSection = len(policySections)

// groups are the rules about files, sorted.
func (p *policyWriter) groups(files []profile.File) []*fileGroup {
	type key struct {
		section int
		classes event.Class
	}
	found := make(map[key]*fileGroup)
	for i := range files {
		f := &files[i]
		classes := allowedClasses(f)
		if classes == 0 {
			continue
		}
		k := key{slices.IndexFunc(policySections, func(s struct {
			title string
			has   func(p *profile.Pattern) bool
		},
		) bool {
			return s.has(&f.Pattern)
		}), classes}
		if f.Missing {
			k.section = missingSection
		}
		g := found[k]
		if g == nil {
			g = &fileGroup{k.section, k.classes, nil}
			found[k] = g
		}
		g.paths = append(g.paths, policyGlob(&f.Pattern))
	}
	groups := make([]*fileGroup, 0, len(found))
	for _, g := range found {
		slices.Sort(g.paths)
		groups = append(groups, g)
	}
	slices.SortFunc(groups, func(a, b *fileGroup) int {
		return cmp.Or(cmp.Compare(a.section, b.section), cmp.Compare(a.classes, b.classes))
	})
	return groups
}

// allowedClasses are those that a rule has to have. stat is allowed by itself. A program
// needs exec; a library that is mapped and an ELF interpreter need none, and the latter
// would execute any file if it had it.
func allowedClasses(f *profile.File) event.Class {
	c := f.Classes &^ event.Stat
	if f.Code&profile.Program == 0 {
		c &^= event.Exec
	}
	return c
}

func (g *fileGroup) title() string {
	if g.section == missingSection {
		return "Looked for, and not there."
	}
	return policySections[g.section].title
}

// section begins a part of the rules.
func (p *policyWriter) section(title string) {
	fmt.Fprint(p, "\n")
	p.comment("  ", title)
}

func (p *policyWriter) group(g *fileGroup) error {
	fmt.Fprintf(p, "  - allow: [%s]\n    paths:\n", strings.Join(g.classes.Names(), ", "))
	for _, path := range g.paths {
		if err := checkGlob(path); err != nil {
			return err
		}
		fmt.Fprintf(p, "      - %s", strconv.Quote(path))
		if w := p.widened[path]; w != nil {
			fmt.Fprintf(p, " # %s", widenedText(w))
		}
		fmt.Fprint(p, "\n")
	}
	return nil
}

// widenedText says what a pattern has beyond what was seen.
func widenedText(w *profile.Widened) string {
	text := fmt.Sprintf("%d seen", w.Seen)
	if w.Example != "" {
		text += "; also " + quote.Word(w.Example)
	}
	return text
}

// closed writes what none of the rules above opens: one rule for all that is sensitive for
// one reason.
func (p *policyWriter) closed(closed []profile.Closed) {
	if len(closed) == 0 {
		return
	}
	p.section("Not seen, and not opened by a pattern for all of a directory.")
	closed = slices.Clone(closed)
	compare := func(a, b profile.Closed) int {
		return cmp.Or(strings.Compare(a.Why, b.Why), cmp.Compare(b.Classes, a.Classes))
	}
	slices.SortStableFunc(closed, compare)
	for from := 0; from < len(closed); {
		to := from + 1
		for to < len(closed) && compare(closed[from], closed[to]) == 0 {
			to++
		}
		p.closedRule(closed[from:to])
		from = to
	}
}

// closedRule writes the rule about what is sensitive for one reason.
func (p *policyWriter) closedRule(closed []profile.Closed) {
	why := closed[0].Why
	p.comment("  ", strings.ToUpper(why[:1])+why[1:]+".")
	fmt.Fprintf(p, "  - deny: [%s]\n", strings.Join(closed[0].Classes.Names(), ", "))
	var paths, except []string
	for _, c := range closed {
		paths = append(paths, policyGlob(&c.Pattern))
		for k := range c.Except {
			except = append(except, policyGlob(&c.Except[k]))
		}
	}
	p.list("paths", paths)
	if len(except) > 0 {
		slices.Sort(except)
		p.list("except", slices.Compact(except))
	}
}

func (p *policyWriter) list(key string, globs []string) {
	fmt.Fprintf(p, "    %s:\n", key)
	for _, glob := range globs {
		fmt.Fprintf(p, "      - %s\n", strconv.Quote(glob))
	}
}
