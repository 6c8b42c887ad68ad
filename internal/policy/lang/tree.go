package lang

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"
)

// MaxSize is how many bytes a policy has at most.
const MaxSize = 1 << 20

const maxDepth = 16

// load makes a tree of the text. What YAML has and the language has not is a problem:
// anchors, by which a small file can be a huge one, tags and further documents.
func (r *reader) load(text []byte) *yaml.Node {
	if len(text) > MaxSize {
		r.add(Place{1, 1}, "a policy has at most %d bytes, and this has more", MaxSize)
		return nil
	}
	if place, ok := isText(text); !ok {
		r.add(place, "expected UTF-8 text without control characters")
		return nil
	}
	loader, err := yaml.NewLoader(bytes.NewReader(text), yaml.WithPlugin(loaderlimits.New(loaderlimits.DepthValue(maxDepth))))
	if err != nil {
		r.add(Place{1, 1}, "reading YAML: %v", err)
		return nil
	}
	var document yaml.Node
	if err := loader.Load(&document); err != nil || len(document.Content) == 0 {
		r.addYAML(err)
		return nil
	}
	root := document.Content[0]
	r.refuse(root)
	var more yaml.Node
	switch err := loader.Load(&more); {
	case err == nil && len(more.Content) > 0:
		r.add(placeOf(more.Content[0]), "a second document begins here; a policy is one")
	case err != nil && !errors.Is(err, io.EOF):
		r.addYAML(err)
	}
	return root
}

// isText finds the first byte that is none of a text.
func isText(text []byte) (Place, bool) {
	at := Place{1, 1}
	for len(text) > 0 {
		c, size := utf8.DecodeRune(text)
		switch {
		case c == '\n':
			at = Place{at.Line + 1, 0}
		case c == utf8.RuneError && size == 1, c < ' ' && c != '\t' && c != '\r', c == 0x7f:
			return at, false
		}
		at.Column++
		text = text[size:]
	}
	return at, true
}

// addYAML notes what the reader of YAML says.
func (r *reader) addYAML(err error) {
	if err == nil || errors.Is(err, io.EOF) {
		r.add(Place{1, 1}, "expected a policy, and the file is empty; it begins with \"version: 1\"")
		return
	}
	at, text := Place{1, 1}, err.Error()
	if e, ok := errors.AsType[*yaml.LoadError](err); ok {
		text = e.Message
		if e.Mark.Line > 0 {
			at = Place{e.Mark.Line, e.Mark.Column}
		}
		if e.ContextMsg != "" && e.ContextMark.Line > 0 {
			text += fmt.Sprintf(", %s that begins at %d:%d", strings.TrimPrefix(e.ContextMsg, "while "), e.ContextMark.Line, e.ContextMark.Column)
		}
	}
	r.add(at, "this is no YAML: %s", strings.Trim(fmt.Sprintf("%q", text), `"`))
}

// refuse notes what the language does without.
func (r *reader) refuse(n *yaml.Node) {
	switch {
	case n.Kind == yaml.AliasNode:
		r.add(placeOf(n), "an alias (*) has no place in a policy: write out what it stands for")
		return
	case n.Anchor != "":
		r.add(placeOf(n), "an anchor (&) has no place in a policy: write out what is meant where it is meant")
	case n.Style&yaml.TaggedStyle != 0:
		r.add(placeOf(n), "a tag (!) has no place in a policy")
	}
	for _, child := range n.Content {
		r.refuse(child)
	}
}

func placeOf(n *yaml.Node) Place { return Place{n.Line, n.Column} }

// kind is what a node is, in words.
func kind(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "keys and values"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Tag == "!!null":
		return "nothing"
	default:
		return show(n.Value)
	}
}

// isUnreadable says whether a node was refused already.
func isUnreadable(n *yaml.Node) bool { return n.Kind == yaml.AliasNode }
