package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
)

// options are the flags.
type options struct {
	rounds  int
	quick   bool
	only    *regexp.Regexp
	partial bool // the result would not be the whole document
	output  string
}

// experiment measures variants of one thing and puts a section into the document.
type experiment struct {
	name string
	run  func(context.Context, *bench) error
}

var experiments = []experiment{
	{"calls", measureCalls},
	{"bystanders", measureBystanders},
	{"find", observed(makeFind, 1.5)},
	{"go-build", observed(makeGoBuild, 1.10)},
	{"git-log", observed(makeGitLog, 1.10)},
	{"fork-script", observed(makeForkScript, 1.3)},
	{"stream", measureStream},
	{"start", measureStart},
	{"memory", measureMemory},
	{"million", measureMillion},
	{openAlone.name, measureOpens(openAlone)},
	{openPinned.name, measureOpens(openPinned)},
	{openThreads.name, measureOpens(openThreads)},
	{"enforce-open-granted", measureGranted},
	{"enforce-unmentioned", measureUnmentioned},
	{"enforce-sends", measureSends},
	{"enforce-find", enforced(makeFind, 0)},
	{"enforce-go-build", enforced(makeGoBuild, 1.15)},
	{"enforce-git-log", enforced(makeGitLog, 0)},
	{"enforce-fork-script", enforced(makeForkScript, 0)},
	{"enforce-c-build", enforced(makeCBuild, 0)},
	{"enforce-start", measureEnforceStart},
	{"enforce-memory", measureEnforceMemory},
}

func names() string {
	var all []string
	for _, e := range experiments {
		all = append(all, e.name)
	}
	return strings.Join(all, ", ")
}

// measure runs the experiments and writes down what they found.
func measure(ctx context.Context, o options) error {
	if os.Geteuid() != 0 {
		return errors.New("measuring needs root, to attach eBPF programs")
	}
	b, err := newBench(ctx, o)
	if err != nil {
		return err
	}
	defer b.close()
	ran := 0
	for _, e := range experiments {
		if !o.only.MatchString(e.name) {
			continue
		}
		ran++
		if err := e.run(ctx, b); err != nil {
			return fmt.Errorf("measuring %q: %w", e.name, err)
		}
	}
	if ran == 0 {
		return fmt.Errorf("no experiment matches %q; there are: %s", o.only, names())
	}
	if err := b.finishNotes(); err != nil {
		return err
	}
	fmt.Print("\n", b.page.summary())
	if o.output == "" && o.partial {
		return nil
	}
	return b.writeDocument()
}
