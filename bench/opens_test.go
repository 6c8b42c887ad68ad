package main

import (
	"slices"
	"strings"
	"testing"
)

// Rows are compared with bare ones of the same path, and only those of the gate are
// judged, against strace on the same path.
func TestOpenTable(t *testing.T) {
	b := &bench{peers: map[string]bool{"strace": true, "bwrap": true}}
	rows := b.openings(openFiles{})
	sample := func(µs float64) []timing { return []timing{{p50: 900 * µs, p99: 2000 * µs, mean: 1000 * µs}} }
	samples := map[string][]timing{
		bare: sample(2), gate: sample(12), straceOpens: sample(24), // bwrap failed
		bare + throughLink: sample(4), gate + throughLink: sample(30), straceOpens + throughLink: sample(25),
		bareMissing: sample(1), gateDenied: sample(9),
	}
	table := openTable(rows, samples)
	want := `|                                                                      | p50, µs | p99, µs | mean, µs | middle half | × bare |   middle half | × strace |
|:---------------------------------------------------------------------|--------:|--------:|---------:|------------:|-------:|--------------:|---------:|
| bare                                                                 |     1.8 |     4.0 |      2.0 |   2.0 – 2.0 |   1.00 |   1.00 – 1.00 |        – |
| turnstile enforce                                                    |    10.8 |    24.0 |     12.0 | 12.0 – 12.0 |   6.00 |   6.00 – 6.00 |     0.50 |
| strace --seccomp-bpf -f -e trace=openat -o /dev/null                 |    21.6 |    48.0 |     24.0 | 24.0 – 24.0 |  12.00 | 12.00 – 12.00 |        – |
| bare, through a link                                                 |     3.6 |     8.0 |      4.0 |   4.0 – 4.0 |   1.00 |   1.00 – 1.00 |        – |
| turnstile enforce, through a link                                    |    27.0 |    60.0 |     30.0 | 30.0 – 30.0 |   7.50 |   7.50 – 7.50 |     1.20 |
| strace --seccomp-bpf -f -e trace=openat -o /dev/null, through a link |    22.5 |    50.0 |     25.0 | 25.0 – 25.0 |   6.25 |   6.25 – 6.25 |        – |
| bare, no such file                                                   |     0.9 |     2.0 |      1.0 |   1.0 – 1.0 |   1.00 |   1.00 – 1.00 |        – |
| turnstile enforce, denied                                            |     8.1 |    18.0 |      9.0 |   9.0 – 9.0 |   9.00 |   9.00 – 9.00 |        – |
`
	if got := table.String(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	var verdicts []string
	for _, budget := range openBudgets("opens", rows, samples) {
		row := budget.row()
		verdicts = append(verdicts, strings.Join([]string{row[0], row[2], row[3], row[5]}, ": "))
	}
	if want := []string{
		"opens, plain path: ≤ 0.70×: 0.50×: ok",
		"opens, path with a link: ≤ 1.10×: 1.20×: OVER",
	}; !slices.Equal(verdicts, want) {
		t.Errorf("budgets %q, want %q", verdicts, want)
	}
}

// Without strace there is nothing to compare with, and still a table.
func TestOpenTableWithoutPeers(t *testing.T) {
	b := &bench{}
	rows := b.openings(openFiles{})
	samples := map[string][]timing{}
	for _, row := range rows {
		samples[row.name] = []timing{{1000, 1000, 1000}}
	}
	if table := openTable(rows, samples); len(table.rows) != len(rows) {
		t.Errorf("%d rows, want %d", len(table.rows), len(rows))
	}
	if budgets := openBudgets("opens", rows, samples); len(budgets) > 0 {
		t.Errorf("budgets without a reference: %v", budgets)
	}
}
