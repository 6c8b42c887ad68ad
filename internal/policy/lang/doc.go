// Package lang reads policy files: YAML in, rules of package policy out, or all that is
// wrong with the file, each with its line and column. docs/policy.md is the language.
//
// It opens nothing and resolves no links. Start reading at [Parse], then rules.go.
package lang
