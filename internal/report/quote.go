package report

import (
	"strconv"
	"unicode"
	"unicode/utf8"
)

// quote is s as a Go string literal: what is not printable, and every byte that
// is not UTF-8, is escaped.
func quote[S string | []byte](s S) string { return strconv.Quote(string(s)) }

// Word is s as it is if that cannot be taken for anything else on a line, and
// quoted otherwise.
func Word(s string) string {
	if s == "" {
		return `""`
	}
	for _, r := range s {
		if r == utf8.RuneError || !unicode.IsPrint(r) || unicode.IsSpace(r) || r == '"' || r == '[' || r == ']' {
			return quote(s)
		}
	}
	return s
}
