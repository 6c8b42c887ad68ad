package main

import (
	"fmt"
	"slices"
)

// ratios are the quotients of what was measured in the same round.
func ratios[S any](of, reference []S, quantity func(S) float64) []float64 {
	return pairs(of, reference, func(a, b S) float64 { return quantity(a) / quantity(b) })
}

// differences are those of what was measured in the same round.
func differences[S any](of, reference []S, quantity func(S) float64) []float64 {
	return pairs(of, reference, func(a, b S) float64 { return quantity(a) - quantity(b) })
}

// pairs combines the samples of two variants round by round; one may have taken
// part in fewer rounds.
func pairs[S any](a, b []S, combine func(a, b S) float64) []float64 {
	var out []float64
	for i := range min(len(a), len(b)) {
		out = append(out, combine(a[i], b[i]))
	}
	return out
}

// each takes one quantity out of the samples.
func each[S any](samples []S, quantity func(S) float64) []float64 {
	var out []float64
	for _, s := range samples {
		out = append(out, quantity(s))
	}
	return out
}

func median(values []float64) float64 { return quantile(values, 0.5) }

// quantile interpolates between the two nearest values.
func quantile(values []float64, q float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i+1 == len(sorted) {
		return sorted[i]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}

// spread shows the middle half of the values.
func spread(values []float64, digits int) string {
	return fmt.Sprintf("%s – %s", number(quantile(values, 0.25), digits), number(quantile(values, 0.75), digits))
}
