package main

import (
	"os"

	"github.com/urfave/cli/v2"

	"github.com/turnstile-project/turnstile/internal/kernel"
	"github.com/turnstile-project/turnstile/internal/report"
)

func doctorCommand() *cli.Command {
	return &cli.Command{
		Name:  "doctor",
		Usage: "say what works on this kernel for this user, and what to type for the rest",
		Description: `Each feature that Turnstile can use is tried and listed with the reason if it is
missing, what is lost without it, and how to get it.

Exit status: 1 if "turnstile observe" cannot work here for this user, 0 if it can
or if that is not certain. Features that it can do without do not count, nor does
what other commands need.

Examples:
   turnstile doctor
   turnstile doctor --json | jq '.features[] | select(.state != "present")'`,
		Flags: []cli.Flag{&cli.BoolFlag{Name: "json", Usage: "print one JSON object"}},
		Action: func(c *cli.Context) error {
			if c.NArg() > 0 {
				return usagef("%q takes no arguments", "doctor")
			}
			results := kernel.Probe()
			var err error
			if c.Bool("json") {
				err = report.DoctorJSON(c.App.Writer, results)
			} else {
				err = report.Doctor(c.App.Writer, results, report.DoctorOptions{Colour: colour(os.Stdout)})
			}
			if err == nil && results.Verdict(kernel.Observe).Err() != nil {
				err = errCannotObserve{}
			}
			return err
		},
	}
}

// errCannotObserve is for the exit code. What is missing has been printed.
type errCannotObserve struct{}

func (errCannotObserve) Error() string { return "" }
func (errCannotObserve) ExitCode() int { return exitNo }
