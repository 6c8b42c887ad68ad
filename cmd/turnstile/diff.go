package main

import (
	"io"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/turnstile-project/turnstile/internal/report"
	"github.com/turnstile-project/turnstile/internal/trace"
)

func diffCommand() *cli.Command {
	return &cli.Command{
		Name:      "diff",
		Usage:     "tell what one trace has and another has not",
		ArgsUsage: "A B",
		Description: `Lines that begin with - are what only A has, those with + what only B has: calls of
each ABI, values of their arguments, files with the classes of access, programs and
addresses, with how often and by whom. Calls that both have and that ended otherwise
are told without a sign, and are nothing new. Ports of peers that were accepted are
not compared.

Exit status: 0 if B has nothing that A lacks, 1 if it has, 2 on errors.

Examples:
   turnstile diff before.json after.json
   turnstile diff --only syscalls --only sockets before.json after.json
   turnstile diff --json before.json after.json | jq -r '.syscalls[] | select(.new) | .name'`,
		Flags: []cli.Flag{
			&cli.StringSliceFlag{Name: "only", Usage: "compare `SECTION` alone: " + strings.Join(trace.DifferenceSections, ", ")},
			&cli.BoolFlag{Name: "json", Usage: "print one JSON object (docs/formats.md)"},
			&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "print nothing: the exit status says it"},
		},
		Action:       diffTraces,
		OnUsageError: onUsageError,
	}
}

func diffTraces(c *cli.Context) error {
	if c.NArg() != 2 {
		return usagef("a diff takes two traces; for example: %q", "turnstile diff before.json after.json")
	}
	sections, err := differenceSections(c.StringSlice("only"))
	if err != nil {
		return err
	}
	a, err := readCompared(c.Args().Get(0), notes(c))
	if err != nil {
		return err
	}
	b, err := readCompared(c.Args().Get(1), notes(c))
	if err != nil {
		return err
	}
	if len(c.StringSlice("only")) > 0 {
		if err := watchedByAll(sections, a, b); err != nil {
			return err
		}
	}
	d := trace.Diff(a.Document, b.Document, trace.DiffOptions{Sections: sections})
	switch {
	case c.Bool("quiet"):
	case c.Bool("json"):
		err = report.DifferenceJSON(c.App.Writer, a, b, d, sections)
	default:
		err = report.Difference(c.App.Writer, a, b, d, sections, colourTo(c.App.Writer))
	}
	if err == nil && d.New() {
		return errFound{}
	}
	return err
}

// differenceSections are the sections that are asked for, all if none is named.
func differenceSections(only []string) ([]string, error) {
	for _, name := range only {
		if !slices.Contains(trace.DifferenceSections, name) {
			return nil, usagef("--only %q is none of %s", name, strings.Join(trace.DifferenceSections, ", "))
		}
	}
	if len(only) == 0 {
		return trace.DifferenceSections, nil
	}
	return only, nil
}

// watchedByAll refuses sections that were asked for by name, and that a trace does not have.
func watchedByAll(sections []string, traces ...report.Compared) error {
	for _, t := range traces {
		for section, watched := range map[string]bool{"files": t.Files != nil, "sockets": t.Sockets != nil} {
			if !watched && slices.Contains(sections, section) {
				return usagef("%q did not watch %s", t.Name, section)
			}
		}
	}
	return nil
}

func readCompared(name string, w io.Writer) (report.Compared, error) {
	d, err := readTraces([]string{name}, w)
	return report.Compared{Name: name, Document: d}, err
}

// colourTo says whether what is written to w may have colours.
func colourTo(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && colour(f)
}
