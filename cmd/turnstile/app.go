package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/turnstile-project/turnstile/internal/kernel"
)

// The exit codes of Turnstile itself; a target's own are passed on. They are
// those of env(1) and of shells.
const (
	exitNo         = 1 // the answer, not a failure
	exitUsage      = 2
	exitIncomplete = 3
	exitInternal   = 125
)

// usageError is a mistake in the arguments.
type usageError struct{ error }

func (usageError) ExitCode() int { return exitUsage }

func usagef(format string, args ...any) error {
	return usageError{fmt.Errorf(format, args...)}
}

// run is main without its exit: it takes the arguments and returns the code.
func run(args []string, stdout, stderr io.Writer) int {
	app := &cli.App{
		Name:                      "turnstile",
		Usage:                     "see what a program touches, and hold it to that",
		Version:                   version(),
		HideVersion:               true,
		HideHelpCommand:           true,
		EnableBashCompletion:      true,
		DisableSliceFlagSeparator: true, // paths have commas
		Suggest:                   true,
		Writer:                    stdout,
		ErrWriter:                 stderr,
		Commands: []*cli.Command{
			observeCommand(),
			enforceCommand(),
			superviseCommand(),
			reportCommand(),
			mergeCommand(),
			diffCommand(),
			checkCommand(),
			policyCommand(),
			doctorCommand(),
			completionCommand(),
			versionCommand(),
		},
		Action: func(c *cli.Context) error {
			if c.NArg() > 0 {
				return usagef("no such command: %q; %q lists them", c.Args().First(), "turnstile --help")
			}
			return cli.ShowAppHelp(c)
		},
		OnUsageError:   onUsageError,
		ExitErrHandler: func(*cli.Context, error) {}, // run decides
	}
	for _, c := range app.Commands {
		c.OnUsageError = onUsageError
	}
	return exitCode(app.Run(args), stderr)
}

func onUsageError(_ *cli.Context, err error, _ bool) error { return usageError{err} }

// exitCode prints what is to be said of an error and returns the code for it.
func exitCode(err error, stderr io.Writer) int {
	if err == nil {
		return 0
	}
	if missing, ok := errors.AsType[*kernel.MissingError](err); ok {
		fmt.Fprintf(stderr, "turnstile: %v\n", missing)
		if fix := missing.Fix(); fix != "" {
			fmt.Fprintf(stderr, "turnstile: %s\n", fix)
		}
		return exitInternal
	}
	if msg := err.Error(); msg != "" {
		fmt.Fprintf(stderr, "turnstile: %s\n", msg)
	}
	var coded interface{ ExitCode() int }
	if errors.As(err, &coded) {
		return coded.ExitCode()
	}
	return exitInternal
}

// colour says whether a stream is a terminal that wants colours.
func colour(f *os.File) bool { return isTerminal(f) && os.Getenv("NO_COLOR") == "" }
