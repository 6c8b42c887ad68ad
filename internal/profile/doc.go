// Package profile makes of what a program did what it is allowed: system calls of each
// ABI with what stands for their arguments, files as patterns, sockets.
//
// A [Profile] is in no format: package emit writes it for those who enforce it, each in
// their own words. Whatever is in it beyond what was seen has a name ([Call.From]), and
// what is wider than what was seen is told ([Profile.Notes]).
//
// The package is pure: it reads no file and knows nothing of the machine that it runs on.
// Start reading at [New].
package profile
