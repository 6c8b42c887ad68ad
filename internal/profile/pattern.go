package profile

import (
	"cmp"
	"slices"
	"strings"
)

// Pattern is a path, or many that differ in some of their names. It is no glob: formats
// differ in how they write wildcards and in how they escape what only looks like one.
//
// A profile may have a million of them: most are one path, and share its bytes with the
// trace that they are of.
type Pattern struct {
	// Base is the variable that the path starts with, if the place is not the same on
	// every machine.
	Base Base
	// Tree is set if all below the path is meant too.
	Tree bool
	// At is where the base was.
	At string
	// path is the names before the first one with a wildcard, each with a slash before it.
	path string
	// wide are the names from there on.
	wide []Name
}

// Base is a directory that is somewhere else for another user or run.
type Base uint8

// The bases.
const (
	Root Base = iota // the path is absolute
	Home             // the home directory of the user
	CWD              // the working directory of the command
	Tmp              // the directory for temporary files
)

// Name is one name of a path: literal pieces, and between each two of them a wildcard for
// any bytes. {"libc.so"} is that name, {"tmp.", ""} is all that begin with "tmp.", and
// {"", ""} is every name. In what is [Closed] alone, {} is any number of names.
type Name []string

// Literal is the pattern of one absolute path, as the kernel writes paths.
func Literal(path string) Pattern { return LiteralBelow(Root, "", path) }

// LiteralBelow is the pattern of one path below a base that was at a place.
func LiteralBelow(base Base, at, path string) Pattern {
	if path != "" && (path[0] != '/' || path[len(path)-1] == '/' || strings.Contains(path, "//")) {
		names := slices.DeleteFunc(strings.Split(path, "/"), func(name string) bool { return name == "" })
		path = ""
		if len(names) > 0 {
			path = "/" + strings.Join(names, "/")
		}
	}
	return Pattern{Base: base, At: at, path: path}
}

// With is the pattern with more names behind those that it has.
func (p Pattern) With(names ...Name) Pattern {
	for i, n := range names {
		if len(p.wide) > 0 || len(n) != 1 {
			p.wide = slices.Concat(p.wide, names[i:])
			return p
		}
		p.path += "/" + n[0]
	}
	return p
}

// Names are the names below the base, or below the root.
func (p Pattern) Names() []Name {
	if p.path == "" {
		return p.wide
	}
	pieces := strings.Split(p.path[1:], "/")
	names := make([]Name, len(pieces), len(pieces)+len(p.wide))
	for i := range pieces {
		names[i] = pieces[i : i+1 : i+1]
	}
	return append(names, p.wide...)
}

// IsBase reports whether the pattern has no names: it is its base, or the root.
func (p Pattern) IsBase() bool { return p.path == "" && len(p.wide) == 0 }

// First is the first name, "" if there is none or it has a wildcard.
func (p Pattern) First() string {
	if p.path == "" {
		return ""
	}
	first, _, _ := strings.Cut(p.path[1:], "/")
	return first
}

// IsLiteral reports whether the pattern is a single path.
func (p Pattern) IsLiteral() bool { return !p.Tree && len(p.wide) == 0 }

// Fixed is the directory above the first wildcard, or the path if it has none.
func (p Pattern) Fixed() Pattern {
	p.Tree, p.wide = false, nil
	return p
}

// Parent is the directory that the pattern is in, or the base.
func (p Pattern) Parent() Pattern {
	p.Tree = false
	if n := len(p.wide); n > 0 {
		p.wide = p.wide[:n-1]
	} else {
		p.path = p.path[:max(strings.LastIndexByte(p.path, '/'), 0)]
	}
	return p
}

// Format writes the pattern: base is the text of the base, escape writes a literal piece,
// wildcard stands for the bytes of a wildcard within a name, and tree, with its slash,
// for any number of names.
func (p Pattern) Format(base string, escape func(string) string, wildcard, tree string) string {
	var b strings.Builder
	b.Grow(len(base) + len(p.path))
	b.WriteString(base)
	for rest, more := strings.CutPrefix(p.path, "/"); more; {
		var name string
		name, rest, more = strings.Cut(rest, "/")
		b.WriteByte('/')
		b.WriteString(escape(name))
	}
	for _, n := range p.wide {
		if len(n) == 0 {
			b.WriteString(tree)
			continue
		}
		b.WriteByte('/')
		for i, piece := range n {
			if i > 0 {
				b.WriteString(wildcard)
			}
			b.WriteString(escape(piece))
		}
	}
	if p.Tree {
		b.WriteString(tree)
	}
	if b.Len() == 0 {
		return "/"
	}
	return b.String()
}

// String is the pattern as people write globs, with nothing escaped and the base where it
// was: for messages and for sorting.
func (p Pattern) String() string {
	if p.IsLiteral() {
		return cmp.Or(p.At+p.path, "/")
	}
	return p.Format(p.At, func(s string) string { return s }, "*", "/**")
}
