package main

import "fmt"

// budget is a promise, and what came of it.
type budget struct {
	work, reference string
	limit           float64
	atLeast         bool
	unit            string
	digits          int
	values          []float64 // of the rounds
}

// atMost is a budget for a ratio or a quantity that must not be larger.
func atMost(limit float64, unit string, digits int, values []float64, work, reference string) budget {
	return budget{work: work, reference: reference, limit: limit, unit: unit, digits: digits, values: values}
}

// atLeast is a budget for one that must not be smaller.
func atLeast(limit float64, unit string, digits int, values []float64, work, reference string) budget {
	b := atMost(limit, unit, digits, values, work, reference)
	b.atLeast = true
	return b
}

func (b budget) row() []string {
	sign, measured := "≤", median(b.values)
	ok := measured <= b.limit
	if b.atLeast {
		sign, ok = "≥", measured >= b.limit
	}
	verdict := "ok"
	if !ok {
		verdict = "OVER"
	}
	return []string{
		b.work, b.reference,
		fmt.Sprintf("%s %s%s", sign, number(b.limit, b.digits), b.unit),
		number(measured, b.digits) + b.unit,
		spread(b.values, b.digits),
		verdict,
	}
}
