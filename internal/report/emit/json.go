package emit

import (
	"io"

	"github.com/turnstile-project/turnstile/internal/trace"
)

var jsonFormat = Format{
	Name:      "json",
	For:       "the trace itself: of several, what they are together",
	CheckedBy: "turnstile report, diff, merge and check read it",
	Write:     func(w io.Writer, in *Input) error { return trace.Encode(w, in.Trace) },
}
