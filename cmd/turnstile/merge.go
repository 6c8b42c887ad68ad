package main

import (
	"io"

	"github.com/urfave/cli/v2"

	"github.com/turnstile-project/turnstile/internal/trace"
)

func mergeCommand() *cli.Command {
	return &cli.Command{
		Name:      "merge",
		Usage:     "make one trace of several",
		ArgsUsage: "TRACE TRACE...",
		Description: `Counts are sums, and sets are unions. A section is complete only if it is complete in
every trace: what one of them did not watch is incomplete in the whole. The runs that
it is made of are told in the field "merged".

Examples:
   turnstile merge -o all.json start.json load.json stop.json
   turnstile merge monday.json tuesday.json | turnstile report -f oci /dev/stdin`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write to `FILE` (- is stdout)", Value: "-", TakesFile: true},
		},
		Action: func(c *cli.Context) error {
			if c.NArg() < 2 {
				return usagef("a merge takes two traces or more; for example: %q", "turnstile merge -o all.json a.json b.json")
			}
			d, err := readTraces(c.Args().Slice(), notes(c))
			if err != nil {
				return err
			}
			return writeReport(c.String("output"), c.App.Writer, func(w io.Writer) error { return trace.Encode(w, d) })
		},
		OnUsageError: onUsageError,
	}
}
