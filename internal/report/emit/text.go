package emit

import (
	"fmt"
	"io"

	"github.com/turnstile-project/turnstile/internal/report"
)

var textFormat = Format{
	Name:      "text",
	For:       "a summary to read: all that observe says at its end, whole",
	CheckedBy: "people",
	Write: func(w io.Writer, in *Input) error {
		d := in.Trace
		if _, err := fmt.Fprintf(w, "turnstile: %s\n", command(d.Target.Argv)); err != nil {
			return err
		}
		return report.Summary(w, d, report.SummaryOptions{})
	},
}

var markdown = Format{
	Name:      "markdown",
	For:       "a page for pull requests and wikis",
	CheckedBy: "people; GitHub and GitLab show it",
	Write:     func(w io.Writer, in *Input) error { return report.Markdown(w, in.Trace, in.Tool) },
}
