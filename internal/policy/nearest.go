package policy

import "github.com/xrash/smetrics"

// nearest is the name among many that somebody meant who wrote another: the one with the
// fewest letters changed, "" if that would be a guess.
func nearest(written string, names []string) string {
	best, distance := "", len(written)/3+1
	for _, name := range names {
		if d := smetrics.WagnerFischer(written, name, 1, 1, 1); d < distance {
			best, distance = name, d
		}
	}
	return best
}
