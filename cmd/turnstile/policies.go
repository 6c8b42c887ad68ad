package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/launch"
	"github.com/turnstile-project/turnstile/internal/policy"
	"github.com/turnstile-project/turnstile/internal/policy/lang"
	"github.com/turnstile-project/turnstile/internal/quote"
)

// policyFile is a policy file as it was read, once: what becomes of the file later does
// not matter.
type policyFile struct {
	Name string
	Text []byte
	// Regular says that it can be read again.
	Regular bool
}

// readPolicyFiles reads files with the rights of a user. That one of them cannot be read
// is a mistake in the arguments.
func readPolicyFiles(names []string, user *launch.User) (files []policyFile, err error) {
	err = user.Do(func() error {
		for _, name := range names {
			file, err := readPolicyFile(name)
			if err != nil {
				return usageError{fmt.Errorf("reading the policy: %w", err)}
			}
			files = append(files, file)
		}
		return nil
	})
	return files, err
}

func readPolicyFile(name string) (policyFile, error) {
	f, err := openInput(name)
	if err != nil {
		return policyFile{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return policyFile{}, err
	}
	text, err := io.ReadAll(io.LimitReader(f, lang.MaxSize+1))
	return policyFile{name, text, info.Mode().IsRegular()}, err
}

// handOver puts policy files where a child finds them: in memory that has no name, whose
// descriptor it inherits.
func handOver(files []policyFile) (*os.File, error) {
	text, err := json.Marshal(files)
	if err != nil {
		return nil, fmt.Errorf("handing over the policy: %w", err)
	}
	fd, err := unix.MemfdCreate("policies", 0)
	if err != nil {
		return nil, fmt.Errorf("handing over the policy: %w", err)
	}
	f := os.NewFile(uintptr(fd), "policies")
	if _, err := f.Write(text); err != nil {
		f.Close()
		return nil, fmt.Errorf("handing over the policy: %w", err)
	}
	return f, nil
}

// receivePolicyFiles is the other side of handOver.
func receivePolicyFiles(fd int) (files []policyFile, err error) {
	f := os.NewFile(uintptr(fd), "policies")
	defer f.Close()
	if _, err = f.Seek(0, io.SeekStart); err == nil {
		err = json.NewDecoder(f).Decode(&files)
	}
	if err != nil {
		return nil, fmt.Errorf("receiving the policy: %w", err)
	}
	return files, nil
}

// tellChanges says which of the policy files are not what they were when they were read.
func tellChanges(w io.Writer, files []policyFile, user *launch.User) {
	for _, old := range files {
		if !old.Regular {
			continue
		}
		now, err := readPolicyFiles([]string{old.Name}, user)
		switch {
		case err != nil:
			fmt.Fprintf(w, "turnstile: the policy %s cannot be read any more; the command was held to what it said at the start\n", quote.Word(old.Name))
		case !bytes.Equal(now[0].Text, old.Text):
			fmt.Fprintf(w, "turnstile: the policy %s has changed meanwhile; the command was held to what it said at the start\n", quote.Word(old.Name))
		}
	}
}

// variablesOf are what a policy may know of the command that it is for, which has to be one
// that can be executed.
func variablesOf(command launch.Command) (lang.Variables, error) {
	dir, err := os.Getwd()
	if err != nil {
		return nil, fmt.Errorf("finding the working directory: %w", err)
	}
	v := lang.Variables{"CWD": dir, "HOME": variable(command.Env, "HOME"), "TMPDIR": variable(command.Env, "TMPDIR")}
	if v["TMPDIR"] == "" {
		v["TMPDIR"] = "/tmp" // as programs do: P_tmpdir of glibc
	}
	if len(command.Argv) > 0 {
		exe, err := command.Program()
		if err != nil {
			return nil, err
		}
		if !strings.HasPrefix(exe, "/") {
			exe = dir + "/" + exe
		}
		v["EXE"] = exe
	}
	return v, nil
}

// variable is the value of a variable of an environment, the last one as for getenv(3) of
// programs that have it twice.
func variable(env []string, name string) (value string) {
	for _, entry := range env {
		if text, ok := strings.CutPrefix(entry, name+"="); ok {
			value = text
		}
	}
	return value
}

var verdicts = map[string]event.VerdictKind{"allow": event.VerdictAllow, "deny": event.VerdictDeny, "ask": event.VerdictAsk}

// readPolicy makes one policy of the files and the flags. What one of them denies is
// denied, and of the defaults the strictest counts; a flag that would loosen it is a
// mistake.
func readPolicy(c *cli.Context, files []policyFile, variables lang.Variables) (*policy.Policy, error) {
	p, err := mergeFiles(files, variables)
	if err != nil {
		return nil, err
	}
	if name := c.String("default"); name != "" || c.IsSet("default") {
		verdict, known := verdicts[name]
		switch {
		case !known:
			return nil, usagef("--default %q is no verdict: allow, deny or ask", name)
		case len(files) > 0 && policy.Stricter(p.Default, verdict):
			return nil, usagef("--default %s would loosen the policy, whose default is %s; change it there", name, p.Default)
		}
		p.Default = verdict
	}
	for _, name := range []string{"allow", "deny", "ask"} {
		for _, text := range c.StringSlice(name) {
			rule, err := policy.ParseRule(text, verdicts[name], policy.Directories{Working: variables["CWD"], Home: variables["HOME"]})
			if err != nil {
				return nil, usageError{err}
			}
			p.Rules = append(p.Rules, rule)
		}
	}
	if err := readCallRules(c, p); err != nil {
		return nil, err
	}
	if err := p.Bind(resolveLinks); err != nil {
		return nil, err
	}
	return p, nil
}

// mergeFiles is what all files say together, and to deny all if there are none.
func mergeFiles(files []policyFile, variables lang.Variables) (*policy.Policy, error) {
	p := &policy.Policy{Default: event.VerdictDeny}
	var problems []error
	for i, file := range files {
		parsed, err := lang.Parse(file.Name, file.Text, variables)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		if i == 0 {
			p.Default = parsed.Policy.Default
		}
		p.Add(&parsed.Policy)
	}
	if err := errors.Join(problems...); err != nil {
		// A line for each, and the name of this program before each line.
		return nil, usagef("%s", strings.ReplaceAll(err.Error(), "\n", "\nturnstile: "))
	}
	return p, nil
}
