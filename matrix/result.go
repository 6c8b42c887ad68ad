package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/turnstile-project/turnstile/internal/kernel"
	"github.com/turnstile-project/turnstile/matrix/plan"
)

// result is what a machine said on its console.
type result struct {
	out              io.Writer // what happens, while it does
	row              row
	kernel           string
	log              string
	features         map[kernel.ID]string
	passed           int
	failed           []string
	skipped          map[string][]string // tests by reason
	problems         []string            // with the machine itself
	reason           string              // of the skip that is about to come
	pkg              string
	begun, ended     int
	done             bool
	started, stopped time.Time
}

func newResult(out io.Writer, r row, kernel, log string) *result {
	return &result{out: out, row: r, kernel: kernel, log: log, skipped: map[string][]string{}}
}

// say prints a line about this row.
func (r *result) say(format string, args ...any) {
	fmt.Fprintf(r.out, "%-10s %s\n", r.row.name, fmt.Sprintf(format, args...))
}

var (
	outcome = regexp.MustCompile(`^\s*--- (PASS|FAIL|SKIP): (\S+) \(`)
	skipped = regexp.MustCompile(`^\s+\S+\.go:\d+: SKIPPED: (.*)`)
	panics  = regexp.MustCompile(`Kernel panic|Oops:|BUG: |WARNING: CPU|general protection fault`)
)

// read takes in a line of the console.
func (r *result) read(line string) {
	if _, said, found := strings.Cut(line, plan.Mark); found {
		r.mark(said)
		return
	}
	if panics.MatchString(line) {
		r.problem("%s", strings.TrimSpace(line))
	}
	if m := skipped.FindStringSubmatch(line); m != nil {
		r.reason = m[1]
		return
	}
	m := outcome.FindStringSubmatch(line)
	if m == nil {
		return
	}
	switch test := r.pkg + "." + m[2]; m[1] {
	case "PASS":
		r.passed++
		if !strings.HasPrefix(line, " ") { // not a part of a test
			r.say("ok   %s", test)
		}
	case "FAIL":
		r.failed = append(r.failed, test)
		r.say("FAIL %s", test)
	case "SKIP":
		r.skipped[r.reason] = append(r.skipped[r.reason], test)
		r.reason = ""
	}
}

// mark takes in a line of the machine's process 1.
func (r *result) mark(line string) {
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "begin":
		if r.begun == 0 {
			r.started = time.Now()
		}
		r.begun++
		r.pkg = rest
		r.say("%s", rest)
	case "features":
		if err := json.Unmarshal([]byte(rest), &r.features); err != nil {
			r.problem("reading what the kernel can do: %v", err)
		}
	case "end":
		r.ended++
		if pkg, status, _ := strings.Cut(rest, " "); status != "0" {
			r.problem("%s ended with %s", pkg, status)
		}
	case "done":
		r.done = true
		r.stopped = time.Now()
	default:
		r.problem("%s", line)
	}
}

func (r *result) problem(format string, args ...any) {
	p := fmt.Sprintf(format, args...)
	r.problems = append(r.problems, p)
	r.say("%s", p)
}

// close is called when nothing more comes of that many test binaries.
func (r *result) close(suites int) {
	if !r.done || r.ended != suites {
		r.problem("%d of %d test binaries ended", r.ended, suites)
	}
	if len(r.features) == 0 {
		r.problem("it did not say what the kernel can do")
	}
	if reasonless := r.skipped[""]; reasonless != nil {
		r.problem("skipped without a reason: %s", strings.Join(reasonless, ", "))
	}
}

func (r *result) ok() bool { return len(r.failed) == 0 && len(r.problems) == 0 }

// printTable prints what came of each row, and why what was skipped.
func printTable(w io.Writer, results []*result) {
	fmt.Fprintf(w, "\n| Kernel | Package | Passed | Failed | Skipped | Time |\n|---|---|---:|---:|---:|---:|\n")
	for _, r := range results {
		took := "–"
		if r.done {
			took = r.stopped.Sub(r.started).Round(time.Second).String()
		}
		fmt.Fprintf(w, "| %s | %s | %d | %d | %d | %s |\n", r.row.name, r.kernel, r.passed, len(r.failed), count(r.skipped), took)
	}
	for _, r := range results {
		for _, reason := range slices.Sorted(maps.Keys(r.skipped)) {
			fmt.Fprintf(w, "\n%s skipped %s: %s\n", r.row.name, strings.Join(r.skipped[reason], ", "), reason)
		}
		if !r.ok() {
			fmt.Fprintf(w, "\n%s failed: %s\nconsole: %s\n", r.row.name, strings.Join(slices.Concat(r.failed, r.problems), "; "), r.log)
		}
	}
}

// count is how many tests there are for all reasons.
func count(skipped map[string][]string) int {
	n := 0
	for _, tests := range skipped {
		n += len(tests)
	}
	return n
}
