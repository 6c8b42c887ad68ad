package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

// traceFile is what matters here of a trace.
type traceFile struct {
	Complete map[string]bool   `json:"complete"`
	Lost     map[string]uint64 `json:"lost"`
	Syscalls []struct {
		Name  string `json:"name"`
		Count uint64 `json:"count"`
	} `json:"syscalls"`
}

func readTrace(file string) (*traceFile, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading trace %q: %w", file, err)
	}
	var t traceFile
	if err := json.Unmarshal(text, &t); err != nil {
		return nil, fmt.Errorf("parsing trace %q: %w", file, err)
	}
	if len(t.Complete) == 0 || len(t.Syscalls) == 0 {
		return nil, fmt.Errorf("trace %q tells nothing", file)
	}
	return &t, nil
}

// complete says whether no section lacks anything.
func (t *traceFile) complete() bool {
	for _, c := range t.Complete {
		if !c {
			return false
		}
	}
	return true
}

// losses names what was lost.
func (t *traceFile) losses() string {
	var all []string
	for _, cause := range slices.Sorted(maps.Keys(t.Lost)) {
		if n := t.Lost[cause]; n > 0 {
			all = append(all, fmt.Sprintf("%s %d", cause, n))
		}
	}
	return strings.Join(all, ", ")
}

// count is how often a call was made.
func (t *traceFile) count(name string) uint64 {
	var n uint64
	for _, s := range t.Syscalls {
		if s.Name == name {
			n += s.Count
		}
	}
	return n
}
