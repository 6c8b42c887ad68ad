package page

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/turnstile-project/turnstile/internal/quote"
)

// maxText is how many bytes of a name are in the page. No path of the kernel is longer
// (PATH_MAX, include/uapi/linux/limits.h); argument lists are.
const maxText = 4096

// text is a string of the target as the page shows it: all of it printable.
func text(s string) string {
	if s == "" {
		return ""
	}
	rest := ""
	if len(s) > maxText {
		cut := maxText
		for cut > maxText-utf8.UTFMax && !utf8.RuneStart(s[cut]) {
			cut--
		}
		rest = fmt.Sprintf("… (%d bytes more)", len(s)-cut)
		s = s[:cut]
	}
	return quote.Line(s) + rest
}

// texts are several strings.
func texts(all []string) []string {
	shown := make([]string, 0, len(all))
	for _, s := range all {
		shown = append(shown, text(s))
	}
	return shown
}

// command is an argument list as a shell would take it.
func command(argv []string) string {
	var b strings.Builder
	for i, arg := range argv {
		if b.Len() > maxText {
			fmt.Fprintf(&b, " … (%d arguments more)", len(argv)-i)
			break
		}
		if i > 0 {
			b.WriteByte(' ')
		}
		if len(arg) > maxText {
			b.WriteString(text(arg))
			continue
		}
		b.WriteString(quote.Shell(arg))
	}
	return b.String()
}
