package emit

import (
	"io"

	"github.com/turnstile-project/turnstile/internal/report/page"
)

var html = Format{
	Name:      "html",
	For:       "a page to look at: one file for a browser, that needs no network",
	CheckedBy: "Chromium",
	Write:     func(w io.Writer, in *Input) error { return page.Write(w, in.Trace, in.Tool) },
}
