package main

import (
	"context"
	"fmt"
	"os"
	"slices"
)

// workload is a whole program to run.
type workload struct {
	name, title, text string
	argv              []string
	tree              string // where most of the files are that it opens
	policy            string // the file of a ready policy for it, if there is one
	rounds            int
	straceRounds      int // for strace of every call, which takes long
	// prepare gets the machine ready for a run, and returns variables for it.
	prepare func(context.Context) (env []string, err error)
}

// maker makes what a workload needs.
type maker func(context.Context, *bench) (workload, error)

// effect is one run of a workload, in seconds.
type effect struct {
	wall  float64
	cpu   float64
	alone float64 // wall time of the command itself
}

func wall(e effect) float64 { return e.wall }

const (
	filesTrace = "turnstile observe --files -o TRACE"
	strace     = "strace -f -o /dev/null"
)

const workloadText = `
"Alone" is the time from the start to the end of the command itself, without the
start of the tracer and what the tracer does when the command has ended. CPU is
that of the command and the tracer together.`

// observed compares whole runs under observe with bare ones; the limit is the budget
// of --files, as a ratio.
func observed(of maker, limit float64) func(context.Context, *bench) error {
	return func(ctx context.Context, b *bench) error {
		w, err := of(ctx, b)
		if err != nil {
			return err
		}
		trace := b.path("trace")
		variants := []variant[effect]{
			b.workVariant(bare, w, nil),
			b.workVariant(withFiles, w, b.observe([]string{"--files"})),
			b.workVariant(profile, w, b.observe(nil)),
			b.workVariant(filesTrace, w, b.observe([]string{"--files", "-o", trace})),
		}
		if b.peers["strace"] {
			v := b.workVariant(strace, w, peerLine(strace))
			v.peer, v.rounds = true, b.roundsOf(w.straceRounds)
			variants = append(variants, v)
		}
		samples, err := b.compare(ctx, w, variants)
		if err != nil {
			return err
		}
		if err := b.noteLosses(w.name, trace); err != nil {
			return err
		}
		b.page.add(section{title: w.title, text: w.text + workloadText, table: workTable(variants, samples)},
			atMost(limit, "×", 2, ratios(samples[withFiles], samples[bare], wall), w.title+", `observe --files`", bare))
		return nil
	}
}

// compare runs a workload in several ways, the first of which is bare.
func (b *bench) compare(ctx context.Context, w workload, variants []variant[effect]) (map[string][]effect, error) {
	if _, err := variants[0].measure(ctx); err != nil { // warms the caches
		return nil, err
	}
	return interleave(ctx, b, w.name, b.roundsOf(w.rounds), variants)
}

// workTable has a row for each way to run a workload.
func workTable(variants []variant[effect], samples map[string][]effect) table {
	alone := func(e effect) float64 { return e.alone }
	cpu := func(e effect) float64 { return e.cpu }
	t := table{header: []string{"", "wall, s", "× bare", "middle half", "alone × bare", "middle half", "CPU, s", "× bare"}}
	for _, v := range variants {
		s := samples[v.name]
		if len(s) == 0 {
			continue // it failed, and a note says so
		}
		walls, alones := ratios(s, samples[bare], wall), ratios(s, samples[bare], alone)
		t.add(v.name, number(median(each(s, wall)), 2),
			number(median(walls), 2), spread(walls, 2),
			number(median(alones), 2), spread(alones, 2),
			number(median(each(s, cpu)), 2), number(median(ratios(s, samples[bare], cpu)), 2))
	}
	return t
}

// workVariant runs the workload at the end of a command line.
func (b *bench) workVariant(name string, w workload, line []string) variant[effect] {
	return variant[effect]{name: name, measure: func(ctx context.Context) (effect, error) {
		env, err := w.prepare(ctx)
		if err != nil {
			return effect{}, err
		}
		u, err := b.runWith(ctx, env, slices.Concat(line, b.timed("alone", w.argv))...)
		if err != nil {
			return effect{}, err
		}
		alone, err := b.usageIn("alone")
		return effect{wall: u.wall.Seconds(), cpu: u.cpu.Seconds(), alone: alone.wall.Seconds()}, err
	}}
}

// noteLosses notes what the last trace lacks: being fast by leaving out is no merit.
func (b *bench) noteLosses(name, file string) error {
	t, err := readTrace(file)
	if err != nil {
		return err
	}
	if !t.complete() {
		b.page.note("%s: the trace is incomplete, lost: %s.", name, t.losses())
	}
	if err := os.Remove(file); err != nil {
		return fmt.Errorf("removing %q: %w", file, err)
	}
	return nil
}
