package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
)

const streamText = `The same loop under "turnstile observe --all -o TRACE": every call becomes an event.
The rate is calls divided by the time of the loop. Events that found the ring buffer
full are lost, and counted; "delivered" is what the receiver got. Counts in the trace
come from the kernel and must be exact in any case. With --events each event is
also written to a file, as a line of JSON. CPU is that of Turnstile alone, its
start included.`

// flow is one run of the loop under --all.
type flow struct {
	rate    float64 // million events a second while the loop ran
	lost    float64
	written float64 // lines of JSON
	cpu     float64 // ns of Turnstile for an event
	exact   bool
	whole   bool
}

// measureStream measures how fast every single call reaches the aggregator, and
// whether all of them do.
func measureStream(ctx context.Context, b *bench) error {
	aggregate := effort{"getppid", b.either(5_000_000, 200_000), 1}
	write := effort{"getppid", b.either(1_000_000, 100_000), 1}
	const toTrace, toFile = "--all", "--all --events FILE"
	variants := []variant[flow]{
		{name: toTrace, measure: func(ctx context.Context) (flow, error) { return b.flow(ctx, aggregate, "") }},
		{name: toFile, measure: func(ctx context.Context) (flow, error) { return b.flow(ctx, write, b.path("events")) }},
	}
	samples, err := interleave(ctx, b, "stream", b.roundsOf(5), variants)
	if err != nil {
		return err
	}
	rate := func(f flow) float64 { return f.rate }
	lost := func(f flow) float64 { return f.lost }
	t := table{header: []string{"", "calls", "million events/s", "middle half", "lost (median)", "delivered as JSON", "Turnstile's CPU, ns/event", "counts exact", "trace complete"}}
	for _, v := range variants {
		s, calls, written := samples[v.name], aggregate.calls, "–"
		if v.name == toFile {
			calls = write.calls
			written = number(median(each(s, func(f flow) float64 { return f.written })), 0)
		}
		t.add(v.name, number(float64(calls), 0),
			number(median(each(s, rate)), 2), spread(each(s, rate), 2),
			number(median(each(s, lost)), 0), written,
			number(median(each(s, func(f flow) float64 { return f.cpu })), 0),
			tally(s, func(f flow) bool { return f.exact }),
			tally(s, func(f flow) bool { return f.whole }))
	}
	all := samples[toTrace]
	b.page.add(section{title: "Every single call", text: streamText, table: t},
		atLeast(1, " M/s", 2, each(all, rate), "`observe --all`, events to the aggregator", ""),
		atMost(0, "", 0, each(all, lost), "`observe --all`, events lost meanwhile", ""),
		atMost(0, "", 0, each(all, func(f flow) float64 {
			if f.exact && f.whole {
				return 0
			}
			return 1
		}), "`observe --all`, runs with a wrong count or an incomplete trace", ""),
	)
	return nil
}

// flow runs the loop once; events is the file for them, or empty.
func (b *bench) flow(ctx context.Context, e effort, events string) (flow, error) {
	trace := b.path("trace")
	flags := []string{"--all", "-o", trace}
	if events != "" {
		flags = append(flags, "--events", events)
		defer func() { _ = os.Remove(events) }() // or close does
	}
	l, u, err := b.loop(ctx, b.observe(flags, b.loopArgv(e)...)...)
	if err != nil {
		return flow{}, err
	}
	t, err := readTrace(trace)
	if err != nil {
		return flow{}, err
	}
	calls := float64(e.calls * e.repetitions)
	f := flow{
		rate:  calls / l.total * 1e3,
		lost:  float64(t.Lost["ringbuf"]),
		cpu:   (float64(u.cpu) - l.cpu) / calls,
		exact: t.count("getppid") == uint64(calls)+1, // the loop tries it once before
		whole: t.complete(),
	}
	if events != "" {
		f.written, err = countLines(events)
	}
	return f, err
}

// countLines reads a file of any size.
func countLines(file string) (float64, error) {
	f, err := os.Open(file)
	if err != nil {
		return 0, fmt.Errorf("opening %q: %w", file, err)
	}
	defer f.Close()
	buf := make([]byte, 1<<20)
	lines := 0
	for {
		n, err := f.Read(buf)
		lines += bytes.Count(buf[:n], []byte{'\n'})
		if errors.Is(err, io.EOF) {
			return float64(lines), nil
		}
		if err != nil {
			return 0, fmt.Errorf("reading %q: %w", file, err)
		}
	}
}

// tally says in how many samples something holds.
func tally[S any](samples []S, holds func(S) bool) string {
	n := 0
	for _, s := range samples {
		if holds(s) {
			n++
		}
	}
	return fmt.Sprintf("%d of %d", n, len(samples))
}
