package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/outfile"
	"github.com/turnstile-project/turnstile/internal/profile"
	"github.com/turnstile-project/turnstile/internal/profile/baseline"
	"github.com/turnstile-project/turnstile/internal/profile/collapse"
	"github.com/turnstile-project/turnstile/internal/quote"
	"github.com/turnstile-project/turnstile/internal/report/emit"
)

func reportCommand() *cli.Command {
	return &cli.Command{
		Name:      "report",
		Usage:     "make profiles, policies and pages of what was seen",
		ArgsUsage: "TRACE...",
		Description: `Several traces are taken together. What a profile has beyond what was seen is told
on stderr, and in the profile if it may have comments. A trace that may lack what a
profile is made of is refused.

Exit status: 0; 2 for wrong usage, and for a trace that cannot be read; 3 for one that
is incomplete, without --allow-incomplete.

Examples:
   turnstile report -f oci -o seccomp.json trace.json
   turnstile report -f systemd --default-action kill trace.json
   turnstile report -f oci --minus before.json after.json
   turnstile report --list`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "format", Aliases: []string{"f"}, Usage: "write `FORMAT`; --list tells them all", Value: "text"},
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write to `FILE` (- is stdout)", Value: "-", TakesFile: true},
			&cli.StringSliceFlag{Name: "minus", Usage: "leave out what the trace `FILE` has already, and what every profile has", TakesFile: true},
			&cli.BoolFlag{Name: "list", Usage: "list the formats, what each is for, and which program checks it"},
			&cli.StringFlag{Name: "default-action", Category: "PROFILES", Usage: "what happens to other calls: `ACTION` is errno, kill, log or trap", Value: "errno"},
			&cli.StringFlag{Name: "errno", Category: "PROFILES", Usage: "other calls fail with `ERRNO`: EPERM, or ENOSYS, after which libraries try older calls", Value: "EPERM"},
			&cli.StringSliceFlag{Name: "runtime", Category: "PROFILES", Usage: "add the calls that `RUNTIME` needs: " + runtimes() + ", all versions of one, as runc, or none (default: by format)"},
			&cli.StringSliceFlag{Name: "arch", Category: "PROFILES", Usage: "add `ABI`, with the calls that the C library makes there: x86_64, i386, x32, arm64 or arm"},
			&cli.StringSliceFlag{Name: "groups", Category: "PROFILES", Usage: "in unit files of systemd write `@SET` in place of the calls in it, and tell what that adds"},
			&cli.BoolFlag{Name: "no-new-privileges", Category: "PROFILES", Usage: "the program runs with no_new_privs, for which a runtime needs less"},
			&cli.StringSliceFlag{Name: "always", Category: "PROFILES", Usage: "allow `CALL` too; none leaves out " + strings.Join(profile.DefaultAlways, ", ")},
			&cli.BoolFlag{Name: "args", Category: "PROFILES", Usage: "allow socket families, clone flags, prctl options, ioctl commands and the like only as seen"},
			&cli.StringSliceFlag{Name: "collapse", Category: "FILES", Usage: "take together `WHAT` is likely to be another the next time: a list of " + strings.Join(collapse.KindNames(), ",") + ", or all or none (default: by format)"},
			&cli.StringFlag{Name: "home", Category: "FILES", Usage: "`DIR` was the home directory (default: that of the user of the trace)", TakesFile: true},
			&cli.StringFlag{Name: "tmp", Category: "FILES", Usage: "`DIR` was the one for temporary files (default: TMPDIR, or /tmp)", TakesFile: true},
			&cli.BoolFlag{Name: "explain-collapse", Category: "FILES", Usage: "tell all that is allowed beyond what was seen, and not only the first of it"},
			&cli.BoolFlag{Name: "allow-incomplete", Category: "PROFILES", Usage: "make a profile although the trace may lack something"},
			&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "print nothing but errors"},
		},
		Action: func(c *cli.Context) error {
			if c.Bool("list") {
				return listFormats(c.App.Writer)
			}
			return makeReport(c)
		},
		OnUsageError: onUsageError,
	}
}

func runtimes() string {
	var names []string
	for _, b := range baseline.All() {
		names = append(names, b.Name)
	}
	return strings.Join(names, ", ")
}

func listFormats(w io.Writer) error {
	for _, f := range emit.Formats() {
		fmt.Fprintf(w, "%-12s %s\n%-12s checked by %s\n", f.Name, f.For, "", f.CheckedBy)
	}
	return nil
}

func makeReport(c *cli.Context) error {
	format := emit.Named(c.String("format"))
	if format == nil {
		return usagef("no format %q; %q lists them", c.String("format"), "turnstile report --list")
	}
	options, err := profileOptions(c, format)
	if err != nil {
		return err
	}
	if err := checkGroups(c.StringSlice("groups"), format); err != nil {
		return err
	}
	d, err := readTraces(c.Args().Slice(), notes(c))
	if err != nil {
		return err
	}
	if d, err = minus(d, c.StringSlice("minus"), c.Bool("args"), notes(c)); err != nil {
		return err
	}
	in := &emit.Input{Trace: d, Tool: "turnstile " + version(), Groups: c.StringSlice("groups")}
	if format.Enforces {
		if err := addProfile(c, format, in, options); err != nil {
			return err
		}
	}
	return writeReport(c.String("output"), c.App.Writer, func(w io.Writer) error { return format.Write(w, in) })
}

// addProfile makes the profile of the trace, for a format that somebody is held to.
func addProfile(c *cli.Context, format *emit.Format, in *emit.Input, options profile.Options) error {
	if err := collapseFiles(c, format, in.Trace, &options); err != nil {
		return err
	}
	var err error
	if in.Profile, err = profile.New(in.Trace, options); err != nil {
		return err
	}
	if err := format.Check(in.Profile); err != nil && !c.Bool("allow-incomplete") {
		return incompleteError{err}
	}
	tellNotes(notes(c), format, in)
	tellWidened(notes(c), in.Profile, c.Bool("explain-collapse"))
	return nil
}

// incompleteError is for the exit code.
type incompleteError struct{ error }

func (incompleteError) ExitCode() int { return exitIncomplete }

// tellNotes says what the profile has beyond what was seen.
func tellNotes(w io.Writer, format *emit.Format, in *emit.Input) {
	for _, b := range in.Profile.Baselines {
		fmt.Fprintf(w, "turnstile: with what %s needs\n", b.Name)
	}
	for _, n := range format.AllNotes(in) {
		fmt.Fprintf(w, "turnstile: %s\n", quote.Line(n))
	}
}

// writeReport has a report written to a file, whole or not at all, or to stdout.
func writeReport(name string, stdout io.Writer, write func(io.Writer) error) error {
	if name == "-" {
		return write(stdout)
	}
	out, err := outfile.Create(name, nil)
	if err != nil {
		return err
	}
	if err := write(out); err != nil {
		out.Abort()
		return err
	}
	return out.Commit()
}

func profileOptions(c *cli.Context, format *emit.Format) (profile.Options, error) {
	o := profile.Options{
		NoNewPrivileges: c.Bool("no-new-privileges"), Args: c.Bool("args"), Vocabulary: format.Vocabulary,
	}
	var known bool
	if o.Default.Kind, known = profile.ParseAction(c.String("default-action")); !known {
		return o, usagef("--default-action %q is none of errno, kill, log and trap", c.String("default-action"))
	}
	if o.Default.Kind == profile.Errno {
		if o.Default.Errno = event.ErrnoNamed(c.String("errno")); o.Default.Errno == 0 {
			return o, usagef("--errno %q is no error; for example: EPERM or ENOSYS", c.String("errno"))
		}
	}
	if c.IsSet("errno") && o.Default.Kind != profile.Errno {
		return o, usagef("--errno says what other calls fail with, and with --default-action %v they do not fail", o.Default.Kind)
	}
	beyond := c.IsSet("minus")
	always := c.StringSlice("always")
	if beyond {
		always = append(always, "none") // what others have already has those too
	}
	var err error
	if o.Always, err = alwaysCalls(always); err != nil {
		return o, err
	}
	for _, name := range c.StringSlice("arch") {
		abi, known := event.ParseABI(name)
		if !known {
			return o, usagef("--arch %q is none of x86_64, i386, x32, arm64 and arm", name)
		}
		o.ABIs = append(o.ABIs, abi)
	}
	names := c.StringSlice("runtime")
	if len(names) == 0 && !beyond {
		names = []string{cmp.Or(format.Runtime, "none")}
	}
	for _, name := range names {
		found := baseline.For(name)
		if found == nil && name != "none" {
			return o, usagef("--runtime %q is not known; those that are: %s", name, runtimes())
		}
		o.Baselines = append(o.Baselines, found...)
	}
	return o, nil
}
