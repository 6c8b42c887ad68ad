package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"
)

const startText = `A program that does nothing but note when it got to main. "Start" is the time from
the fork of the command line, so of Turnstile where there is one, to that moment;
"whole run" ends when the command line has ended.`

// birth is one run of the program that does nothing, in milliseconds.
type birth struct{ start, whole float64 }

func (s birth) untilStart() float64 { return s.start }

// measureStart measures how much later a command begins, and ends.
func measureStart(ctx context.Context, b *bench) error {
	variants := []variant[birth]{
		b.birthVariant(bare, nil),
		b.birthVariant(profile, b.observe(nil)),
		b.birthVariant(withFiles, b.observe([]string{"--files"})),
		b.birthVariant(withAll, b.observe([]string{"--all"})),
	}
	if b.peers["strace"] {
		v := b.birthVariant(straceCount, []string{"strace", "-f", "-c", "-o", "/dev/null", "--"})
		v.peer = true
		variants = append(variants, v)
	}
	samples, err := interleave(ctx, b, "start", b.roundsOf(20), variants)
	if err != nil {
		return err
	}
	b.page.add(section{title: "Start of a command", text: startText, table: startTable(variants, samples)},
		startBudget(60, profile, samples), startBudget(60, withFiles, samples))
	return nil
}

// measureEnforceStart measures the same of enforce.
func measureEnforceStart(ctx context.Context, b *bench) error {
	variants := []variant[birth]{
		b.birthVariant(bare, nil),
		b.birthVariant(gate, b.enforce(hidden("/usr"))),
	}
	for _, name := range b.gatePeers() {
		v := b.birthVariant(name, peerLine(name))
		v.peer = true
		variants = append(variants, v)
	}
	samples, err := interleave(ctx, b, "enforce-start", b.roundsOf(20), variants)
	if err != nil {
		return err
	}
	b.page.add(section{title: "Start of a command under enforce", text: startText, table: startTable(variants, samples)},
		startBudget(25, gate, samples))
	return nil
}

// startTable has the milliseconds.
func startTable(variants []variant[birth], samples map[string][]birth) table {
	t := table{header: []string{"", "start, ms", "middle half", "more than bare", "whole run, ms", "middle half", "more than bare"}}
	for _, v := range variants {
		s := samples[v.name]
		if len(s) == 0 {
			continue // it failed, and a note says so
		}
		row := []string{v.name}
		for _, quantity := range []func(birth) float64{birth.untilStart, func(s birth) float64 { return s.whole }} {
			row = append(row, number(median(each(s, quantity)), 1), spread(each(s, quantity), 1),
				number(median(differences(s, samples[bare], quantity)), 1))
		}
		t.add(row...)
	}
	return t
}

func startBudget(limit float64, name string, samples map[string][]birth) budget {
	return atMost(limit, " ms", 1, differences(samples[name], samples[bare], birth.untilStart),
		"start of `true` under `"+name+"`", "more than bare")
}

// birthVariant runs the program at the end of a command line.
func (b *bench) birthVariant(name string, line []string) variant[birth] {
	argv := slices.Concat(line, []string{b.path("started"), b.path("noted")})
	return variant[birth]{name: name, measure: func(ctx context.Context) (birth, error) { return b.birth(ctx, argv) }}
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
