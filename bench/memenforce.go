package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const memoryEnforceText = `The peak of the resident sets of Turnstile's processes, each by itself and added up, by
the time when the command has done its work. Pages of the program that several of
them have in memory are counted in each.`

// residents are the peaks of Turnstile's processes, in MiB.
type residents struct {
	processes    float64
	largest, all float64
}

func (r residents) sum() float64 { return r.all }

// measureEnforceMemory measures the peak memory of all processes of the gate.
func measureEnforceMemory(ctx context.Context, b *bench) error {
	files, err := b.makeOpenFiles()
	if err != nil {
		return err
	}
	line := b.enforce(files.rule)
	var variants []variant[residents]
	add := func(name string, argv ...string) {
		variants = append(variants, variant[residents]{name: name + " under " + gate, measure: func(ctx context.Context) (r residents, err error) {
			err = b.beside(ctx, line, argv, func() (err error) {
				r, err = b.residents()
				return err
			})
			return r, err
		}})
	}
	add("`true`", "true")
	add("`find`", b.findCommand()...)
	add("4 threads that open", b.path("opens"), b.path("timing"), files.linked, "0", "4", fmt.Sprint(b.either(20_000, 1_000)))
	samples, err := interleave(ctx, b, "enforce-memory", b.roundsOf(3), variants)
	if err != nil {
		return err
	}
	t := table{header: []string{"", "processes", "largest, MiB", "all, MiB", "middle half"}}
	for _, v := range variants {
		s := samples[v.name]
		t.add(v.name,
			number(median(each(s, func(r residents) float64 { return r.processes })), 0),
			number(median(each(s, func(r residents) float64 { return r.largest })), 1),
			number(median(each(s, residents.sum)), 1), spread(each(s, residents.sum), 1))
	}
	shortest := variants[0].name
	b.page.add(section{title: "Memory under enforce", text: memoryEnforceText, table: t},
		atMost(40, " MiB", 1, each(samples[shortest], residents.sum), "memory for "+shortest+", all its processes", ""))
	return nil
}

// residents asks about all processes that run the turnstile of this session.
func (b *bench) residents() (residents, error) {
	own, err := os.Stat(b.path("turnstile"))
	if err != nil {
		return residents{}, fmt.Errorf("looking for turnstile: %w", err)
	}
	programs, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		return residents{}, fmt.Errorf("listing processes: %w", err)
	}
	var r residents
	for _, program := range programs {
		// Kernel threads have no program, and a process may be gone by now.
		if info, err := os.Stat(program); err != nil || !os.SameFile(info, own) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(filepath.Dir(program), "status"))
		if err != nil {
			return residents{}, fmt.Errorf("reading the memory of a process: %w", err)
		}
		peak, err := peakIn(string(text))
		if err != nil {
			return residents{}, err
		}
		r.processes++
		r.largest, r.all = max(r.largest, peak), r.all+peak
	}
	if r.processes == 0 {
		return residents{}, errors.New("no process runs turnstile")
	}
	return r, nil
}

// peakIn finds the peak of the resident set in a /proc/PID/status (proc_pid_status(5)),
// in MiB.
func peakIn(status string) (float64, error) {
	for line := range strings.Lines(status) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			var kib float64
			if _, err := fmt.Sscanf(value, "%f kB", &kib); err != nil {
				return 0, fmt.Errorf("parsing the peak memory %q: %w", value, err)
			}
			return kib / 1024, nil
		}
	}
	return 0, errors.New("a process does not tell its peak memory")
}
