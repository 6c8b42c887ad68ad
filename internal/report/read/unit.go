package read

import (
	"strings"
)

// assignment is one line KEY=VALUE of a unit file, its continuations joined.
type assignment struct {
	section, key, value string
	line                int
}

// unitFile reads the lines of a unit file as systemd does (systemd.syntax(7),
// config_parse of its src/shared/conf-parser.c): a line that ends in a backslash goes on in the
// next one, behind a space; comments begin with # or ; and may stand between.
// Lines that it would ignore are returned apart, by number.
func unitFile(text string) (all []assignment, ignored []int) {
	section, joined, first := "", "", 0
	number := 0
	for line := range strings.SplitSeq(text, "\n") {
		number++
		line = strings.TrimSuffix(line, "\r")
		trimmed := strings.TrimLeft(line, unitBlanks)
		if strings.HasPrefix(trimmed, "#") || strings.HasPrefix(trimmed, ";") {
			continue // also between a line and its continuation
		}
		if joined == "" {
			first = number
		}
		if goesOn(line) {
			joined += line[:len(line)-1] + " "
			continue
		}
		whole := strings.Trim(joined+line, unitBlanks)
		joined = ""
		key, value, ok := strings.Cut(whole, "=")
		switch {
		case whole == "":
		case strings.HasPrefix(whole, "[") && strings.HasSuffix(whole, "]"):
			section = whole[1 : len(whole)-1]
		case !ok || section == "":
			ignored = append(ignored, first)
		default:
			all = append(all, assignment{section, strings.TrimRight(key, unitBlanks), strings.TrimLeft(value, unitBlanks), first})
		}
	}
	return all, ignored
}

const unitBlanks = " \t\n\r"

// goesOn says whether a line ends in a backslash that no other one escapes.
func goesOn(line string) bool {
	n := len(line) - len(strings.TrimRight(line, `\`))
	return n%2 == 1
}
