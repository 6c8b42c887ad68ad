package main

import (
	_ "embed"
	"io"

	"github.com/urfave/cli/v2"
)

// The scripts ask the binary itself (--generate-bash-completion), so they need no
// change when a flag is added.
var (
	//go:embed completion/turnstile.bash
	bashCompletion string
	//go:embed completion/turnstile.zsh
	zshCompletion string
)

func completionCommand() *cli.Command {
	return &cli.Command{
		Name:      "completion",
		Usage:     "print a script that completes Turnstile's commands and flags in a shell",
		ArgsUsage: "bash|zsh|fish",
		Description: `Examples:
   source <(turnstile completion bash)
   turnstile completion fish > ~/.config/fish/completions/turnstile.fish`,
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return usagef("name one shell: bash, zsh or fish")
			}
			var script string
			switch shell := c.Args().First(); shell {
			case "bash":
				script = bashCompletion
			case "zsh":
				script = zshCompletion
			case "fish":
				var err error
				if script, err = c.App.ToFishCompletion(); err != nil {
					return err
				}
			default:
				return usagef("no completion for %q: the shells are bash, zsh and fish", shell)
			}
			_, err := io.WriteString(c.App.Writer, script)
			return err
		},
	}
}
