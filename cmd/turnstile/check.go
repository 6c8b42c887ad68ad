package main

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/policy/lang"
	"github.com/turnstile-project/turnstile/internal/quote"
	"github.com/turnstile-project/turnstile/internal/report"
	profiles "github.com/turnstile-project/turnstile/internal/report/read"
	"github.com/turnstile-project/turnstile/internal/trace"
)

func checkCommand() *cli.Command {
	return &cli.Command{
		Name:      "check",
		Usage:     "fail if a trace has what a profile does not allow",
		ArgsUsage: "--against FILE TRACE...",
		Description: `FILE is a profile that is in use: seccomp of an OCI runtime or a config.json, Docker's,
a SeccompProfile of Kubernetes, a systemd unit or drop-in, a policy of Turnstile, or an older trace. What it does not
allow is told with who did it, how often, and what to add to FILE. It is taken as its
consumer takes it, on the machine of the trace.

What cannot be judged is told, and no failure unless --strict is given: a call that is
allowed with some arguments only, if the trace has none (observe --args), and what an
incomplete trace may lack.

In policies ${CWD} and ${HOME} are those of the trace, ${EXE} that of --exe.

Exit status: 0 if all is allowed, 1 if something is not, 2 on errors, 3 with --strict if
something cannot be judged.

Examples:
   turnstile check --against seccomp.json trace.json
   turnstile check --against app.service --strict trace.json
   turnstile check --against policy.yaml --home /home/ci --json trace.json`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "against", Usage: "the profile: `FILE`", TakesFile: true},
			&cli.StringFlag{Name: "format", Aliases: []string{"f"}, Usage: "FILE is `FORMAT`: " + strings.Join(profiles.Names(), ", ") + " (default: as it looks)"},
			&cli.StringFlag{Name: "home", Usage: "${HOME} of a policy is `DIR` (default: that of the user of the trace)", TakesFile: true},
			exeFlag("${EXE} of a policy is `PROGRAM`"),
			&cli.BoolFlag{Name: "strict", Usage: "what cannot be judged is a failure: exit with 3"},
			&cli.BoolFlag{Name: "json", Usage: "print one JSON object (docs/formats.md)"},
			&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "print nothing: the exit status says it"},
		},
		Action:       checkTraces,
		OnUsageError: onUsageError,
	}
}

func checkTraces(c *cli.Context) error {
	name := c.String("against")
	switch {
	case name == "":
		return usagef("--against is missing: the profile that the trace is checked against")
	case c.NArg() == 0:
		return usagef("no trace; for example: %q", "turnstile check --against seccomp.json trace.json")
	case c.String("format") != "" && !slices.Contains(profiles.Names(), c.String("format")):
		return usagef("--format %q is none of %s", c.String("format"), strings.Join(profiles.Names(), ", "))
	}
	against, err := openInput(name)
	if err != nil {
		return usageError{err}
	}
	defer against.Close()
	d, err := readTraces(c.Args().Slice(), notes(c))
	if err != nil {
		return err
	}
	p, err := readProfile(against, c.String("format"), checkContext(c, d))
	if err != nil {
		if _, ok := errors.AsType[*lang.Error](err); ok { // has the name in each line
			return usagef("%s", strings.ReplaceAll(err.Error(), "\n", "\nturnstile: "))
		}
		return usageError{fmt.Errorf("%q: %w", name, err)}
	}
	checked := &report.Checked{Name: name, Profile: p, Trace: d, Findings: p.Check(d), Lacks: p.Lacks(d)}
	switch {
	case c.Bool("quiet"):
	case c.Bool("json"):
		err = report.CheckJSON(c.App.Writer, checked)
	default:
		if err = report.Check(c.App.Writer, checked, colourTo(c.App.Writer)); err == nil {
			tellChecked(c.App.ErrWriter, checked)
		}
	}
	switch {
	case err != nil:
		return err
	case checked.Denied():
		return errFound{}
	case checked.Unknown() && c.Bool("strict"):
		return errUnknown{}
	}
	return nil
}

// readProfile reads the profile that traces are checked against.
func readProfile(f *os.File, format string, c profiles.Context) (*profiles.Profile, error) {
	const enough = 4096
	b := bufio.NewReaderSize(f, enough)
	begin, _ := b.Peek(enough) // an error comes again when reading
	if (format == "" || format == "trace") && profiles.IsTrace(begin) {
		d, err := trace.Decode(b)
		if err != nil {
			return nil, err
		}
		return profiles.OfTrace(d), nil
	}
	text, err := io.ReadAll(b)
	if err != nil {
		return nil, err
	}
	return profiles.Read(f.Name(), text, format, c)
}

// checkContext is what the trace says of its machine and its command, with what is given.
func checkContext(c *cli.Context, d *trace.Document) profiles.Context {
	abi, _ := event.ParseABI(d.Host.Arch)
	return profiles.Context{
		ABI: abi, Kernel: d.Host.Kernel,
		Variables: lang.Variables{
			"CWD": d.Target.Dir, "HOME": cmp.Or(c.String("home"), homeOf(d.Target.UID), os.Getenv("HOME")),
			"TMPDIR": cmp.Or(os.Getenv("TMPDIR"), "/tmp"), "EXE": cmp.Or(c.String("exe"), "/${EXE}"),
		},
		Resolve: resolveLinks,
	}
}

// tellChecked ends a check in one line.
func tellChecked(w io.Writer, c *report.Checked) {
	name := quote.Word(c.Name)
	switch {
	case c.Denied() && c.Profile.Format == "trace":
		fmt.Fprintf(w, "turnstile: something is new since %s was made; %q takes it in\n", name, "turnstile merge")
	case c.Denied():
		fmt.Fprintf(w, "turnstile: %s (%s) does not allow all that was seen\n", name, c.Profile.Format)
	case c.Unknown():
		fmt.Fprintf(w, "turnstile: %s (%s) allows all that was seen, as far as it can be judged\n", name, c.Profile.Format)
	default:
		fmt.Fprintf(w, "turnstile: %s (%s) allows all that was seen\n", name, c.Profile.Format)
	}
}

// errUnknown is for the exit code. What cannot be judged has been printed.
type errUnknown struct{}

func (errUnknown) Error() string { return "" }
func (errUnknown) ExitCode() int { return exitIncomplete }
