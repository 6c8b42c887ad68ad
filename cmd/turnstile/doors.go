package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/turnstile-project/turnstile/internal/policy"
)

// tellOpen says before everything, and whatever is to be quiet, what is not held because the
// policy has opened side doors.
func tellOpen(w io.Writer, open policy.Door) {
	for _, door := range open.Doors() {
		fmt.Fprintf(w, "turnstile: NOT ENFORCED: %s (%s is open)\n", door.Bypasses(), door)
	}
}

// doorList are the side doors, one a line.
func doorList() string {
	var b strings.Builder
	for _, door := range policy.AllDoors.Doors() {
		fmt.Fprintf(&b, "   %-16s %s\n", door, door.What())
	}
	return b.String()
}

// completeEnforce answers the scripts of completion: the side doors behind --open, and else
// the flags.
func completeEnforce(c *cli.Context) {
	// The last argument says that this is asked.
	if asked := len(os.Args) - 2; asked > 0 && os.Args[asked] == "--open" {
		fmt.Fprintln(c.App.Writer, strings.Join(policy.AllDoors.Names(), "\n"))
		return
	}
	cli.DefaultCompleteWithFlags(c.Command)(c)
}
