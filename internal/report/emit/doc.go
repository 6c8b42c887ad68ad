// Package emit writes traces and profiles in the formats of others, one file for each.
//
// A [Format] is pure: it gets what was seen and what is allowed, and writes text. What its
// consumer cannot be told is an error that names it, never left out in silence; odd names
// are escaped as the consumer reads them.
//
// Start reading at format.go; oci.go is the plainest of the formats.
package emit
