package profile

import (
	"slices"
	"strings"
)

// Pattern is a path, or many that differ in some of their names. It is no glob: formats
// differ in how they write wildcards and in how they escape what only looks like one.
type Pattern struct {
	// Base is the variable that the path starts with, if the place is not the same on
	// every machine, and At is where it was.
	Base Base
	At   string
	// Names are the names below it, or below the root.
	Names []Name
	// Tree is set if all below the path is meant too.
	Tree bool
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
func Literal(path string) Pattern {
	pieces := slices.DeleteFunc(strings.Split(path, "/"), func(name string) bool { return name == "" })
	if len(pieces) == 0 {
		return Pattern{}
	}
	// A trace may have a million paths: the names of one share their memory.
	names := make([]Name, len(pieces))
	for i := range pieces {
		names[i] = pieces[i : i+1 : i+1]
	}
	return Pattern{Names: names}
}

// IsLiteral reports whether the pattern is a single path.
func (p Pattern) IsLiteral() bool {
	if p.Tree {
		return false
	}
	for _, n := range p.Names {
		if len(n) != 1 {
			return false
		}
	}
	return true
}

// Format writes the pattern: base is the text of the base, escape writes a literal piece,
// wildcard stands for the bytes of a wildcard within a name, and tree, with its slash,
// for any number of names.
func (p Pattern) Format(base string, escape func(string) string, wildcard, tree string) string {
	var b strings.Builder
	b.WriteString(base)
	for _, n := range p.Names {
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
	return p.Format(p.At, func(s string) string { return s }, "*", "/**")
}
