package main

import (
	"testing"

	"github.com/turnstile-project/turnstile/internal/kernel"
	"github.com/turnstile-project/turnstile/internal/testenv"
)

// TestScriptEnforce runs the scripts of the command line of enforce. It needs no
// privilege.
func TestScriptEnforce(t *testing.T) {
	if err := kernel.Check(kernel.Enforce); err != nil {
		testenv.Lack(t, err.Error())
	}
	runScripts(t, "testdata/script/enforce")
}
