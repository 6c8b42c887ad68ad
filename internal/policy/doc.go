// Package policy says what a command may do to which path.
//
// A [Policy] is a list of rules and a default. [Policy.Decide] gives the verdict for one
// class of access to one path, and [Policy.Loosens] says whether a file would be allowed
// more under another name, which a rename or a link has to be refused for.
//
// The package is pure: it opens nothing, and what the paths mean, links among them, is
// for its callers to find out. Start reading at policy.go, then pattern.go.
package policy
