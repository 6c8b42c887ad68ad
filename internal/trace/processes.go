package trace

import (
	"github.com/turnstile-project/turnstile/internal/event"
)

// processTable gives processes their ids. Up to a limit each has an entry; after
// that a process goes to the entry of those with the same image and the same
// parent image, and to another one when it gets another image.
type processTable struct {
	limit   int
	started int64 // of the run, Unix time in nanoseconds
	folded  map[string]uint64
	entries []*Process
	// live maps the processes that are not settled to their entries.
	live   map[event.ProcessID]*Process
	groups map[groupKey]*Process
}

type groupKey struct{ exe, parent string }

func newProcessTable(o Options, folded map[string]uint64) processTable {
	return processTable{
		limit: o.MaxProcesses, started: o.Started.UnixNano(), folded: folded,
		live:   make(map[event.ProcessID]*Process),
		groups: make(map[groupKey]*Process),
	}
}

// see takes in what an event tells about its process, and returns the id.
func (t *processTable) see(e *event.Event) int {
	p := t.entry(e.Process)
	if p.group {
		if e.Access.Op == event.OpExec && e.Outcome.Errno == 0 {
			p = t.regroup(e.Process)
		}
		return p.ID
	}
	t.update(p, e.Process)
	if e.Access.Op == event.OpExit {
		at := e.Time.UnixNano() - t.started
		p.Exited = &at
		p.Status, p.Signal = ending(e)
	}
	return p.ID
}

func (t *processTable) update(p *Process, from *event.Process) {
	p.PPID = from.Parent.PID
	p.Comm = from.Comm
	p.Exe = from.Exe
	p.UID = from.UID
	if !from.Started.IsZero() {
		p.Started = from.Started.UnixNano() - t.started
	}
}

// of is the id of a process.
func (t *processTable) of(p *event.Process) int { return t.entry(p).ID }

func (t *processTable) entry(p *event.Process) *Process {
	if known := t.live[p.ID]; known != nil {
		return known
	}
	if len(t.entries) < t.limit {
		n := &Process{ID: len(t.entries), PID: p.ID.PID}
		t.update(n, p)
		t.entries = append(t.entries, n)
		t.live[p.ID] = n
		return n
	}
	t.folded["processes"]++
	return t.regroup(p)
}

// regroup moves a process to the group of its image.
func (t *processTable) regroup(p *event.Process) *Process {
	k := groupKey{exe: p.Exe, parent: t.exeOf(p.Parent)}
	g := t.groups[k]
	if g == nil && len(t.groups) >= t.limit {
		// A hostile target can make any number of images.
		k = groupKey{}
		g = t.groups[k]
	}
	if g == nil {
		g = &Process{ID: len(t.entries), PID: p.ID.PID, group: true}
		t.update(g, p)
		t.entries = append(t.entries, g)
		t.groups[k] = g
	}
	if old := t.live[p.ID]; old != g {
		if old != nil {
			old.Folded--
		}
		g.Folded++
		t.live[p.ID] = g
	}
	return g
}

func (t *processTable) exeOf(id event.ProcessID) string {
	if p := t.live[id]; p != nil {
		return p.Exe
	}
	return ""
}

// settle forgets which entry a process has.
func (t *processTable) settle(id event.ProcessID) { delete(t.live, id) }

func (t *processTable) all() []*Process {
	if t.entries == nil {
		return []*Process{}
	}
	return t.entries
}

// ending is the status or the signal that a process ended with.
func ending(e *event.Event) (status *int, signal *string) {
	if e.Exit.Signaled() {
		name := event.SignalName(e.Exit.Signal())
		return nil, &name
	}
	code := e.Exit.ExitStatus()
	return &code, nil
}
