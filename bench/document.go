package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const introduction = `# Benchmarks

<!-- Written by "go run ./bench" as root. Do not edit. -->

What it costs to be watched by Turnstile, or to be behind its gate, measured against
the budgets that it keeps to, and against other tracers and boxes.

## Method

Every experiment runs all of its variants once a round, one after the other, for
several rounds; each round begins with another variant. A ratio or a difference is
taken within a round, against the reference of the same round. The numbers below
are medians over the rounds; "middle half" is from the first to the third
quartile. The reference and the work that is measured are thus exposed to the same
machine in the same minute. Absolute times are for orientation.

Nothing is pinned to a CPU. The session runs with raised priority (nice -10), its
references included, so that what else the machine does disturbs less. Peers run
with the options that are shown, their output thrown away; those that take long
take part in the first rounds only. "Bare" is without any tracer or gate.
`

// writeDocument writes all that was found.
func (b *bench) writeDocument() error {
	file := b.output
	if file == "" {
		file = filepath.Join(b.root, "docs", "benchmarks.md")
	}
	m, err := describeMachine()
	if err != nil {
		return err
	}
	parts := []string{introduction, "## Machine\n\n" + m, b.page.summary()}
	for _, s := range b.page.sections {
		parts = append(parts, s.String())
	}
	if err := os.WriteFile(file, []byte(strings.Join(parts, "\n")), 0o644); err != nil {
		return fmt.Errorf("writing %q: %w", file, err)
	}
	return nil
}
