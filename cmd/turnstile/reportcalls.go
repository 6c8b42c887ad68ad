package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/policy"
	"github.com/turnstile-project/turnstile/internal/profile"
	"github.com/turnstile-project/turnstile/internal/report/emit"
	"github.com/turnstile-project/turnstile/internal/syscalls"
	"github.com/turnstile-project/turnstile/internal/systemd"
)

// alwaysCalls are the calls of --always, and those that are there unless one of the names
// is none.
func alwaysCalls(names []string) ([]string, error) {
	known := callNames()
	always := slices.Clone(profile.DefaultAlways)
	if slices.Contains(names, "none") {
		always = nil
	}
	for _, name := range names {
		switch {
		case name == "none":
		case !slices.Contains(known, name):
			return nil, usagef("--always %q is no system call%s", name, didYouMean(name, known))
		default:
			always = append(always, name)
		}
	}
	return always, nil
}

// callNames are the names of all calls of all ABIs.
func callNames() []string {
	var names []string
	for _, abi := range event.ABIs() {
		for _, nr := range syscalls.All(abi) {
			names = append(names, syscalls.Name(abi, nr))
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// checkGroups refuses sets of calls that systemd does not have, and any for other formats.
func checkGroups(groups []string, format *emit.Format) error {
	known := systemd.Groups()
	for _, g := range groups {
		if format.Name != "systemd" {
			return usagef("--groups is for the format %q; %q has names only", "systemd", format.Name)
		}
		if !slices.Contains(known, g) {
			return usagef("--groups %q is no set of systemd%s; those that are: %s", g, didYouMean(g, known), strings.Join(known, ", "))
		}
	}
	return nil
}

// didYouMean is the end of a message about a name that is not known.
func didYouMean(name string, known []string) string {
	if near := policy.Nearest(name, known); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return ""
}
