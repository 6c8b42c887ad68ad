package main

import (
	"fmt"
	"io"

	"github.com/turnstile-project/turnstile/internal/policy"
)

// tellOpen says before everything, and whatever is to be quiet, what is not held because the
// policy has opened side doors.
func tellOpen(w io.Writer, open policy.Door) {
	for _, door := range open.Doors() {
		fmt.Fprintf(w, "turnstile: NOT ENFORCED: %s (%s is open)\n", door.Bypasses(), door)
	}
}
