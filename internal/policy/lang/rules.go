package lang

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/policy"
)

// Version is that of the language.
const Version = "1"

// File is a policy file that was read.
type File struct {
	Name   string
	Policy policy.Policy
	// Places are where the path or the socket of each rule of the policy stands.
	Places []Place
}

// Parse reads the text of a policy file. The error is an *[Error] with all that is wrong.
func Parse(name string, text []byte, variables Variables) (*File, error) {
	r := &reader{File: File{Name: name, Policy: policy.Policy{Default: event.VerdictDeny}}, variables: variables}
	if root := r.load(text); root != nil {
		r.policy(root)
	}
	if err := sorted(name, r.problems); err != nil {
		return nil, err
	}
	return &r.File, nil
}

var verdicts = map[string]event.VerdictKind{"allow": event.VerdictAllow, "deny": event.VerdictDeny, "ask": event.VerdictAsk}

var verdictNames = []string{"allow", "deny", "ask"}

func (r *reader) policy(root *yaml.Node) {
	versioned := false
	ok := r.keys(root, "a policy", map[string]func(key, value *yaml.Node){
		"version": func(_, n *yaml.Node) {
			versioned = true
			if text, ok := r.word(n, "the version of the language, "+Version); ok && text != Version {
				r.add(placeOf(n), "version %s is not known; this Turnstile reads version %s", show(text), Version)
			}
		},
		"default": func(_, n *yaml.Node) {
			if text, ok := r.choice(n, "verdict", verdictNames); ok {
				r.Policy.Default = verdicts[text]
			}
		},
		"rules": func(key, n *yaml.Node) {
			for _, rule := range r.list(key, n, `[{allow: [read], paths: ["/usr/**"]}]`) {
				r.rule(rule)
			}
		},
		"open":     r.open,
		"syscalls": r.syscalls,
	})
	if ok && !versioned {
		r.add(placeOf(root), "expected the key \"version\"; this Turnstile reads version: %s", Version)
	}
}

// rule is what is read of one rule before it is taken apart into one for each path.
type rule struct {
	policy.Rule
	given   []string // the keys of verdicts
	all     bool     // the classes are all that there are
	paths   []*yaml.Node
	sockets []*yaml.Node
}

func (r *reader) rule(n *yaml.Node) {
	var x rule
	var errno, except *yaml.Node
	verdict := func(key, n *yaml.Node) {
		x.given = append(x.given, key.Value)
		if len(x.given) > 1 {
			r.add(placeOf(key), "a rule has one verdict; %q is that of this one already", x.given[0])
			return
		}
		x.Verdict = verdicts[key.Value]
		x.Classes, x.all = r.classes(key, n)
	}
	ok := r.keys(n, "a rule", map[string]func(key, value *yaml.Node){
		"allow": verdict, "deny": verdict, "ask": verdict,
		"paths":   func(key, n *yaml.Node) { x.paths = r.list(key, n, `["/usr/**"]`) },
		"sockets": func(key, n *yaml.Node) { x.sockets = r.list(key, n, `["tcp:10.0.0.0/8:443"]`) },
		"except": func(key, n *yaml.Node) {
			except = key
			x.Except = r.patterns(r.list(key, n, `["${HOME}/.ssh/known_hosts"]`))
		},
		"exe": func(key, n *yaml.Node) { x.Exe = r.patterns(r.list(key, n, `["/usr/bin/psql"]`)) },
		"errno": func(key, n *yaml.Node) {
			errno = key
			if text, ok := r.word(n, "the name of an errno, such as ENOENT"); ok {
				if x.Errno = event.ErrnoNamed(text); x.Errno == 0 {
					r.add(placeOf(n), "%s is no errno; for example: ENOENT", show(text))
				}
			}
		},
	})
	if !ok {
		return
	}
	switch {
	case len(x.given) == 0:
		r.add(placeOf(n), "expected a verdict: allow, deny or ask, with a list of classes")
	case errno != nil && x.Verdict != event.VerdictDeny:
		r.add(placeOf(errno), "only a deny has an errno")
	}
	if !hasKey(n, "paths") && !hasKey(n, "sockets") {
		r.add(placeOf(n), "expected the key \"paths\" or \"sockets\": what the rule is about")
	}
	if except != nil && !hasKey(n, "paths") {
		r.add(placeOf(except), "\"except\" leaves out some of \"paths\", and there are none")
	}
	x.Name = fmt.Sprintf("%s:%d", r.Name, n.Line)
	r.expand(&x)
}

func hasKey(n *yaml.Node, name string) bool {
	for i := 0; i < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return true
		}
	}
	return false
}

// classes reads a list of classes. All says that it is all there are.
func (r *reader) classes(key, n *yaml.Node) (classes event.Class, all bool) {
	names := append(policy.Files.Names(), "all")
	for _, member := range r.list(key, n, "[read, list]") {
		text, ok := r.choice(member, "class", names)
		switch class, _ := event.ParseClass(text); {
		case !ok:
		case text == "all":
			classes, all = policy.Files, true
		case classes&class != 0:
			r.add(placeOf(member), "the class %q stands here a second time", text)
		default:
			classes |= class
		}
	}
	return classes, all
}

// expand makes a rule for each path and each socket.
func (r *reader) expand(x *rule) {
	for _, n := range x.paths {
		if pattern, ok := r.pattern(n); ok {
			one := x.Rule
			one.Patterns = []policy.Pattern{pattern}
			r.keep(n, one)
		}
	}
	const done = event.Connect | event.Bind // with sockets
	for i, n := range x.sockets {
		socket, ok := r.socket(n)
		if !ok {
			continue
		}
		one := x.Rule
		if x.all || len(x.paths) > 0 {
			one.Classes &= done
		}
		if one.Classes&^done != 0 || one.Classes == 0 && x.Classes != 0 {
			if i == 0 {
				r.add(placeOf(n), "nothing but connect and bind is done with sockets, and the rule is about %s", x.Classes)
			}
			continue
		}
		one.SetSocket(socket)
		r.keep(n, one)
	}
}

func (r *reader) keep(n *yaml.Node, rule policy.Rule) {
	r.Policy.Rules = append(r.Policy.Rules, rule)
	r.Places = append(r.Places, placeOf(n))
}

func (r *reader) patterns(nodes []*yaml.Node) []policy.Pattern {
	var patterns []policy.Pattern
	for _, n := range nodes {
		if p, ok := r.pattern(n); ok {
			patterns = append(patterns, p)
		}
	}
	return patterns
}

// pattern reads a glob. Variables stand for themselves in it, whatever they hold.
func (r *reader) pattern(n *yaml.Node) (policy.Pattern, bool) {
	text, ok := r.word(n, "a path")
	if !ok {
		return policy.Pattern{}, false
	}
	full, err := r.variables.expand(text)
	if err == nil && !strings.HasPrefix(full, "/") {
		err = fmt.Errorf("%s is no absolute path; for one below the working directory write %s", show(text), show("${CWD}/"+strings.TrimPrefix(text, "./")))
		if rest, isHome := strings.CutPrefix(text, "~/"); isHome {
			err = fmt.Errorf("%s is for a shell; write %s", show(text), show("${HOME}/"+rest))
		}
	}
	if err != nil {
		r.add(placeOf(n), "%v", err)
		return policy.Pattern{}, false
	}
	pattern, err := policy.ParsePattern(full)
	if err != nil {
		r.add(placeOf(n), "%v", err)
	}
	return pattern, err == nil
}

func (r *reader) socket(n *yaml.Node) (policy.Socket, bool) {
	text, ok := r.word(n, "a socket, such as tcp:10.0.0.0/8:443")
	if !ok {
		return policy.Socket{}, false
	}
	if rest, isPath := strings.CutPrefix(text, "unix:$"); isPath {
		full, err := r.variables.expand("$" + rest)
		if err != nil {
			r.add(placeOf(n), "%v", err)
			return policy.Socket{}, false
		}
		text = "unix:" + full
	}
	socket, err := policy.ParseSocket(text)
	if err != nil {
		r.add(placeOf(n), "%v", err)
	}
	return socket, err == nil
}

// open reads the side doors. An empty list says that none is meant to be open.
func (r *reader) open(key, n *yaml.Node) {
	if n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
		return
	}
	for _, member := range r.list(key, n, "[io_uring]") {
		text, ok := r.word(member, "a side door")
		if !ok {
			continue
		}
		door, err := policy.ParseDoor(text)
		switch {
		case err != nil:
			r.add(placeOf(member), "%v", err)
		case r.Policy.Open&door != 0:
			r.add(placeOf(member), "the side door %q stands here a second time", text)
		}
		r.Policy.Open |= door
	}
}

// syscalls reads what is denied whatever its arguments.
func (r *reader) syscalls(key, n *yaml.Node) {
	c := policy.CallRule{Name: fmt.Sprintf("%s:%d", r.Name, key.Line)}
	denies, kill := false, (*yaml.Node)(nil)
	ok := r.keys(n, "syscalls", map[string]func(key, value *yaml.Node){
		"deny": func(key, n *yaml.Node) {
			denies = true
			for _, member := range r.list(key, n, `["@mount", ptrace]`) {
				if text, ok := r.word(member, "a system call, or a group of them"); ok {
					calls, err := policy.ParseCalls(text)
					if err != nil {
						r.add(placeOf(member), "%v", err)
					}
					c.Calls = append(c.Calls, calls...)
				}
			}
		},
		"errno": func(_, n *yaml.Node) {
			if text, ok := r.word(n, "the name of an errno, such as ENOSYS"); ok {
				if c.Errno = event.ErrnoNamed(text); c.Errno == 0 {
					r.add(placeOf(n), "%s is no errno; for example: ENOSYS", show(text))
				}
			}
		},
		"kill": func(key, n *yaml.Node) {
			kill = key
			if text, ok := r.choice(n, "yes or no", []string{"true", "false"}); ok {
				c.Kill = text == "true"
			}
		},
	})
	switch {
	case !ok:
		return
	case !denies:
		r.add(placeOf(n), "expected the key \"deny\" with a list of system calls")
	case c.Kill && c.Errno != 0:
		r.add(placeOf(kill), "a call that kills returns no errno: it is one or the other")
	}
	r.Policy.Calls = append(r.Policy.Calls, c)
}
