package main

import (
	"slices"
	"testing"
)

func TestQuantile(t *testing.T) {
	for _, c := range []struct {
		values []float64
		q      float64
		want   float64
	}{
		{[]float64{3}, 0.5, 3},
		{[]float64{3, 1, 2}, 0.5, 2},
		{[]float64{4, 1, 2, 3}, 0.5, 2.5},
		{[]float64{1, 2, 3, 4, 5}, 0.25, 2},
		{[]float64{1, 2}, 1, 2},
	} {
		if got := quantile(c.values, c.q); got != c.want {
			t.Errorf("quantile(%v, %v) = %v, want %v", c.values, c.q, got, c.want)
		}
	}
}

// A variant that took part in the first rounds only is compared with those.
func TestRatiosPairRounds(t *testing.T) {
	got := ratios([]float64{20, 30}, []float64{10, 10, 1000}, ns)
	if want := []float64{2, 3}; !slices.Equal(got, want) {
		t.Errorf("ratios = %v, want %v", got, want)
	}
}

func TestBudget(t *testing.T) {
	for _, c := range []struct {
		budget budget
		want   string
	}{
		{atMost(1.15, "×", 2, []float64{1.1, 1.15, 1.2}, "", ""), "ok"},
		{atMost(1.15, "×", 2, []float64{1.1, 1.16, 1.2}, "", ""), "OVER"},
		{atLeast(100, "×", 0, []float64{100}, "", ""), "ok"},
		{atLeast(100, "×", 0, []float64{99.4}, "", ""), "OVER"},
	} {
		row := c.budget.row()
		if got := row[len(row)-1]; got != c.want {
			t.Errorf("%v: %q, want %q", c.budget, got, c.want)
		}
	}
}
