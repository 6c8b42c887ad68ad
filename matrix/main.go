// Command matrix runs the tests of the kernel side on the kernels that Turnstile
// is made for: Debian's, each in a virtual machine of its own.
//
//	go run ./matrix [-k REGEXP] [-run REGEXP] [-j N] [-record]
//
// A row of the matrix (rows.go) is a kernel. workshop.go makes a machine of it: its
// package and the programs that the tests need come from the Debian mirror that apt on
// this machine uses (apt.go), the test binaries and the target programs are built here
// (build.go), and all of it is packed into an initial RAM disk (image.go). QEMU boots it
// (machine.go). In the machine the program in guest/ is process 1: it tells what the
// kernel can do, runs the test binaries one after the other, and switches the machine
// off. What they print is read from the console (result.go).
//
// A panic, a hang or a missing result is a failure, and the console log is kept.
//
// With -record what came of whole rows goes to matrix/results.json (record.go), and
// from there to the tables of docs/kernels.md (document.go).
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
)

func main() {
	var o options
	only := flag.String("k", ".*", "run the rows whose whole name matches `REGEXP`")
	flag.StringVar(&o.tests, "run", "", "run the tests whose name matches `REGEXP`")
	flag.IntVar(&o.machines, "j", runtime.NumCPU(), "run `N` machines side by side")
	flag.BoolVar(&o.record, "record", false, "write the results to "+resultsFile+" and "+documentFile)
	flag.Parse()
	var err error
	o.rows, err = regexp.Compile("^(?:" + *only + ")$")
	if err != nil || flag.NArg() > 0 || o.machines < 1 || o.record && o.tests != "" {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, unix.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		stop()
		fmt.Fprintln(os.Stderr, "matrix:", err)
		os.Exit(1)
	}
}

type options struct {
	rows     *regexp.Regexp
	tests    string
	machines int
	record   bool
}

// run boots each row that matches, prints the table, and records the rows in which all
// is well.
func run(ctx context.Context, o options) error {
	results, err := runRows(ctx, o)
	if err != nil {
		return err
	}
	printTable(os.Stdout, results)
	well := slices.DeleteFunc(slices.Clone(results), func(r *result) bool { return !r.ok() })
	if o.record {
		err = recordAll(well, time.Now())
	}
	if len(well) < len(results) {
		err = errors.Join(err, errors.New("not all is well"))
	}
	return err
}

// runRows prepares one row after the other, since they share the cache of packages, and
// lets their machines run side by side.
func runRows(ctx context.Context, o options) ([]*result, error) {
	w, err := newWorkshop()
	if err != nil {
		return nil, err
	}
	defer w.clear()

	var results []*result
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	machines, ctx := errgroup.WithContext(ctx)
	machines.SetLimit(o.machines)
	for _, r := range rows {
		if !o.rows.MatchString(r.name) {
			continue
		}
		m, err := w.prepare(ctx, r, o.tests)
		if err != nil {
			cancel()
			return nil, errors.Join(fmt.Errorf("row %q: %w", r.name, err), machines.Wait())
		}
		res := newResult(os.Stdout, r, m.kernel.pkg, m.log)
		results = append(results, res)
		machines.Go(func() error { return m.boot(ctx, res) })
	}
	if len(results) == 0 {
		return nil, fmt.Errorf("no row matches %q; there are: %s", o.rows, rowNames())
	}
	return results, machines.Wait()
}
