// Package quote makes strings that come from a target harmless to a terminal:
// they cannot move the cursor, forge a line, turn the direction of the text or
// be anything but UTF-8.
//
// It never changes a string that it does not quote, and knows nothing of where
// one is printed. Start reading at [Always]; [Word] and [Line] leave alone what
// needs no quotes.
package quote

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Always is s as a Go string literal: what is not printable, and every byte that
// is not UTF-8, is escaped.
func Always[S string | []byte](s S) string { return strconv.Quote(string(s)) }

// Word is s as it is if that cannot be taken for anything else on a line, and
// quoted otherwise.
func Word(s string) string {
	if s == "" || strings.ContainsFunc(s, separates) || !printable(s) {
		return Always(s)
	}
	return s
}

// Line is s as it is if that is printable text which may end a line, and quoted
// otherwise. It is for text of several words, such as a rule.
func Line(s string) string {
	if s == "" || s[0] == '"' || strings.TrimSpace(s) != s || !printable(s) {
		return Always(s)
	}
	return s
}

// separates says of r that it may end a word, or begin or end what is quoted.
func separates(r rune) bool { return unicode.IsSpace(r) || r == '"' || r == '[' || r == ']' }

// printable says that s is UTF-8 and has nothing that strconv would escape but
// quotes and backslashes.
func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) })
}

// Shell is s as a shell takes it for one word: as it is if that is plain, and else in
// quotes, with what is not printable escaped as bash and zsh know it ($'...').
func Shell(s string) string {
	plain := func(r rune) bool {
		return r == utf8.RuneError || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("/:.,-_=+@%", r)
	}
	switch {
	case s != "" && !strings.ContainsFunc(s, plain):
		return s
	case printable(s):
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	var b strings.Builder
	for i := range len(s) { // bytes: what \u stands for depends on the locale
		switch c := s[i]; {
		case c == '\'' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\t':
			b.WriteString(`\t`)
		case c < ' ' || c > '~':
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	return "$'" + b.String() + "'"
}
