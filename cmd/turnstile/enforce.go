package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/launch"
	"github.com/turnstile-project/turnstile/internal/policy"
)

func enforceCommand() *cli.Command {
	return &cli.Command{
		Name:      "enforce",
		Usage:     "gate a command's access to files and addresses with seccomp; needs no privilege",
		ArgsUsage: "[--] COMMAND [ARGUMENT...]",
		Description: `Each rule is CLASS[,CLASS...]:GLOB. The classes are read, write, create, delete,
list, stat, attr, exec, connect and bind, or all. In a glob, * is any name, ** any
number of names, and /dir/** has /dir too; one that does not begin with a slash
starts from the working directory. A deny always wins; between allow and ask it
is the rule with the longer fixed beginning. What no rule is about gets the
default. A denied call fails with EACCES, or with the errno of the rule
(--deny read=ENOENT:/secret/**).

For connect and bind there are addresses in the place of a glob:
   tcp:10.0.0.0/8:5432   addresses and ports; also udp:, and ip: for any protocol
   tcp:[::1]:8000-8999   IPv6 stands in brackets
   tcp:*:443             any address; names are not resolved
   unix:@/tmp/dbus-*     an abstract name, of which * is any part
Each message that names an address is judged as connect, and listen as bind. An
address mapped to IPv6 is the IPv4 address, and 0.0.0.0 is this machine.

Rules are about files as they are, not as they are spelled: links, "..", and
another thread that changes the path meanwhile lead to the same verdict. Files
that do not exist yet are protected too.

A policy file (--policy) says the same and more: see docs/policy.md and "turnstile
policy check". Rules of files and flags are one policy; of their defaults the
strictest counts.

Examples:
   turnstile enforce --default allow --deny read:~/.ssh/** -- npm install
   turnstile enforce -p policy.yaml -- make
   turnstile enforce --default allow --deny write,create,delete:/** -- ./look-only
   turnstile enforce --default allow --ask write,create:~/** -- ./installer
   turnstile enforce --default allow --deny exec:/tmp/** --deny exec:~/** -- bash
   turnstile enforce --default allow --deny all:~/.aws/** --log decisions.json -- make
   turnstile enforce --default allow --deny connect:ip:* -- make test

Ways around the rules are closed; --open DOOR opens one, and says what is not held
then. The doors are:
` + doorList() + `

What the default denies and a rule allows with all that is below it is held by
Landlock too, where the kernel has it. --explain prints what is held by what and
runs nothing. --fast leaves to Landlock alone what it holds as a whole: that
costs nothing, and nobody hears of what is denied there.

Exit status: that of the command. 125: Turnstile could not start or failed; 126:
the command is not executable; 127: it was not found; 2: wrong usage.`,
		Flags:        enforceFlags(),
		BashComplete: completeEnforce,
		Action: func(c *cli.Context) error {
			user, err := chooseUser(c.String("user"))
			if err != nil {
				return err
			}
			files, err := readPolicyFiles(c.StringSlice("policy"), user)
			if err != nil {
				return err
			}
			s, err := readEnforceSettings(c, files, launch.Command{Env: user.Environ(os.Environ()), User: user})
			if err != nil {
				return err
			}
			return runFront(s, user)
		},
	}
}

// superviseCommand is what enforce starts: it has the same flags, and one to hear whether
// enforce is still there.
func superviseCommand() *cli.Command {
	return &cli.Command{
		Name:   "supervise",
		Hidden: true,
		Flags:  append(enforceFlags(), &cli.IntFlag{Name: "lifeline"}, &cli.IntFlag{Name: "policies"}),
		Action: func(c *cli.Context) error {
			if !c.IsSet("lifeline") || !c.IsSet("policies") {
				return usagef("supervise is started by enforce")
			}
			files, err := receivePolicyFiles(c.Int("policies"))
			if err != nil {
				return err
			}
			s, err := readEnforceSettings(c, files, launch.Command{Env: os.Environ()})
			if err != nil {
				return err
			}
			return runSupervisor(s, c.Int("lifeline"))
		},
	}
}

// ruleFlags are those that make a policy.
func ruleFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: "policy", Aliases: []string{"p"}, Category: "RULES", Usage: "read rules from `FILE`: see docs/policy.md", TakesFile: true},
		&cli.StringSliceFlag{Name: "allow", Category: "RULES", Usage: "allow what `CLASS:GLOB` says"},
		&cli.StringSliceFlag{Name: "deny", Category: "RULES", Usage: "deny what `CLASS:GLOB` says"},
		&cli.StringSliceFlag{Name: "ask", Category: "RULES", Usage: "ask on the terminal about what `CLASS:GLOB` says"},
		&cli.StringFlag{Name: "default", Category: "RULES", Usage: "allow, deny or ask about (`VERDICT`) what no rule is about; stat is allowed (default: that of the policy files, or deny)"},
	}
}

func enforceFlags() []cli.Flag {
	return append(
		ruleFlags(),
		&cli.StringSliceFlag{Name: "open", Category: "RULES", Usage: "open the side door `DOOR`, which leads around the rules"},
		&cli.StringSliceFlag{Name: "deny-call", Category: "RULES", Usage: "deny the system call `NAME` or group @NAME, whatever its arguments and what is open; =ERRNO, or =kill, says how"},
		&cli.StringFlag{Name: "log", Usage: "write each decision as a line of JSON to `FILE`", TakesFile: true},
		&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write what was touched, with verdicts, as JSON to `FILE` (- is stdout, after the command has ended)", TakesFile: true},
		&cli.IntSliceFlag{Name: "keep-fd", Usage: "let the command have descriptor `N`, which Turnstile was given; those above 2 are closed"},
		&cli.BoolFlag{Name: "explain", Usage: "print what is held by what, and why, and run nothing"},
		&cli.BoolFlag{Name: "fast", Usage: "leave what Landlock holds as a whole to the kernel: what it denies there nobody hears of"},
		&cli.StringFlag{Name: "user", Usage: "run the command as `USER` (under sudo the default is who called it)"},
		&cli.BoolFlag{Name: "verbose", Aliases: []string{"v"}, Usage: "print each decision as it is made"},
		&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "print nothing but errors"},
		&cli.BoolFlag{Name: "perform-all", Hidden: true},
	)
}

// enforceSettings are the flags of enforce, checked.
type enforceSettings struct {
	argv           []string
	policy         *policy.Policy
	files          []policyFile
	log, output    string
	user           string
	verbose, quiet bool
	keep           []int
	explain, fast  bool
	performAll     bool
}

// readEnforceSettings checks the flags, and makes a policy of them and of the policy files.
// The command is who is going to be gated: its user and its environment.
func readEnforceSettings(c *cli.Context, files []policyFile, command launch.Command) (*enforceSettings, error) {
	s := &enforceSettings{
		argv: c.Args().Slice(), log: c.String("log"), output: c.String("output"), user: c.String("user"),
		verbose: c.Bool("verbose"), quiet: c.Bool("quiet"), performAll: c.Bool("perform-all"),
		keep: c.IntSlice("keep-fd"), files: files, explain: c.Bool("explain"), fast: c.Bool("fast"),
	}
	switch {
	case len(s.argv) == 0 && !s.explain:
		return nil, usagef("no command to gate; for example: %q, or see %q", "turnstile enforce --default allow --deny read:/etc/ssl/private/** -- ls", "turnstile enforce --help")
	case len(s.argv) > 0 && strings.HasPrefix(s.argv[0], "-"):
		return nil, usagef("%q is no command; flags come before %q, and a program of that name needs %q before it", s.argv[0], "--", "./")
	case s.verbose && s.quiet:
		return nil, usagef("--verbose and --quiet exclude each other")
	case s.log != "" && s.output != "" && isOneFile(s.log, s.output):
		return nil, usagef("--output and --log are one file, %q", s.output)
	}
	command.Argv = s.argv
	variables, err := variablesOf(command)
	if err != nil {
		return nil, err
	}
	if s.policy, err = readPolicy(c, files, variables); err != nil {
		return nil, err
	}
	if s.policy.Default == event.VerdictDeny && !slices.ContainsFunc(s.policy.Rules, func(r policy.Rule) bool { return r.Verdict != event.VerdictDeny }) {
		return nil, usagef("the default is to deny, and nothing is allowed: no program could load its libraries; --default allow turns that round")
	}
	return s, nil
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
// where that would be. What is this process's own below /proc is that of whoever asks.
func resolveLinks(path string) (string, error) {
	found, err := followLinks(path)
	if rest, ours := strings.CutPrefix(found+"/", "/proc/"+strconv.Itoa(os.Getpid())+"/"); ours {
		return strings.TrimSuffix("/proc/self/"+rest, "/"), err
	}
	return found, err
}

func followLinks(path string) (string, error) {
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
