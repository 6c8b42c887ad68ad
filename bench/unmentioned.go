package main

import (
	"context"
	"fmt"
)

const unmentionedText = `Calls that no rule mentions never leave the kernel. A process under a gate has a seccomp
filter, though, and the kernel takes a longer way through each of its calls, however
little the filter does. So the reference is a process whose filter allows everything
with its only instruction. A sample is the best of 20 repetitions of 10,000 calls.
"Message" is two calls: sendmsg(2) on a connected socket, and recv(2) of the same byte.`

// unmentioned are the calls, by the names that testdata/loop.c has for them.
var unmentioned = []struct{ call, title string }{
	{"read", "read, /dev/zero"},
	{"write", "write, /dev/null"},
	{"stat", "stat"},
	{"message", "message"},
}

// measureUnmentioned measures what the gate costs calls that it has no interest in.
func measureUnmentioned(ctx context.Context, b *bench) error {
	files, err := b.makeOpenFiles()
	if err != nil {
		return err
	}
	lines := []struct {
		name string
		line []string
	}{
		{bare, nil},
		{emptyFilter, []string{b.path("filtered")}},
		{gate, b.enforce(files.rule)},
	}
	var variants []variant[float64]
	key := func(name, call string) string { return fmt.Sprintf("%s: %s", name, call) }
	for _, u := range unmentioned {
		for _, l := range lines {
			variants = append(variants, variant[float64]{name: key(l.name, u.call), measure: b.under(l.line, effort{u.call, 10_000, b.either(20, 5)})})
		}
	}
	samples, err := interleave(ctx, b, "enforce-unmentioned", b.roundsOf(11), variants)
	if err != nil {
		return err
	}
	t := table{header: []string{"", "bare, ns", "empty filter, ns", "enforce, ns", "× bare", "middle half", "× empty filter", "middle half"}}
	var budgets []budget
	for _, u := range unmentioned {
		of := func(name string) []float64 { return samples[key(name, u.call)] }
		overBare, overFilter := ratios(of(gate), of(bare), ns), ratios(of(gate), of(emptyFilter), ns)
		t.add(u.title, number(median(of(bare)), 0), number(median(of(emptyFilter)), 0), number(median(of(gate)), 0),
			number(median(overBare), 2), spread(overBare, 2), number(median(overFilter), 2), spread(overFilter, 2))
		budgets = append(budgets, atMost(1.05, "×", 2, overFilter, "under `enforce`, not mentioned: "+u.title, emptyFilter))
	}
	b.page.add(section{title: "Calls that no rule mentions", text: unmentionedText, table: t}, budgets...)
	return nil
}
