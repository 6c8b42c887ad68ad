package main

import "context"

const memoryText = `The largest resident set that Turnstile had; the commands that it ran need less.
What it knows of a run is bounded, but grows with the files that the run touched.`

// measureMemory measures the peak memory of Turnstile.
func measureMemory(ctx context.Context, b *bench) error {
	short := []string{"true"}
	long := b.findCommand()
	trace := []string{"--files", "-o", b.path("trace")}
	var variants []variant[float64]
	add := func(name string, argv []string) {
		variants = append(variants, variant[float64]{name: name, measure: func(ctx context.Context) (float64, error) {
			u, err := b.run(ctx, argv...)
			return float64(u.peak) / (1 << 20), err
		}})
	}
	const profileTrue, filesTrue = "`true` under turnstile observe", "`true` under turnstile observe --files"
	add(profileTrue, b.observe(nil, short...))
	add(filesTrue, b.observe(trace[:1], short...))
	add("`true` under turnstile observe --all", b.observe([]string{"--all"}, short...))
	add("`find` under turnstile observe", b.observe(nil, long...))
	add("`find` under turnstile observe --files", b.observe(trace[:1], long...))
	add("`find` under turnstile observe --files -o TRACE", b.observe(trace, long...))
	samples, err := interleave(ctx, b, "memory", b.roundsOf(3), variants)
	if err != nil {
		return err
	}
	t := table{header: []string{"", "peak, MiB", "middle half"}}
	for _, v := range variants {
		s := samples[v.name]
		t.add(v.name, number(median(s), 1), spread(s, 1))
	}
	b.page.add(section{title: "Memory", text: memoryText, table: t},
		atMost(40, " MiB", 1, samples[profileTrue], "memory for "+profileTrue, ""),
		atMost(40, " MiB", 1, samples[filesTrue], "memory for "+filesTrue, ""))
	return nil
}
