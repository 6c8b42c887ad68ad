package main

import "testing"

func TestTable(t *testing.T) {
	table := table{header: []string{"", "× bare"}}
	table.add("bare", number(1, 2))
	table.add("strace -f", number(1234567.891, 2))
	want := `|           |       × bare |
|:----------|-------------:|
| bare      |         1.00 |
| strace -f | 1,234,567.89 |
`
	if got := table.String(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 999: "999", 1000: "1,000", -100: "-100", -12345: "-12,345"} {
		if got := number(v, 0); got != want {
			t.Errorf("number(%v) = %q, want %q", v, got, want)
		}
	}
}
