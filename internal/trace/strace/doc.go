// Package strace reads the logs of strace(1), with the options that people use, as a
// trace.
//
// A log is a source like any other: its lines become events and tallies, and a
// [trace.Recorder] makes the document. What a log does not tell is counted in the
// document's losses and never guessed; docs/formats.md says what that is. The package
// reads nothing but the log. Start reading at [Read].
package strace

//go:generate go run ./gen
