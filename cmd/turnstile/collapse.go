package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"os/user"
	"path/filepath"
	"strconv"

	"github.com/urfave/cli/v2"

	"github.com/turnstile-project/turnstile/internal/profile"
	"github.com/turnstile-project/turnstile/internal/profile/collapse"
	"github.com/turnstile-project/turnstile/internal/quote"
	"github.com/turnstile-project/turnstile/internal/report/emit"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// collapseFiles takes the files of a trace together as the flags say, or as the format does.
func collapseFiles(c *cli.Context, format *emit.Format, d *trace.Document, o *profile.Options) error {
	kinds := format.Collapse
	if c.IsSet("collapse") {
		var err error
		if kinds, err = collapse.Parse(c.StringSlice("collapse")); err != nil {
			return usagef("--collapse: %v", err)
		}
	}
	o.WideAddresses = kinds&collapse.Addresses != 0
	if format.Sections&profile.Files == 0 {
		o.Paths = &profile.Paths{} // the format has no files, of which there may be a million
		return nil
	}
	if d.Files != nil {
		o.Paths = collapse.Of(d, collapse.Options{
			Kinds:      kinds,
			HomeDir:    withoutLinks(cmp.Or(c.String("home"), homeOf(d.Target.UID))),
			WorkingDir: withoutLinks(d.Target.Dir),
			TmpDir:     withoutLinks(cmp.Or(c.String("tmp"), os.Getenv("TMPDIR"), "/tmp")),
		})
	}
	if format.Collapse == collapse.None && o.Paths != nil {
		for _, x := range o.Paths.Closed {
			o.Paths.Notes = append(o.Paths.Notes, fmt.Sprintf("%s is allowed too, which is sensitive (%s): only policies keep it closed", x.Pattern, x.Why))
		}
	}
	return nil
}

// homeOf is the home directory of the user of a trace, "" if there is none here. A trace that
// does not have its user is taken to be ours.
func homeOf(uid uint32) string {
	ours := int(uid) == os.Getuid() || uid == trace.UnknownUID
	if home := os.Getenv("HOME"); ours && home != "" {
		return home
	}
	u, err := user.LookupId(strconv.FormatUint(uint64(uid), 10))
	if err != nil {
		return ""
	}
	return u.HomeDir
}

// withoutLinks is a path without links, as those of a trace are, if it is one of this machine.
func withoutLinks(path string) string {
	if path == "" {
		return ""
	}
	if absolute, err := filepath.Abs(path); err == nil {
		path = absolute
	}
	if found, err := filepath.EvalSymlinks(path); err == nil {
		return found
	}
	return path
}

// tellWidened says what is allowed beyond what was seen.
func tellWidened(w io.Writer, p *profile.Profile, everything bool) {
	const first = 12
	for i := range p.Widened {
		if i == first && !everything {
			fmt.Fprintf(w, "turnstile: and %d patterns more; --explain-collapse tells them all\n", len(p.Widened)-first)
			return
		}
		x := &p.Widened[i]
		also := ""
		if x.Example != "" {
			also = ", and now also " + quote.Word(x.Example)
		}
		fmt.Fprintf(w, "turnstile: widened: %s of %s: %d seen%s\n", x.Classes, quote.Word(x.Pattern.String()), x.Seen, also)
	}
}
