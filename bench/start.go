package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

const startText = `A program that does nothing but note when it got to main. "Start" is the time from
the fork of the command line, so of Turnstile where there is one, to that moment;
"whole run" ends when the command line has ended.`

// birth is one run of the program that does nothing, in milliseconds.
type birth struct{ start, whole float64 }

// measureStart measures how much later a command begins, and ends.
func measureStart(ctx context.Context, b *bench) error {
	var variants []variant[birth]
	add := func(name string, argv []string) {
		variants = append(variants, variant[birth]{name: name, measure: func(ctx context.Context) (birth, error) { return b.birth(ctx, argv) }})
	}
	note := []string{b.path("started"), b.path("noted")}
	add(bare, note)
	add(profile, b.observe(nil, note...))
	add(withFiles, b.observe([]string{"--files"}, note...))
	add(withAll, b.observe([]string{"--all"}, note...))
	if b.peers["strace"] {
		add(straceCount, append([]string{"strace", "-f", "-c", "-o", "/dev/null", "--"}, note...))
		variants[len(variants)-1].peer = true
	}
	samples, err := interleave(ctx, b, "start", b.roundsOf(20), variants)
	if err != nil {
		return err
	}
	start := func(s birth) float64 { return s.start }
	whole := func(s birth) float64 { return s.whole }
	t := table{header: []string{"", "start, ms", "middle half", "more than bare", "whole run, ms", "middle half", "more than bare"}}
	for _, v := range variants {
		row := []string{v.name}
		for _, quantity := range []func(birth) float64{start, whole} {
			s := each(samples[v.name], quantity)
			if len(s) == 0 {
				continue // it failed, and a note says so
			}
			row = append(row, number(median(s), 1), spread(s, 1),
				number(median(differences(samples[v.name], samples[bare], quantity)), 1))
		}
		if len(row) == len(t.header) {
			t.add(row...)
		}
	}
	var budgets []budget
	for _, name := range []string{profile, withFiles} {
		budgets = append(budgets, atMost(60, " ms", 1, differences(samples[name], samples[bare], start),
			"start of `true` under `"+name+"`", "more than bare"))
	}
	b.page.add(section{title: "Start of a command", text: startText, table: t}, budgets...)
	return nil
}

func (b *bench) birth(ctx context.Context, argv []string) (birth, error) {
	u, err := b.run(ctx, argv...)
	if err != nil {
		return birth{}, err
	}
	result := b.path("noted")
	text, err := os.ReadFile(result)
	if err != nil {
		return birth{}, fmt.Errorf("reading %q: %w", result, err)
	}
	var noted int64
	if _, err := fmt.Sscan(string(text), &noted); err != nil {
		return birth{}, fmt.Errorf("parsing the time of the start %q: %w", text, err)
	}
	return birth{start: milliseconds(time.Duration(noted) - u.forked), whole: milliseconds(u.wall)}, nil
}

func milliseconds(d time.Duration) float64 { return float64(d) / 1e6 }
