package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/turnstile-project/turnstile/internal/quote"
	"github.com/turnstile-project/turnstile/internal/tree"
)

// names lists processes for a message, the first few of them. Nobody is seen at one moment
// of those that fork and end all the time.
func names(processes []tree.Process) string {
	if len(processes) == 0 {
		return "processes that come and go"
	}
	const most = 4
	slices.SortFunc(processes, func(a, b tree.Process) int { return cmp.Compare(a.PID, b.PID) })
	var words []string
	for i, p := range processes {
		if i == most {
			words = append(words, fmt.Sprintf("and %d more", len(processes)-most))
			break
		}
		words = append(words, fmt.Sprintf("%s[%d]", quote.Word(p.Comm), p.PID))
	}
	return strings.Join(words, ", ")
}
