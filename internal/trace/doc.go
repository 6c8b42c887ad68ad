// Package trace is the document that a run leaves behind: what was touched, by
// whom, how often, and what may be missing.
//
// A [Recorder] is the [event.Sink] that aggregates events and tallies into a
// [Document] of bounded size; [Encode] and [Decode] are its JSON form, which
// docs/formats.md describes.
package trace
