package read

import (
	"bytes"
	"regexp"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/profile"
	"github.com/turnstile-project/turnstile/internal/trace"
)

func readTrace(text []byte, _ Context) (*Profile, error) {
	d, err := trace.Decode(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	return OfTrace(d), nil
}

// traceBegins is how every trace that Turnstile wrote begins.
var traceBegins = regexp.MustCompile(`^\{\s*"version": ?\d+,\s*"tool":`)

// IsTrace says whether a file that begins so is a trace. It may be large: one that is read
// as it comes ([trace.Decode], [OfTrace]) is in memory once, and not twice.
func IsTrace(begin []byte) bool { return traceBegins.Match(begin) }

// OfTrace takes a trace as a profile: what was seen then is what is allowed. The trace must
// not be used any more.
func OfTrace(d *trace.Document) *Profile {
	before := trace.Merge(d)
	p := &Profile{Format: "trace", sections: profile.Syscalls | profile.Processes}
	p.objects = func(now *trace.Document) []Finding { return beyond(before, now) }
	if before.Files != nil {
		p.sections |= profile.Files
	}
	if before.Sockets != nil {
		p.sections |= profile.Sockets
	}
	if !before.Complete.All() {
		p.Notes = append(p.Notes, "it is incomplete itself: what it lacks is not allowed")
	}
	return p
}

const notSeen = "it was not there when that trace was made"

// beyond is what one trace has and another has not. What the other did not watch is not
// judged.
func beyond(before, now *trace.Document) []Finding {
	var all []Finding
	d := trace.Diff(before, now, trace.DiffOptions{Sections: trace.DifferenceSections})
	for _, c := range d.Syscalls {
		if !c.New() {
			continue
		}
		abi, _ := event.ParseABI(c.B.ABI)
		if len(c.Values) == 0 {
			all = append(all, Finding{Call: c.B, ABI: abi, Why: notSeen})
		}
		for _, a := range c.Values {
			all = append(all, Finding{Call: c.B, ABI: abi, Index: a.Index, Values: a.Values, Why: notSeen})
		}
	}
	for _, f := range d.Files {
		if f.New() {
			all = append(all, Finding{File: f.B, Classes: f.OnlyB, Why: notSeen})
		}
	}
	for _, x := range d.Execs {
		if x.New() {
			e := &trace.Exec{Path: x.Path, Count: x.B.Count}
			if len(x.B.Processes) > 0 {
				e.Process = &x.B.Processes[0]
			}
			all = append(all, Finding{Exec: e, Why: notSeen})
		}
	}
	for _, s := range d.Sockets {
		if s.A == nil {
			all = append(all, Finding{Socket: s.B, Why: notSeen})
		}
	}
	return all
}
