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

Exit status: 0 if every command works, 1 if one does not.

Examples:
   turnstile doctor
   turnstile doctor --json | jq '.features[] | select(.state != "present")'`,
		Flags: []cli.Flag{&cli.BoolFlag{Name: "json", Usage: "print one JSON object"}},
		Action: func(c *cli.Context) error {
			if c.NArg() > 0 {
				return usagef("%q takes no arguments", "doctor")
			}
			results := kernel.Probe()
			if c.Bool("json") {
				return report.DoctorJSON(c.App.Writer, results)
			}
			return report.Doctor(c.App.Writer, results, report.DoctorOptions{Colour: colour(os.Stdout)})
		},
	}
}
