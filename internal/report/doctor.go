package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"

	"github.com/turnstile-project/turnstile/internal/kernel"
)

// DoctorOptions say how [Doctor] prints.
type DoctorOptions struct {
	// Colour marks the states with terminal colours.
	Colour bool
}

// Doctor prints results for people: a table by groups, below each feature that
// is not there why, what is lost and what to do, and at the end a line for each
// job. The results should be those of every feature.
func Doctor(w io.Writer, results []kernel.Result, opts DoctorOptions) error {
	p := doctorPrinter{style: style{opts.Colour}}
	for i, r := range results {
		if i == 0 || r.Group != results[i-1].Group {
			p.group(r.Group)
		}
		p.feature(r)
	}
	fmt.Fprintln(&p)
	for _, job := range kernel.Jobs() {
		p.job(kernel.Results(results).Verdict(job))
	}
	_, err := io.WriteString(w, p.String())
	return err
}

type doctorPrinter struct {
	strings.Builder
	style style
	// The reason met last and the fix printed last in this group.
	reason, fix string
}

// doctorTitles are the groups whose name does not read as a title.
var doctorTitles = map[kernel.Group]string{
	kernel.GroupBPF:      "BPF",
	kernel.GroupLandlock: "Landlock",
	kernel.GroupSyscall:  "system calls",
}

func (p *doctorPrinter) group(group kernel.Group) {
	title, ok := doctorTitles[group]
	if !ok {
		title = string(group)
	}
	fmt.Fprintln(p, p.style.bold(title))
	p.reason, p.fix = "", ""
}

func (p *doctorPrinter) feature(r kernel.Result) {
	about := r.Detail
	if !r.Present() {
		about = doctorUse(r.Needs)
	}
	line := fmt.Sprintf("  %s  %-34s  %s", p.state(r), r.Name, doctorSafe(about))
	fmt.Fprintln(p, strings.TrimRight(line, " "))
	if r.Present() {
		return
	}
	// Without privilege a whole group has one reason and one fix. Once is
	// enough to read them.
	why, fix := r.Reason, r.Fix
	if why == p.reason {
		why = "as above"
	}
	if fix == p.fix || len(r.Needs) == 0 {
		// What no job needs, nobody should change their machine for.
		fix = ""
	}
	p.reason = r.Reason
	if fix != "" {
		p.fix = fix
	}
	p.note("why", why)
	p.note("without", r.Without)
	p.note("fix", fix)
}

func (p *doctorPrinter) note(label, text string) {
	if text != "" {
		fmt.Fprintf(p, "             %-8s %s\n", label, doctorSafe(text))
	}
}

// state is the word for the answer, in a column.
func (p *doctorPrinter) state(r kernel.Result) string {
	column := func(word string) string { return fmt.Sprintf("%-7s", word) }
	switch {
	case r.Present():
		return p.style.green(column("ok"))
	case r.State == kernel.Missing && doctorRequired(r.Needs):
		return p.style.red(column(r.State.String()))
	default:
		return p.style.yellow(column(r.State.String()))
	}
}

func (p *doctorPrinter) job(v kernel.Verdict) {
	switch missing := v.Missing(); {
	case v.State == kernel.Present:
		fmt.Fprintf(p, "%s: nothing is missing\n", v.Job)
	case missing == nil:
		fmt.Fprintf(p, "%s: may work: not known: %s\n", v.Job, strings.Join(doctorNames(v.Blockers), ", "))
	case missing.Fix() == "":
		fmt.Fprintf(p, "%s: needs %s\n", v.Job, doctorSafe(missing.Missing()))
	default:
		fmt.Fprintf(p, "%s: needs %s; fix: %s\n", v.Job, doctorSafe(missing.Missing()), doctorSafe(missing.Fix()))
	}
}

func doctorNames(results kernel.Results) []string {
	var names []string
	for _, r := range results {
		names = append(names, r.Name)
	}
	return names
}

func doctorRequired(needs []kernel.Need) bool {
	for _, n := range needs {
		if n.Required {
			return true
		}
	}
	return false
}

// doctorUse says who needs a feature: "observe needs it, enforce can use it".
func doctorUse(needs []kernel.Need) string {
	var uses []string
	for _, n := range needs {
		verb := "can use"
		if n.Required {
			verb = "needs"
		}
		uses = append(uses, fmt.Sprintf("%s %s it", n.Job, verb))
	}
	return strings.Join(uses, ", ")
}

// doctorSafe quotes text that could steer a terminal: names of mount points and
// of the program's directory are somebody else's.
func doctorSafe(text string) string {
	if strings.IndexFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) < 0 {
		return text
	}
	return strconv.QuoteToGraphic(text)
}

// The document of [DoctorJSON]. Names are stable.
type (
	doctorDocument struct {
		Version  int                          `json:"version"`
		Kernel   doctorKernel                 `json:"kernel"`
		Features []doctorFeature              `json:"features"`
		Jobs     map[kernel.Job]doctorVerdict `json:"jobs"`
	}
	doctorKernel struct {
		Release string `json:"release,omitempty"`
		Arch    string `json:"arch,omitempty"`
	}
	doctorFeature struct {
		ID       kernel.ID    `json:"id"`
		Name     string       `json:"name"`
		Group    kernel.Group `json:"group"`
		State    string       `json:"state"`           // present, missing, unknown
		Cause    string       `json:"cause,omitempty"` // kernel, privilege, policy
		Detail   string       `json:"detail,omitempty"`
		Reason   string       `json:"reason,omitempty"`
		Fix      string       `json:"fix,omitempty"`
		Since    string       `json:"since,omitempty"`
		Config   string       `json:"config,omitempty"`
		NeededBy []doctorNeed `json:"needed_by"`
		Without  string       `json:"without,omitempty"`
	}
	doctorNeed struct {
		Job      kernel.Job `json:"job"`
		Required bool       `json:"required"`
	}
	doctorVerdict struct {
		State     string      `json:"state"` // works, blocked, unknown
		BlockedBy []kernel.ID `json:"blocked_by"`
		Lacks     []kernel.ID `json:"lacks"`
		Missing   string      `json:"missing,omitempty"`
		Fix       string      `json:"fix,omitempty"`
	}
)

// DoctorJSON writes results as one JSON object. "blocked_by" are the required
// features of a job that are not there, "lacks" the optional ones.
func DoctorJSON(w io.Writer, results []kernel.Result) error {
	all := kernel.Results(results)
	doc := doctorDocument{
		Version:  1,
		Kernel:   doctorKernel{Release: all.Get(kernel.KernelRelease).Detail, Arch: all.Get(kernel.KernelArch).Detail},
		Features: []doctorFeature{},
		Jobs:     map[kernel.Job]doctorVerdict{},
	}
	for _, r := range results {
		doc.Features = append(doc.Features, newDoctorFeature(r))
	}
	for _, job := range kernel.Jobs() {
		doc.Jobs[job] = newDoctorVerdict(all.Verdict(job))
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(doc)
}

func newDoctorFeature(r kernel.Result) doctorFeature {
	needs := []doctorNeed{}
	for _, n := range r.Needs {
		needs = append(needs, doctorNeed{n.Job, n.Required})
	}
	return doctorFeature{
		ID: r.ID, Name: r.Name, Group: r.Group,
		State: r.State.String(), Cause: r.Cause.String(), Detail: r.Detail, Reason: r.Reason, Fix: r.Fix,
		Since: r.Since, Config: r.Config, NeededBy: needs, Without: r.Without,
	}
}

func newDoctorVerdict(v kernel.Verdict) doctorVerdict {
	verdict := doctorVerdict{State: "works", BlockedBy: doctorIDs(v.Blockers), Lacks: doctorIDs(v.Lost)}
	if v.State == kernel.Unknown {
		verdict.State = "unknown"
	}
	if missing := v.Missing(); missing != nil {
		verdict.State, verdict.Missing, verdict.Fix = "blocked", missing.Missing(), missing.Fix()
	}
	return verdict
}

func doctorIDs(results kernel.Results) []kernel.ID {
	ids := []kernel.ID{}
	for _, r := range results {
		ids = append(ids, r.ID)
	}
	return ids
}
