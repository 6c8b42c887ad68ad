package lang

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/turnstile-project/turnstile/internal/quote"
)

// Place is where something stands in a file. Both count from 1, columns in characters.
type Place struct{ Line, Column int }

// Problem is one mistake in a policy file.
type Problem struct {
	Place
	Text string
}

// Error is all that is wrong with a policy file, in the order of the file.
type Error struct {
	File     string
	Problems []Problem
}

// Error has a line for each problem: FILE:LINE:COLUMN: what is wrong.
func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = fmt.Sprintf("%s:%d:%d: %s", quote.Word(e.File), p.Line, p.Column, p.Text)
	}
	return strings.Join(lines, "\n")
}

// sorted is the error of some problems, nil if there are none.
func sorted(file string, problems []Problem) error {
	if len(problems) == 0 {
		return nil
	}
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return &Error{file, problems}
}

// show is a text of the file for an error: quoted, and not too long.
func show(text string) string {
	const most = 100
	if runes := []rune(text); len(runes) > most {
		return strconv.Quote(string(runes[:most])) + "…"
	}
	return strconv.Quote(text)
}
