package profile

import (
	"github.com/turnstile-project/turnstile/internal/event"
)

// File is what is allowed with the files of a pattern.
type File struct {
	Pattern Pattern
	Classes event.Class
	// Code says how programs come from the files, if they do: more than the class exec.
	Code Code
	// Missing is set if nothing was there when it was looked for.
	Missing bool
}

// Code is a set of ways in which the code of a file is run.
type Code uint8

// The ways.
const (
	// Program was executed (execve(2)), or is an interpreter that a script names.
	Program Code = 1 << iota
	// Loader was mapped by the kernel to start a program: its ELF interpreter (ld.so(8)).
	Loader
	// Mapped was mapped with the right to execute, as libraries are (mmap(2)).
	Mapped
)

// Closed is what stays closed although a pattern has it: it is sensitive, and was not seen.
type Closed struct {
	// Pattern may have any number of names before the last ones: see [Name].
	Pattern Pattern
	Classes event.Class
	// Except are the patterns of files that were seen.
	Except []Pattern
	// Why it is sensitive, in a few words.
	Why string
}

// Widened is a pattern that has more than what was seen.
type Widened struct {
	Pattern Pattern
	Classes event.Class
	// Seen is how many files of it were.
	Seen int
	// Example is a file that was not seen, and is allowed now.
	Example string
}

// Paths is what is allowed with files.
type Paths struct {
	Files   []File // sorted by pattern
	Closed  []Closed
	Widened []Widened // those of which most was seen first
	// Notes are as those of a [Profile].
	Notes []string
}
