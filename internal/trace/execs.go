package trace

import (
	"slices"

	"github.com/turnstile-project/turnstile/internal/event"
)

// execTable collects programs that were started, or tried to. Beyond the limit it
// collects them by path alone.
type execTable struct {
	limit   int
	folded  map[string]uint64
	entries []*Exec
	failed  map[failedExec]*Exec
	byPath  map[string]*Exec
}

// failedExec: a shell tries the directories of PATH again and again.
type failedExec struct {
	process int
	path    string
}

func newExecTable(limit int, folded map[string]uint64) execTable {
	return execTable{limit: limit, folded: folded, failed: make(map[failedExec]*Exec), byPath: make(map[string]*Exec)}
}

func (t *execTable) add(e *event.Event, id int) *Exec {
	if len(e.Access.Targets) == 0 {
		return nil
	}
	x := t.entry(e, id)
	x.Count++
	if e.Outcome.Errno != 0 {
		x.Errors.Add(e.Outcome.Errno.String(), 1)
	}
	return x
}

func (t *execTable) entry(e *event.Event, id int) *Exec {
	targets := e.Access.Targets
	path := targets[0].Path
	if path == nil {
		path = targets[0].Asked
	}
	key := failedExec{id, string(path)}
	if x := t.failed[key]; x != nil && e.Outcome.Errno != 0 {
		return x
	}
	if len(t.entries) >= t.limit {
		return t.fold(string(path))
	}
	x := &Exec{Path: string(path), Process: &id}
	if len(targets) > 1 && targets[1].Asked != nil {
		x.Interpreter = string(targets[1].Path)
	}
	for _, arg := range e.Argv {
		x.Argv = append(x.Argv, string(arg))
	}
	t.entries = append(t.entries, x)
	if e.Outcome.Errno != 0 {
		t.failed[key] = x
	}
	return x
}

// maxExecPaths bounds the programs that are told apart when folded.
const maxExecPaths = 10_000

func (t *execTable) fold(path string) *Exec {
	t.folded["execs"]++
	if len(t.byPath) >= maxExecPaths && t.byPath[path] == nil {
		path = ""
	}
	x := t.byPath[path]
	if x == nil {
		x = &Exec{Path: path}
		t.byPath[path] = x
		t.entries = append(t.entries, x)
	}
	return x
}

func (t *execTable) all() []*Exec {
	if t.entries == nil {
		return []*Exec{}
	}
	return slices.Clone(t.entries)
}
