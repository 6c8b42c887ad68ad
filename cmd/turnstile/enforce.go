package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/policy"
)

func enforceCommand() *cli.Command {
	return &cli.Command{
		Name:      "enforce",
		Usage:     "gate a command's access to files with seccomp; needs no privilege",
		ArgsUsage: "[--] COMMAND [ARGUMENT...]",
		Description: `Each rule is CLASS[,CLASS...]:GLOB. The classes are read, write, create, delete,
list, stat, attr, exec, connect and bind, or all. In a glob, * is any name, ** any
number of names, and /dir/** has /dir too; one that does not begin with a slash
starts from the working directory. A deny always wins; between allow and ask it
is the rule with the longer fixed beginning. What no rule is about gets the
default. A denied call fails with EACCES, or with the errno of the rule
(--deny read=ENOENT:/secret/**).

Rules are about files as they are, not as they are spelled: links, "..", and
another thread that changes the path meanwhile lead to the same verdict. Files
that do not exist yet are protected too.

Examples:
   turnstile enforce --default allow --deny read:~/.ssh/** -- npm install
   turnstile enforce --default allow --deny write,create,delete:/** -- ./look-only
   turnstile enforce --default allow --ask write,create:~/** -- ./installer
   turnstile enforce --default allow --deny exec:/tmp/** --deny exec:~/** -- bash
   turnstile enforce --default allow --deny all:~/.aws/** --log decisions.json -- make

Ways around the rules are closed; --open DOOR opens one, and says what is not held
then. The doors are:
` + doorList() + `
Network addresses are not judged yet.

Exit status: that of the command. 125: Turnstile could not start or failed; 126:
the command is not executable; 127: it was not found; 2: wrong usage.`,
		Flags:        enforceFlags(),
		BashComplete: completeEnforce,
		Action: func(c *cli.Context) error {
			s, err := readEnforceSettings(c)
			if err != nil {
				return err
			}
			return runFront(s)
		},
	}
}

// superviseCommand is what enforce starts: it has the same flags, and one to hear whether
// enforce is still there.
func superviseCommand() *cli.Command {
	return &cli.Command{
		Name:   "supervise",
		Hidden: true,
		Flags:  append(enforceFlags(), &cli.IntFlag{Name: "lifeline"}),
		Action: func(c *cli.Context) error {
			s, err := readEnforceSettings(c)
			if err != nil {
				return err
			}
			if !c.IsSet("lifeline") {
				return usagef("supervise is started by enforce")
			}
			return runSupervisor(s, c.Int("lifeline"))
		},
	}
}

func enforceFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: "allow", Category: "RULES", Usage: "allow what `CLASS:GLOB` says"},
		&cli.StringSliceFlag{Name: "deny", Category: "RULES", Usage: "deny what `CLASS:GLOB` says"},
		&cli.StringSliceFlag{Name: "ask", Category: "RULES", Usage: "ask on the terminal about what `CLASS:GLOB` says"},
		&cli.StringFlag{Name: "default", Category: "RULES", Usage: "allow, deny or ask about (`VERDICT`) what no rule is about; stat is allowed", Value: "deny"},
		&cli.StringSliceFlag{Name: "open", Category: "RULES", Usage: "open the side door `DOOR`, which leads around the rules"},
		&cli.StringSliceFlag{Name: "deny-call", Category: "RULES", Usage: "deny the system call `NAME` or group @NAME, whatever its arguments and what is open; =ERRNO, or =kill, says how"},
		&cli.StringFlag{Name: "log", Usage: "write each decision as a line of JSON to `FILE`", TakesFile: true},
		&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write what was touched, with verdicts, as JSON to `FILE` (- is stdout, after the command has ended)", TakesFile: true},
		&cli.IntSliceFlag{Name: "keep-fd", Usage: "let the command have descriptor `N`, which Turnstile was given; those above 2 are closed"},
		&cli.StringFlag{Name: "user", Usage: "run the command as `USER` (under sudo the default is who called it)"},
		&cli.BoolFlag{Name: "verbose", Aliases: []string{"v"}, Usage: "print each decision as it is made"},
		&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "print nothing but errors"},
		&cli.BoolFlag{Name: "perform-all", Hidden: true},
	}
}

// enforceSettings are the flags of enforce, checked.
type enforceSettings struct {
	argv           []string
	policy         *policy.Policy
	log, output    string
	user           string
	verbose, quiet bool
	keep           []int
	performAll     bool
}

func readEnforceSettings(c *cli.Context) (*enforceSettings, error) {
	s := &enforceSettings{
		argv: c.Args().Slice(), log: c.String("log"), output: c.String("output"), user: c.String("user"),
		verbose: c.Bool("verbose"), quiet: c.Bool("quiet"), performAll: c.Bool("perform-all"),
		keep: c.IntSlice("keep-fd"),
	}
	switch {
	case len(s.argv) == 0:
		return nil, usagef("no command to gate; for example: %q, or see %q", "turnstile enforce --default allow --deny read:/etc/ssl/private/** -- ls", "turnstile enforce --help")
	case strings.HasPrefix(s.argv[0], "-"):
		return nil, usagef("%q is no command; flags come before %q, and a program of that name needs %q before it", s.argv[0], "--", "./")
	case s.verbose && s.quiet:
		return nil, usagef("--verbose and --quiet exclude each other")
	case s.log != "" && s.output != "" && isOneFile(s.log, s.output):
		return nil, usagef("--output and --log are one file, %q", s.output)
	}
	var err error
	s.policy, err = readPolicy(c)
	return s, err
}

// readPolicy makes a policy of the flags.
func readPolicy(c *cli.Context) (*policy.Policy, error) {
	verdicts := map[string]event.VerdictKind{"allow": event.VerdictAllow, "deny": event.VerdictDeny, "ask": event.VerdictAsk}
	verdict, known := verdicts[c.String("default")]
	if !known {
		return nil, usagef("--default %q is no verdict: allow, deny or ask", c.String("default"))
	}
	dir, err := os.Getwd()
	if err != nil {
		return nil, fmt.Errorf("finding the working directory: %w", err)
	}
	p := &policy.Policy{Default: verdict}
	for _, name := range []string{"allow", "deny", "ask"} {
		for _, text := range c.StringSlice(name) {
			rule, err := policy.ParseRule(text, verdicts[name], policy.Directories{Working: dir, Home: os.Getenv("HOME")})
			if err != nil {
				return nil, usageError{err}
			}
			p.Rules = append(p.Rules, rule)
		}
	}
	if err := readCallRules(c, p); err != nil {
		return nil, err
	}
	if verdict == event.VerdictDeny && len(c.StringSlice("allow"))+len(c.StringSlice("ask")) == 0 {
		return nil, usagef("the default is to deny, and nothing is allowed: no program could load its libraries; --default allow turns that round")
	}
	if err := p.Bind(resolveLinks); err != nil {
		return nil, err
	}
	return p, nil
}

// readCallRules reads the flags about side doors and system calls.
func readCallRules(c *cli.Context, p *policy.Policy) error {
	for _, name := range c.StringSlice("open") {
		door, err := policy.ParseDoor(name)
		if err != nil {
			return usagef("--open: %w", err)
		}
		p.Open |= door
	}
	for _, text := range c.StringSlice("deny-call") {
		rule, err := policy.ParseCallRule(text)
		if err != nil {
			return usagef("--deny-call: %w", err)
		}
		p.Calls = append(p.Calls, rule)
	}
	return nil
}

// resolveLinks resolves the links of a path. Of one that leads to what does not exist it is
// where that would be.
func resolveLinks(path string) (string, error) {
	for range 40 { // MAXSYMLINKS, include/linux/namei.h
		found, err := filepath.EvalSymlinks(path)
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return found, err
		}
		text, linkErr := os.Readlink(path)
		if linkErr != nil {
			return "", err
		}
		if !filepath.IsAbs(text) {
			dir, err := filepath.EvalSymlinks(filepath.Dir(path))
			if err != nil {
				return "", err
			}
			text = filepath.Join(dir, text)
		}
		if _, err := os.Lstat(text); err != nil {
			dir, dirErr := filepath.EvalSymlinks(filepath.Dir(text))
			if dirErr != nil {
				return "", dirErr
			}
			return filepath.Join(dir, filepath.Base(text)), nil
		}
		path = text
	}
	return "", unix.ELOOP
}
