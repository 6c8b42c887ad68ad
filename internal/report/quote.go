package report

import "github.com/turnstile-project/turnstile/internal/quote"

// Word is [quote.Word], for those who print beside a [Printer].
func Word(s string) string { return quote.Word(s) }
