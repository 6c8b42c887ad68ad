// Package collapse makes of files that were seen patterns that fit the next run too: other
// users, directories, temporary names, versions and hashes, and directories of which many
// files were used.
//
// What is sensitive is never in a pattern by accident. Below keys, profiles of shells and
// the like names stay as they were seen, and no directory above them is allowed as a whole.
// What can be anywhere, such as hooks of git, is closed beside a tree that would have it.
// Everything that is wider than what was seen is told.
//
// The package is pure: where home is and the like is passed in. Start reading at [Of].
package collapse
