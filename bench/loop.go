package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
)

// loop is what testdata/loop.c found out about itself.
type loop struct {
	best  float64 // ns for one call in the best repetition
	total float64 // ns for all calls
	cpu   float64 // ns
}

// effort is which call a loop makes, and how often.
type effort struct {
	call               string
	calls, repetitions int
}

// ns is the quantity of the samples that are the nanoseconds of a call.
func ns(sample float64) float64 { return sample }

// loopArgv is the command line of a loop.
func (b *bench) loopArgv(e effort) []string {
	return []string{b.path("loop"), e.call, strconv.Itoa(e.calls), strconv.Itoa(e.repetitions), b.path("looped")}
}

// loop runs a command that ends up running loopArgv, and reads what that found.
func (b *bench) loop(ctx context.Context, argv ...string) (loop, usage, error) {
	result := b.path("looped")
	if err := os.RemoveAll(result); err != nil {
		return loop{}, usage{}, fmt.Errorf("removing %q: %w", result, err)
	}
	u, err := b.run(ctx, argv...)
	if err != nil {
		return loop{}, u, err
	}
	text, err := os.ReadFile(result)
	if err != nil {
		return loop{}, u, fmt.Errorf("reading %q: %w", result, err)
	}
	var l loop
	if _, err := fmt.Sscan(string(text), &l.best, &l.total, &l.cpu); err != nil {
		return loop{}, u, fmt.Errorf("parsing what the loop found, %q: %w", text, err)
	}
	return l, u, nil
}
