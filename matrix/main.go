// Command matrix runs the tests of the kernel side on the kernels that Turnstile
// is made for: Debian's, each in a virtual machine of its own.
//
//	go run ./matrix [-k REGEXP]
//
// A row of the matrix (rows.go) is a kernel. Its package and the programs that the
// tests need come from the Debian mirror that apt on this machine uses (apt.go), the
// test binaries and the target programs are built here (build.go), all of it is
// packed into an initial RAM disk (image.go), and QEMU boots it (machine.go). In the
// machine the program in guest/ is process 1: it runs the test binaries one after
// the other and switches the machine off. What they print is read from the console
// (result.go).
//
// A panic, a hang or a missing result is a failure, and the console log is kept.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"

	"golang.org/x/sys/unix"
)

func main() {
	only := flag.String("k", ".*", "run the rows whose whole name matches `REGEXP`")
	tests := flag.String("run", "", "run the tests whose name matches `REGEXP`")
	flag.Parse()
	match, err := regexp.Compile("^(?:" + *only + ")$")
	if err != nil || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, unix.SIGTERM)
	defer stop()
	if err := run(ctx, match, *tests); err != nil {
		stop()
		fmt.Fprintln(os.Stderr, "matrix:", err)
		os.Exit(1)
	}
}

// run boots each row that matches, and prints the table.
func run(ctx context.Context, match *regexp.Regexp, tests string) error {
	cache, err := os.UserCacheDir()
	if err != nil {
		return fmt.Errorf("finding a place for the kernels: %w", err)
	}
	cache = filepath.Join(cache, "turnstile", "kernels")
	work, err := os.MkdirTemp("", "turnstile-matrix-")
	if err != nil {
		return fmt.Errorf("making a directory: %w", err)
	}
	defer func() { _ = os.RemoveAll(work) }()

	var results []result
	builds := map[string]*build{}
	for _, r := range rows {
		if !match.MatchString(r.name) {
			continue
		}
		b := builds[r.arch.deb]
		if b == nil {
			if b, err = newBuild(ctx, r.arch, filepath.Join(work, r.arch.deb)); err != nil {
				return fmt.Errorf("building for %s: %w", r.arch.deb, err)
			}
			builds[r.arch.deb] = b
		}
		res, err := runRow(ctx, r, b, cache, work, tests)
		if err != nil {
			return fmt.Errorf("row %q: %w", r.name, err)
		}
		results = append(results, res)
	}
	if len(results) == 0 {
		return fmt.Errorf("no row matches %q; there are: %s", match, rowNames())
	}
	printTable(os.Stdout, results)
	for i := range results {
		if !results[i].ok() {
			return errors.New("not all is well")
		}
	}
	return nil
}

func runRow(ctx context.Context, r row, b *build, cache, work, tests string) (result, error) {
	fmt.Printf("== %s: %s of %s\n", r.name, r.image, r.suite)
	k, err := fetchKernel(ctx, r, cache)
	if err != nil {
		return result{}, err
	}
	programs, err := fetchPrograms(ctx, r.arch, cache)
	if err != nil {
		return result{}, err
	}
	disk := filepath.Join(work, r.name+".cpio")
	if err := writeImage(ctx, disk, b, programs, tests); err != nil {
		return result{}, err
	}
	defer func() { _ = os.Remove(disk) }() // it is large
	log := filepath.Join(cache, "logs", r.name+".log")
	return boot(ctx, r, k, disk, log)
}
