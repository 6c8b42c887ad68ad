package lang

import _ "embed"

// Schema is the language as a JSON Schema (2020-12), for editors. It says less than
// [Parse]: variables, globs and addresses are only looked at, not read.
//
//go:embed schema.json
var Schema []byte
