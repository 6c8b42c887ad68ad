package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/turnstile-project/turnstile/internal/observe"
	"github.com/turnstile-project/turnstile/internal/trace"
)

func observeCommand() *cli.Command {
	return &cli.Command{
		Name:      "observe",
		Usage:     "watch a command, a running process tree or a cgroup with eBPF",
		ArgsUsage: "[--] COMMAND [ARGUMENT...]",
		Description: `Every system call of the command and of all that it starts is counted in the
kernel; --files, --net, --errors, --args and --all tell more. The command runs as
if Turnstile were not there, under sudo as the user who called sudo, and
Turnstile ends as the command ended.

Examples:
   sudo turnstile observe -- ls -l /etc
   sudo turnstile observe --files --net -o trace.json -- make test
   sudo turnstile observe --all -- true
   sudo turnstile observe --net --pid $(pidof -s nginx) --duration 30s
   sudo turnstile observe --files --cgroup /sys/fs/cgroup/system.slice/cron.service

Exit status: that of the command. 125: Turnstile could not start or failed; 126:
the command is not executable; 127: it was not found; 2: wrong usage; 3: with
--strict, something is missing from the trace. A watch that was ended: 0.`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write the trace as JSON to `FILE` (- is stdout, after the command has ended)", TakesFile: true},
			&cli.StringFlag{Name: "events", Usage: "write each event as a line of JSON to `FILE`", TakesFile: true},
			&cli.BoolFlag{Name: "files", Category: "WHAT TO WATCH", Usage: "files: paths as asked and as opened, and what was done with them"},
			&cli.BoolFlag{Name: "net", Category: "WHAT TO WATCH", Usage: "sockets: connect, bind, listen, accept and send, with addresses"},
			&cli.BoolFlag{Name: "errors", Category: "WHAT TO WATCH", Usage: "how often each call failed, by errno"},
			&cli.BoolFlag{Name: "args", Category: "WHAT TO WATCH", Usage: "values of the arguments that decide what a call does"},
			&cli.BoolFlag{Name: "all", Category: "WHAT TO WATCH", Usage: "every single call, as it happens; implies --files, --net and --errors"},
			&cli.IntFlag{Name: "pid", Category: "WHOM TO WATCH", Usage: "the running process `PID`, its threads and its descendants"},
			&cli.StringFlag{Name: "cgroup", Category: "WHOM TO WATCH", Usage: "what runs in the cgroup v2 directory `DIR` and below it, for example a container", TakesFile: true},
			&cli.DurationFlag{Name: "duration", Category: "WHOM TO WATCH", Usage: "end the watch after `TIME` (as 90s or 5m); a command goes on without it"},
			&cli.BoolFlag{Name: "no-wait", Category: "WHOM TO WATCH", Usage: "end when the command ends, and not with the last process it started"},
			&cli.StringFlag{Name: "user", Category: "WHOM TO WATCH", Usage: "run the command as `USER` (under sudo the default is who called it)"},
			&cli.BoolFlag{Name: "strict", Usage: "exit with 3 if something is missing from the trace"},
			&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "print nothing but errors"},
			&cli.StringFlag{Name: "btf", Category: "LIMITS AND KERNEL", Usage: "read the types of the kernel from `FILE` and not from /sys/kernel/btf/vmlinux", EnvVars: []string{"TURNSTILE_BTF"}, TakesFile: true},
			&cli.StringFlag{Name: "buffer-size", Category: "LIMITS AND KERNEL", Usage: "size of the ring buffer, as `SIZE` (a power of two, with K or M)"},
			&cli.IntFlag{Name: "max-tasks", Category: "LIMITS AND KERNEL", Usage: "tell `N` threads apart at one time (default: 64 for each CPU, at least 2048)"},
			&cli.IntFlag{Name: "max-processes", Category: "LIMITS AND KERNEL", Usage: "list `N` processes, and group those beyond by program", Value: trace.DefaultMaxProcesses},
			&cli.IntFlag{Name: "max-files", Category: "LIMITS AND KERNEL", Usage: "list `N` files, and group those beyond by directory", Value: trace.DefaultMaxFiles},
		},
		Action: func(c *cli.Context) error {
			s, err := newSession(c)
			if err != nil {
				return err
			}
			return s.run()
		},
	}
}

// settings are the flags of observe, checked.
type settings struct {
	argv              []string
	output, events    string
	files, net        bool
	errors, args, all bool
	pid               int
	cgroup            string
	duration          time.Duration
	noWait            bool
	user              string
	strict, quiet     bool
	btf               string
	bufferSize        int
	maxTasks          int
	maxProcesses      int
	maxFiles          int
}

func readSettings(c *cli.Context) (*settings, error) {
	s := &settings{
		argv:   c.Args().Slice(),
		output: c.String("output"), events: c.String("events"),
		files: c.Bool("files"), net: c.Bool("net"),
		errors: c.Bool("errors"), args: c.Bool("args"), all: c.Bool("all"),
		pid: c.Int("pid"), cgroup: c.String("cgroup"), duration: c.Duration("duration"),
		noWait: c.Bool("no-wait"), user: c.String("user"),
		strict: c.Bool("strict"), quiet: c.Bool("quiet"),
		btf:          c.String("btf"),
		maxTasks:     c.Int("max-tasks"),
		maxProcesses: c.Int("max-processes"),
		maxFiles:     c.Int("max-files"),
	}
	if s.all {
		s.files, s.net, s.errors = true, true, true
	}
	var err error
	if s.bufferSize, err = parseSize(c.String("buffer-size")); err != nil {
		return nil, err
	}
	return s, s.check(c)
}

func (s *settings) check(c *cli.Context) error {
	attaches := 0
	for _, name := range []string{"pid", "cgroup"} {
		if c.IsSet(name) {
			attaches++
		}
	}
	switch {
	case attaches == 2:
		return usagef("--pid and --cgroup exclude each other")
	case attaches == 1 && len(s.argv) > 0:
		return usagef("either a command or %q, not both", "--pid or --cgroup")
	case attaches == 0 && len(s.argv) == 0:
		return usagef("no command to watch; for example: %q, or see %q", "turnstile observe -- ls -l", "turnstile observe --help")
	case attaches == 0 && strings.HasPrefix(s.argv[0], "-"):
		return usagef("%q is no command; flags come before %q, and a program of that name needs %q before it", s.argv[0], "--", "./")
	case c.IsSet("pid") && s.pid <= 0:
		return usagef("--pid %d is not the number of a process", s.pid)
	case c.IsSet("cgroup") && s.cgroup == "":
		return usagef("--cgroup needs a directory")
	case attaches == 1 && (s.noWait || s.user != ""):
		return usagef("--no-wait and --user are for a command")
	case c.IsSet("duration") && s.duration <= 0:
		return usagef("--duration %v is no time to watch", s.duration)
	case s.maxTasks < 0 || s.maxProcesses < 1 || s.maxFiles < 1:
		return usagef("limits have to be positive")
	case s.maxTasks > observe.MaxTasks:
		return usagef("--max-tasks %d is more than %d", s.maxTasks, observe.MaxTasks)
	case s.events != "" && s.output != "" && isOneFile(s.output, s.events):
		return usagef("--output and --events are one file, %q", s.output)
	}
	return nil
}

// isOneFile reports whether what is written to one of two files would be lost by what
// is written to the other.
func isOneFile(a, b string) bool {
	x, err := os.Stat(a)
	y, otherErr := os.Stat(b)
	if err != nil || otherErr != nil {
		return filepath.Clean(a) == filepath.Clean(b)
	}
	return x.Mode().IsRegular() && os.SameFile(x, y)
}

// parseSize reads a number of bytes with an optional K or M.
func parseSize(text string) (int, error) {
	if text == "" {
		return 0, nil
	}
	digits, unit := text, 1
	switch text[len(text)-1] {
	case 'K', 'k':
		digits, unit = text[:len(text)-1], 1<<10
	case 'M', 'm':
		digits, unit = text[:len(text)-1], 1<<20
	}
	n, err := strconv.Atoi(digits)
	if err != nil || n <= 0 || n > 1<<30/unit {
		return 0, usagef("--buffer-size %q is not a size; for example: 4M", text)
	}
	n *= unit
	if n&(n-1) != 0 || n < os.Getpagesize() {
		return 0, usagef("--buffer-size %q is not a power of two of at least %d bytes", text, os.Getpagesize())
	}
	return n, nil
}
