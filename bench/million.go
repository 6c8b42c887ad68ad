package main

import (
	"context"
	"fmt"
	"os"

	"github.com/turnstile-project/turnstile/internal/trace"
	"github.com/turnstile-project/turnstile/internal/trace/tracetest"
)

const millionText = `A trace of a million files, nine directories deep, twenty in each, by 300 processes, is
made into each format, and merged, compared and checked with itself. Peak is the largest
resident set. The garbage collector keeps the heap below 960 MiB if it can; a memory
limit of one's own (GOMEMLIMIT) is kept in its place.`

// measureMillion measures reports of a trace of a million files.
func measureMillion(ctx context.Context, b *bench) error {
	files := b.either(1_000_000, 10_000)
	big := b.path("big.json")
	if err := writeBig(big, files); err != nil {
		return err
	}
	var variants []variant[usage]
	add := func(name string, argv ...string) {
		variants = append(variants, variant[usage]{name: name, measure: func(ctx context.Context) (usage, error) {
			return b.run(ctx, append([]string{b.path("turnstile")}, argv...)...)
		}})
	}
	for _, format := range []string{
		"text", "json", "markdown", "html", "oci", "docker", "k8s", "systemd", "seccomp-h", "go", "cbpf",
		"apparmor", "firejail", "bwrap", "landlock", "policy",
	} {
		add("report -f "+format, "report", "-q", "-f", format, big)
	}
	add("merge", "merge", big, big)
	add("diff", "diff", big, big)
	add("check --against", "check", "--against", big, big)
	samples, err := interleave(ctx, b, "million", b.roundsOf(3), variants)
	if err != nil {
		return err
	}
	t := table{header: []string{"", "peak, MiB", "middle half", "seconds", "middle half", "CPU, seconds"}}
	var budgets []budget
	judge := func(name string, samples []usage) {
		budgets = append(budgets,
			atMost(1024, " MiB", 0, each(samples, peakMiB), name+": peak", ""),
			atMost(10, " s", 1, each(samples, wallSeconds), name+": time", ""))
	}
	most := make([]usage, len(samples["merge"])) // of any, by round
	for _, v := range variants {
		s := samples[v.name]
		peak, wall := each(s, peakMiB), each(s, wallSeconds)
		cpu := each(s, func(u usage) float64 { return u.cpu.Seconds() })
		t.add("turnstile "+v.name, number(median(peak), 0), spread(peak, 0), number(median(wall), 1), spread(wall, 1), number(median(cpu), 1))
		for round, u := range s {
			most[round].peak = max(most[round].peak, u.peak)
			most[round].wall = max(most[round].wall, u.wall)
		}
	}
	of := "report of " + number(float64(files), 0) + " files, "
	for _, format := range []string{"oci", "policy", "html", "json"} {
		judge(of+format, samples["report -f "+format])
	}
	judge(of+"the format that takes most, or merge, diff, check", most)
	b.page.add(section{title: "A million files", text: millionText, table: t}, budgets...)
	return nil
}

func peakMiB(u usage) float64 { return float64(u.peak) / (1 << 20) }

func wallSeconds(u usage) float64 { return u.wall.Seconds() }

// writeBig writes a trace of so many files.
func writeBig(name string, files int) error {
	f, err := os.Create(name)
	if err != nil {
		return fmt.Errorf("making a large trace: %w", err)
	}
	if err := trace.Encode(f, tracetest.Big(files)); err != nil {
		f.Close()
		return fmt.Errorf("making a large trace: %w", err)
	}
	return f.Close()
}
