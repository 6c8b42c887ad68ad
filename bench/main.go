// Command bench measures what it costs to be watched or gated, against the budgets of
// Turnstile, and writes docs/benchmarks.md. It runs on Linux, as root:
//
//	go run ./bench
//
// Only ratios between runs of one session are worth comparing: machines differ,
// and so do hours of one machine. So each experiment is a set of variants that are
// run in turn, round after round (interleave.go), and what is reported is the
// median over the rounds of the ratio within a round (stats.go).
//
// Start reading at [experiments].
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"

	"golang.org/x/sys/unix"
)

func main() {
	var o options
	only := flag.String("only", "", "run the experiments whose name matches `REGEXP`, and write no document without -o")
	flag.IntVar(&o.rounds, "rounds", 0, "run `N` rounds of every experiment (default: as many as each needs)")
	flag.BoolVar(&o.quick, "quick", false, "few rounds of small loads: a test of the harness; write no document without -o")
	flag.StringVar(&o.output, "o", "", "write the document to `FILE` (default docs/benchmarks.md)")
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), "usage: go run ./bench [FLAG...]\n\n")
		flag.PrintDefaults()
		fmt.Fprintf(flag.CommandLine.Output(), "\nexperiments: %s\n(-only enforce: those of the gate; -only '^(find|start)$': just these two)\n", names())
	}
	flag.Parse()
	var err error
	if o.only, err = regexp.Compile(*only); err != nil || flag.NArg() > 0 || o.rounds < 0 {
		flag.Usage()
		os.Exit(2)
	}
	o.partial = o.quick || *only != ""

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, unix.SIGTERM, unix.SIGHUP)
	err = measure(ctx, o)
	if ctx.Err() != nil {
		err = errors.New("interrupted")
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
