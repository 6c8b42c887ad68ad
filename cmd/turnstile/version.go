package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/urfave/cli/v2"
)

// release is set by the linker for a release build.
var release = ""

// version is the release, or the module's version, or the commit.
func version() string {
	if release != "" {
		return release
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return "devel-" + s.Value[:min(12, len(s.Value))]
		}
	}
	return "devel"
}

func versionCommand() *cli.Command {
	return &cli.Command{
		Name:  "version",
		Usage: "print the version",
		Flags: []cli.Flag{&cli.BoolFlag{Name: "json", Usage: "print it as one JSON object"}},
		Action: func(c *cli.Context) error {
			if c.NArg() > 0 {
				return usagef("%q takes no arguments", "version")
			}
			if c.Bool("json") {
				return json.NewEncoder(c.App.Writer).Encode(map[string]string{
					"version": version(), "go": runtime.Version(), "arch": runtime.GOARCH,
				})
			}
			_, err := fmt.Fprintf(c.App.Writer, "turnstile %s (%s, %s)\n", version(), runtime.Version(), runtime.GOARCH)
			return err
		},
	}
}
