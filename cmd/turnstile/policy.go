package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/launch"
	"github.com/turnstile-project/turnstile/internal/policy"
	"github.com/turnstile-project/turnstile/internal/policy/lang"
	"github.com/turnstile-project/turnstile/internal/policy/lint"
	"github.com/turnstile-project/turnstile/internal/quote"
)

func policyCommand() *cli.Command {
	return &cli.Command{
		Name:  "policy",
		Usage: "check policy files, and explain what they say",
		Subcommands: []*cli.Command{
			checkPolicyCommand(),
			explainCommand(),
			{
				Name:  "schema",
				Usage: "print the JSON Schema of policy files, for editors",
				Action: func(c *cli.Context) error {
					if c.NArg() > 0 {
						return usagef("%q takes no arguments", "policy schema")
					}
					_, err := c.App.Writer.Write(lang.Schema)
					return err
				},
				OnUsageError: onUsageError,
			},
		},
		Action: func(c *cli.Context) error {
			if c.NArg() > 0 {
				return usagef("no such command: %q; %q lists them", "policy "+c.Args().First(), "turnstile policy --help")
			}
			return cli.ShowSubcommandHelp(c)
		},
	}
}

func checkPolicyCommand() *cli.Command {
	return &cli.Command{
		Name:      "check",
		Usage:     "look for mistakes in policy files",
		ArgsUsage: "FILE...",
		Description: `Tells all errors of a file with line and column, and what is no error and hardly
meant: rules that never decide, contradict each other or repeat what others say,
exceptions that leave out nothing, rules that allow very much. Where a path leads
through links, both spellings count, and are printed.

Exit status: 0 if there is nothing to say, 1 if something was found, 2 if there
are errors.

Examples:
   turnstile policy check policy.yaml`,
		Flags: []cli.Flag{exeFlag("what ${EXE} stands for: the `PROGRAM` of the command")},
		Action: func(c *cli.Context) error {
			if c.NArg() == 0 {
				return usagef("no policy to check; for example: %q", "turnstile policy check policy.yaml")
			}
			files, err := readPolicyFiles(c.Args().Slice(), nil)
			if err != nil {
				return err
			}
			variables, err := variablesFor(c.String("exe"))
			if err != nil {
				return err
			}
			return checkPolicies(c.App.Writer, files, variables)
		},
		OnUsageError: onUsageError,
	}
}

func exeFlag(usage string) cli.Flag { return &cli.StringFlag{Name: "exe", Usage: usage} }

// variablesFor are the variables of a policy without a command. ${EXE} stands for itself if
// no program is given.
func variablesFor(exe string) (lang.Variables, error) {
	v, err := variablesOf(launch.Command{Env: os.Environ()})
	if err == nil {
		v["EXE"] = cmp.Or(exe, "/${EXE}")
	}
	return v, err
}

// checkPolicies prints what there is to say about each file.
func checkPolicies(w io.Writer, files []policyFile, variables lang.Variables) error {
	if _, err := mergeFiles(files, variables); err != nil {
		return err
	}
	found := 0
	for _, file := range files {
		parsed, err := lang.Parse(file.Name, file.Text, variables)
		if err != nil {
			return err
		}
		for _, f := range lint.Check(parsed, variables["HOME"]) {
			found++
			fmt.Fprintf(w, "%s:%d:%d: %s\n", quote.Word(file.Name), f.Line, f.Column, f.Text)
		}
		if err := parsed.Policy.Bind(resolveLinks); err != nil {
			return usageError{err}
		}
		writeSpellings(w, parsed)
	}
	if found > 0 {
		return errFound{}
	}
	return nil
}

// writeSpellings says which paths are others when their links are resolved.
func writeSpellings(w io.Writer, f *lang.File) {
	said := ""
	for i, r := range f.Policy.Rules {
		for _, other := range r.Respelled() {
			at := f.Places[i]
			line := fmt.Sprintf("%s:%d:%d: note: %s is %s too\n", quote.Word(f.Name), at.Line, at.Column, quote.Line(other[0]), quote.Line(other[1]))
			if !strings.Contains(said, line) {
				said += line
			}
		}
	}
	fmt.Fprint(w, said)
}

// errFound is for the exit code. What was found has been printed.
type errFound struct{}

func (errFound) Error() string { return "" }
func (errFound) ExitCode() int { return exitNo }

func explainCommand() *cli.Command {
	return &cli.Command{
		Name:      "explain",
		Usage:     "say what a policy says about one access, why, and what would change it",
		ArgsUsage: "CLASS PATH",
		Description: `The policy is made of files and flags, as for enforce. PATH is a file, which need
not exist, or with connect and bind the address of a socket: tcp:ADDRESS:PORT,
udp:ADDRESS:PORT or unix:@NAME. Its links are resolved: those are the names that
rules are about.

Examples:
   turnstile policy explain -p policy.yaml read /etc/shadow
   turnstile policy explain -p policy.yaml --exe /usr/bin/psql connect tcp:10.0.0.1:5432
   turnstile policy explain --default allow --deny read:~/.ssh/** read ~/.ssh/id_ed25519`,
		Flags: append(ruleFlags(), exeFlag("the `PROGRAM` of the process that asks, and what ${EXE} stands for")),
		Action: func(c *cli.Context) error {
			args := c.Args().Slice()
			exe := c.String("exe")
			if len(args) == 4 && args[2] == "--exe" { // flags are before arguments, but here it is said like this
				args, exe = args[:2], args[3]
			}
			if len(args) != 2 {
				return usagef("expected a class and a path; for example: %q", "turnstile policy explain -p policy.yaml read /etc/shadow")
			}
			class, known := event.ParseClass(args[0])
			if !known {
				return usagef("%q is no class; the classes are %s", args[0], strings.Join(policy.Files.Names(), ", "))
			}
			files, err := readPolicyFiles(c.StringSlice("policy"), nil)
			if err != nil {
				return err
			}
			variables, err := variablesFor(exe)
			if err != nil {
				return err
			}
			p, err := readPolicy(c, files, variables)
			if err != nil {
				return err
			}
			if exe != "" {
				if exe, err = judgedPath(exe, true); err != nil {
					return usageError{err}
				}
			}
			x := explainer{policy: p, class: class, asked: args[1], exe: exe}
			return x.print(c.App.Writer)
		},
		OnUsageError: onUsageError,
	}
}

// explainer answers one question.
type explainer struct {
	policy *policy.Policy
	class  event.Class
	asked  string // a path or an address
	exe    string // "" for one that is not known
}

// judgedPath is the name of a file as rules see it: with all links resolved, but not that
// which the last name may be if it is the name that is made or removed.
func judgedPath(name string, follow bool) (string, error) {
	path, err := filepath.Abs(name)
	if err != nil {
		return "", fmt.Errorf("finding %q: %w", name, err)
	}
	last := ""
	if !follow && path != "/" {
		path, last = filepath.Split(path)
		path = filepath.Clean(path)
	}
	path, err = policy.BindPath(path, resolveLinks)
	if err != nil {
		return "", fmt.Errorf("finding %q: %w", name, err)
	}
	return filepath.Join(path, last), nil
}

func (x *explainer) print(w io.Writer) error {
	if x.class&(event.Connect|event.Bind) != 0 && policy.IsSocket(x.asked) && !strings.HasPrefix(x.asked, "unix:/") {
		a, err := policy.ParseAddress(x.asked)
		if err != nil {
			return usageError{err}
		}
		a.Exe = x.exe
		e := x.policy.ExplainAddress(x.class, a)
		x.write(w, &e, x.asked, x.asked)
		return nil
	}
	path, err := x.judged()
	if err != nil {
		return usageError{err}
	}
	e := x.explain(path)
	x.write(w, &e, path, policy.Quote(path))
	return nil
}

// judged is the path that rules are about when this one is asked for.
func (x *explainer) judged() (string, error) {
	follow := x.class&(event.Create|event.Delete|event.Bind) == 0
	return judgedPath(strings.TrimPrefix(x.asked, "unix:"), follow)
}

// explain is about such a path.
func (x *explainer) explain(path string) policy.Explanation {
	return x.policy.Explain(x.class, policy.Path{Name: path, Exe: x.exe})
}

// write says it in lines. Text is the object as a rule names it alone.
func (x *explainer) write(w io.Writer, e *policy.Explanation, object, text string) {
	verdict := e.Verdict.String()
	if e.Verdict == event.VerdictDeny {
		verdict += " with " + event.Errno(e.Denied()).String()
	}
	fmt.Fprintf(w, "%s: %s of %s", verdict, x.class, quote.Always(object))
	if x.exe != "" {
		fmt.Fprintf(w, " by %s", quote.Word(x.exe))
	}
	fmt.Fprintln(w)
	if e.Rule == nil {
		fmt.Fprintln(w, "  by the default: no rule is about it")
	} else {
		fmt.Fprintf(w, "  by %s\n", ruleText(e.Rule))
	}
	for _, other := range e.Others {
		fmt.Fprintf(w, "  not by %s: %s\n", ruleText(other.Rule), other.Why)
	}
	if e.Verdict == event.VerdictAllow {
		fmt.Fprintf(w, "to deny it:\n  --deny %s\n", quote.Shell(x.class.String()+":"+text))
		return
	}
	r := e.Remedy()
	fmt.Fprintln(w, "to allow it:")
	for _, rule := range r.Except {
		if strings.HasPrefix(rule.Name, "--") {
			fmt.Fprintf(w, "  without %s, which cannot leave it out: a policy file can\n", quote.Line(rule.Name))
		} else {
			fmt.Fprintf(w, "  leave it out in %s: except: [%s]\n", quote.Line(rule.Name), strconv.Quote(text))
		}
	}
	for _, rule := range r.Change {
		fmt.Fprintf(w, "  make an allow of %s\n", quote.Line(rule.Name))
	}
	if r.Allow {
		fmt.Fprintf(w, "  --allow %s\n", quote.Shell(x.class.String()+":"+text))
	}
}

// ruleText is a rule in one line: where it stands, and what it says.
func ruleText(r *policy.Rule) string {
	name := quote.Line(r.Name)
	if strings.HasPrefix(r.Name, "--") {
		return name
	}
	classes := r.Classes.String()
	if r.Classes == policy.Files {
		classes = "all"
	}
	return fmt.Sprintf("%s (%s %s %s)", name, r.Verdict, classes, quote.Line(r.Subject()))
}
