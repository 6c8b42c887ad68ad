// Command turnstile shows what a program touches, and holds it to that.
package main

import (
	"os"
)

func main() {
	os.Exit(run(os.Args, os.Stdout, os.Stderr))
}
