// Package report shows what was seen to people and to programs: live lines, JSON
// lines, the summary at the end of a run, and what doctor found.
//
// Strings that come from a target are quoted before they reach a terminal; the
// target must not be able to move the cursor or to forge a line.
package report
