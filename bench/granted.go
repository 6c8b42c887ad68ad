package main

import (
	"context"
	"path/filepath"
)

const grantedText = `The same program under a policy that denies by default and allows the directory of
the file, with all below it. Landlock holds what it opens, so Turnstile looks at the path and leaves
the open to the kernel. With --fast nobody is asked: what is more than bare then are the
filter and Landlock, which looks at each directory of the path.`

const (
	gateGranted = gate + ", below a grant of Landlock"
	gateFast    = gate + " --fast"
)

// grantedRules allow what testdata/opens.c needs, and one directory.
func (b *bench) grantedRules(f openFiles) []string {
	var rules []string
	for _, rule := range []string{
		"read,list:/usr/**", "read:/etc/ld.so.cache", "read,exec:" + b.path("opens"),
		"read,list:" + filepath.Dir(f.plain) + "/**", "write,create,delete:" + b.dir + "/**",
	} {
		rules = append(rules, "--allow", rule)
	}
	return rules
}

// measureGranted measures opens that Landlock holds.
func measureGranted(ctx context.Context, b *bench) error {
	files, err := b.makeOpenFiles()
	if err != nil {
		return err
	}
	under := func(flags ...string) []string {
		line := append([]string{b.path("turnstile"), "enforce", "-q", "--default", "deny"}, flags...)
		return append(append(line, b.grantedRules(files)...), "--")
	}
	rows := []opening{
		{name: bare, reference: bare, path: files.plain},
		{name: gateGranted, reference: bare, line: under(), path: files.plain},
		{name: gateFast, reference: bare, line: under("--fast"), path: files.plain},
	}
	calls := b.either(10_000, 1_000)
	var variants []variant[timing]
	for _, row := range rows {
		variants = append(variants, variant[timing]{name: row.name, measure: func(ctx context.Context) (timing, error) {
			return b.opens(ctx, row.line, row.path, row.want, 1, calls)
		}})
	}
	samples, err := interleave(ctx, b, "enforce-open-granted", b.roundsOf(9), variants)
	if err != nil {
		return err
	}
	over := func(name string) []float64 { return ratios(samples[name], samples[bare], mean) }
	b.page.add(section{title: "One open that Landlock holds", text: grantedText, table: openTable(rows, samples)},
		atMost(4.5, "×", 2, over(gateGranted), "`enforce`, allowed open below a grant of Landlock", bare),
		atMost(1.05, "×", 2, over(gateFast), "`enforce --fast`, the same open", bare))
	return nil
}
