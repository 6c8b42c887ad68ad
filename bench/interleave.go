package main

import (
	"context"
	"fmt"
	"os"
)

// variant is one way to do the work of an experiment.
type variant[S any] struct {
	name    string
	peer    bool // somebody else's tracer: if it fails, its row is missing, and a note says so
	rounds  int  // it takes part in the first so many rounds; 0: in all
	measure func(context.Context) (S, error)
}

// interleave runs every variant once a round. The order is the same in each round
// but begins one variant further, so that nobody is always first or always runs
// after the same one.
//
// A variant's sample i is from round i.
func interleave[S any](ctx context.Context, b *bench, title string, rounds int, variants []variant[S]) (map[string][]S, error) {
	fmt.Fprintf(os.Stderr, "%s: %d rounds of %d variants\n", title, rounds, len(variants))
	samples := map[string][]S{}
	failed := map[string]bool{}
	disturbed := 0
	var reason string
	for round := range rounds {
		switch r, err := disturbance(); {
		case err != nil:
			return nil, err
		case r != "":
			disturbed, reason = disturbed+1, r
		}
		for i := range variants {
			v := variants[(round+i)%len(variants)]
			if failed[v.name] || v.rounds > 0 && round >= v.rounds {
				continue
			}
			s, err := v.measure(ctx)
			switch {
			case err == nil:
				samples[v.name] = append(samples[v.name], s)
			case v.peer && ctx.Err() == nil:
				failed[v.name] = true
				delete(samples, v.name)
				b.page.note("%s: %q is missing, it failed: %v", title, v.name, err)
			default:
				return nil, fmt.Errorf("measuring %q: %w", v.name, err)
			}
		}
	}
	if disturbed > 0 {
		b.page.note("%s: when %d of the %d rounds began, %s.", title, disturbed, rounds, reason)
	}
	return samples, nil
}
