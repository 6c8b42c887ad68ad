package policy

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
)

// Directories are what a glob that does not begin with a slash starts from: the working
// directory, or with "~/" the home.
type Directories struct{ Working, Home string }

// ParseRule reads the rule of a flag: CLASS[,CLASS...][=ERRNO]:GLOB, or for sockets what
// [ParseSocket] reads in the place of the glob.
func ParseRule(text string, verdict event.VerdictKind, dirs Directories) (Rule, error) {
	r := Rule{Verdict: verdict, Name: "--" + verdict.String() + " " + text}
	head, pattern, found := strings.Cut(text, ":")
	if !found || pattern == "" {
		return r, fmt.Errorf("%q is no rule; it is CLASS:GLOB, for example read:/etc/ssl/private/**", text)
	}
	names, errno, hasErrno := strings.Cut(head, "=")
	if hasErrno {
		if verdict != event.VerdictDeny {
			return r, fmt.Errorf("rule %q: only a deny has an errno", text)
		}
		if r.Errno = event.ErrnoNamed(errno); r.Errno == 0 {
			return r, fmt.Errorf("rule %q: %q is no errno; for example: ENOENT", text, errno)
		}
	}
	var err error
	if r.Classes, err = parseClasses(names); err != nil {
		return r, fmt.Errorf("rule %q: %w", text, err)
	}
	if IsSocket(pattern) {
		err := r.parseSocket(text, pattern)
		return r, err
	}
	if rest, inHome := strings.CutPrefix(pattern, "~/"); inHome {
		if dirs.Home == "" {
			return r, fmt.Errorf("rule %q: there is no home directory (HOME is not set)", text)
		}
		pattern = filepath.Join(Quote(dirs.Home), rest)
	} else if strings.HasPrefix(pattern, "~") {
		return r, fmt.Errorf("rule %q: a home directory is \"~/\", of nobody else; a name that begins with ~ needs ./ before it", text)
	} else if !strings.HasPrefix(pattern, "/") {
		pattern = filepath.Join(Quote(dirs.Working), pattern)
	}
	parsed, err := ParsePattern(pattern)
	if err != nil {
		return r, fmt.Errorf("rule %q: %w", text, err)
	}
	r.Patterns = []Pattern{parsed}
	return r, nil
}

// sockets are the classes of access to the addresses of sockets.
const sockets = event.Connect | event.Bind

func (r *Rule) parseSocket(text, pattern string) error {
	s, err := ParseSocket(pattern)
	if err != nil {
		return fmt.Errorf("rule %q: %w", text, err)
	}
	if r.Classes == Files {
		r.Classes = sockets // all that there is
	}
	if r.Classes&^sockets != 0 {
		return fmt.Errorf("rule %q: nothing but connect and bind is done with sockets; a file whose name begins like this needs ./ before it", text)
	}
	r.SetSocket(s)
	return nil
}

func parseClasses(names string) (event.Class, error) {
	if names == "all" {
		return Files, nil
	}
	var classes event.Class
	for name := range strings.SplitSeq(names, ",") {
		class, known := event.ParseClass(name)
		if !known {
			return 0, fmt.Errorf("%q is no class; the classes are %s, and all", name, strings.Join(Files.Names(), ", "))
		}
		classes |= class
	}
	return classes, nil
}

// Bind adds to each pattern the spelling that it has when the links in its literal prefix
// are resolved: judged is the real name of a file. A prefix that does not exist is bound
// as far as it does.
func (p *Policy) Bind(resolve func(path string) (string, error)) error {
	for i := range p.Rules {
		r := &p.Rules[i]
		for _, patterns := range []*[]Pattern{&r.Patterns, &r.Except, &r.Exe} {
			bound, err := r.bind(*patterns, resolve)
			if err != nil {
				return fmt.Errorf("rule %q: %w", r.Name, err)
			}
			*patterns = bound
		}
	}
	return nil
}

// bind is patterns, and those among their other spellings that differ.
func (r *Rule) bind(written []Pattern, resolve func(string) (string, error)) ([]Pattern, error) {
	all := slices.Clone(written)
	for i := range written {
		prefix, err := BindPath(written[i].Prefix(), resolve)
		if err != nil {
			return nil, err
		}
		if prefix != strings.TrimSuffix(written[i].Prefix(), "/") {
			other := written[i].WithPrefix(prefix)
			all = append(all, other)
			r.respelled = append(r.respelled, [2]string{written[i].text, other.text})
		}
	}
	return all, nil
}

// Respelled are the patterns of a rule that are others when links are resolved, each with
// its other spelling.
func (r *Rule) Respelled() [][2]string { return r.respelled }

// BindPath is a path with its links resolved, as far as it exists.
func BindPath(prefix string, resolve func(string) (string, error)) (string, error) {
	for have, rest := prefix, ""; ; {
		found, err := resolve(have)
		switch {
		case err == nil:
			return strings.TrimSuffix(filepath.Join(found, rest), "/"), nil
		case have == "/":
			return prefix, nil
		case !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.ENOTDIR) && !errors.Is(err, unix.EACCES) && !errors.Is(err, unix.ELOOP):
			return "", err
		}
		rest = filepath.Join(filepath.Base(have), rest)
		have = filepath.Dir(have)
	}
}
