package lang

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/turnstile-project/turnstile/internal/policy"
)

// reader reads one file and goes on after each mistake, so that all are told at once.
type reader struct {
	File
	variables Variables
	problems  []Problem
}

func (r *reader) add(at Place, format string, args ...any) {
	r.problems = append(r.problems, Problem{at, fmt.Sprintf(format, args...)})
}

// keys reads keys and values, each key by its function. What says whose keys they are.
func (r *reader) keys(n *yaml.Node, whose string, known map[string]func(key, value *yaml.Node)) bool {
	names := slices.Sorted(maps.Keys(known))
	if isUnreadable(n) {
		return false
	}
	if n.Kind != yaml.MappingNode {
		r.add(placeOf(n), "expected the keys of %s (%s), found %s", whose, strings.Join(names, ", "), kind(n))
		return false
	}
	first := make(map[string]int)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		read, ok := known[key.Value]
		switch line, again := first[key.Value]; {
		case key.Kind != yaml.ScalarNode:
			r.add(placeOf(key), "expected a key of %s (%s), found %s", whose, strings.Join(names, ", "), kind(key))
		case !ok:
			r.add(placeOf(key), "%s is no key of %s; %s", show(key.Value), whose, instead(key.Value, names))
		case again:
			r.add(placeOf(key), "the key %s stands here a second time; the first is in line %d", show(key.Value), line)
		default:
			first[key.Value] = key.Line
			read(key, value)
		}
	}
	return true
}

// instead is the nearest of some names, or all of them.
func instead(written string, names []string) string {
	if near := policy.Nearest(written, names); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return "they are " + strings.Join(names, ", ")
}

// list is the members of a list that has to have some.
func (r *reader) list(key, n *yaml.Node, example string) []*yaml.Node {
	switch {
	case isUnreadable(n):
		return nil
	case n.Kind != yaml.SequenceNode:
		r.add(placeOf(n), "expected a list, such as %s: %s, found %s", key.Value, example, kind(n))
	case len(n.Content) == 0:
		r.add(placeOf(n), "the list is empty; write what %q is about, such as %s, or leave the key out", key.Value, example)
	}
	if n.Kind != yaml.SequenceNode {
		return nil
	}
	return n.Content
}

// word is a text.
func (r *reader) word(n *yaml.Node, what string) (string, bool) {
	switch {
	case isUnreadable(n):
		return "", false
	case n.Kind != yaml.ScalarNode || n.Tag == "!!null" || n.Value == "":
		r.add(placeOf(n), "expected %s, found %s", what, kind(n))
		return "", false
	}
	return n.Value, true
}

// choice is a word that is one of some names.
func (r *reader) choice(n *yaml.Node, what string, names []string) (string, bool) {
	text, ok := r.word(n, what+" ("+strings.Join(names, ", ")+")")
	if ok && !slices.Contains(names, text) {
		r.add(placeOf(n), "%s is no %s; %s", show(text), what, instead(text, names))
		return "", false
	}
	return text, ok
}
