package policy

import "github.com/xrash/smetrics"

// Nearest is the name among many that somebody meant who wrote another: the one with the
// fewest letters changed, "" if that would be a guess.
func Nearest(written string, names []string) string {
	const longest = 64 // no name is longer, and the work grows with both
	if len(written) > longest {
		return ""
	}
	best, distance := "", len(written)/3+1
	for _, name := range names {
		if d := smetrics.WagnerFischer(written, name, 1, 1, 1); d < distance {
			best, distance = name, d
		}
	}
	return best
}
