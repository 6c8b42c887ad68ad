package main

import "testing"

// Tools of a developer: they start many processes, lock files and rename them.
func TestTransparentBuilds(t *testing.T) {
	for _, w := range []workload{
		{script: "git", programs: []string{"git"}},
		{script: "make", programs: []string{"make", "gcc", "ar", "strip"}},
		{script: "venv", programs: []string{"/usr/bin/python3"}},
		{script: "go", args: []string{"build"}, programs: []string{"go"}},
	} {
		if !stress() && w.script != "git" {
			// Who it is makes little difference here, and each takes long.
			w.as = []runAs{userNobody}
		}
		demandTransparent(t, w)
	}
	if stress() {
		demandTransparent(t, workload{script: "go", args: []string{"test"}, programs: []string{"go"}})
	}
}
