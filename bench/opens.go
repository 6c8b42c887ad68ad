package main

import (
	"context"
	"slices"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

const opensText = `A program opens a file for reading and closes it, and times each pair of calls by
itself, reading the clock included. One directory beside the file may not be read.
So Turnstile gets every open, reads the path, decides, opens the file itself and gives
the descriptor to the program. strace is told of every open and only looks. The
boxes of bubblewrap and firejail decide nothing at an open: what they hide is not
there.

"Through a link" is a path with a symbolic link to a directory in it, whose target
Turnstile has to find out before it decides. A denied open has EACCES as its result; it
is compared with an open of a file that does not exist. The ratios are those of the
means, and take in every delay. Nobody tells the scheduler on which CPU to run the
program and who answers it: waking another CPU can cost more than all the rest.`

// openSetting is how files are opened.
type openSetting struct {
	name, title, text string
	threads           int
	pinned            bool // all that take part are on one CPU
}

var (
	openAlone = openSetting{
		name: "enforce-open", title: "One open under enforce", threads: 1,
		text: opensText,
	}
	openPinned = openSetting{
		name: "enforce-open-pinned", title: "One open under enforce, on one CPU", threads: 1, pinned: true,
		text: "The same where there is only one CPU: with \"taskset -c\" before each command line. No\nCPU has to be woken, and nothing happens at the same time.",
	}
	openThreads = openSetting{
		name: "enforce-open-threads", title: "Opens of 4 threads under enforce", threads: 4,
		text: "The same on all CPUs by four threads at the same time.",
	}
)

// opening is a row of the table: opens of one path at the end of a command line.
type opening struct {
	name string
	// reference is the bare row of the same path, and strace the one of strace, or empty.
	reference, strace string
	line              []string
	path              string
	want              syscall.Errno
	peer              bool
}

const (
	throughLink = ", through a link"
	bareMissing = bare + ", no such file"
	gateDenied  = gate + ", denied"
)

// openings are the rows; those of peers that are not installed are missing.
func (b *bench) openings(f openFiles) []opening {
	under := b.enforce(f.rule)
	rows := []opening{
		{name: bare, reference: bare, path: f.plain},
		{name: gate, reference: bare, strace: straceOpens, line: under, path: f.plain},
	}
	for _, name := range b.gatePeers() {
		rows = append(rows, opening{name: name, reference: bare, line: peerLine(name), path: f.plain, peer: true})
	}
	rows = append(rows,
		opening{name: bare + throughLink, reference: bare + throughLink, path: f.linked},
		opening{name: gate + throughLink, reference: bare + throughLink, strace: straceOpens + throughLink, line: under, path: f.linked})
	if b.peers["strace"] {
		rows = append(rows, opening{name: straceOpens + throughLink, reference: bare + throughLink, line: peerLine(straceOpens), path: f.linked, peer: true})
	}
	return append(rows,
		opening{name: bareMissing, reference: bareMissing, path: f.missing, want: syscall.ENOENT},
		opening{name: gateDenied, reference: bareMissing, line: under, path: f.secret, want: syscall.EACCES})
}

// measureOpens measures what an open costs that is performed by the gate, and one
// that is denied.
func measureOpens(o openSetting) func(context.Context, *bench) error {
	return func(ctx context.Context, b *bench) error {
		files, err := b.makeOpenFiles()
		if err != nil {
			return err
		}
		var pin []string
		if o.pinned {
			pin = []string{"taskset", "-c", strconv.Itoa(lastCPU())}
		}
		calls := b.either(10_000, 1_000) / o.threads
		rows := b.openings(files)
		var variants []variant[timing]
		for _, row := range rows {
			line := slices.Concat(pin, row.line)
			variants = append(variants, variant[timing]{name: row.name, peer: row.peer, measure: func(ctx context.Context) (timing, error) {
				return b.opens(ctx, line, row.path, row.want, o.threads, calls)
			}})
		}
		samples, err := interleave(ctx, b, o.name, b.roundsOf(9), variants)
		if err != nil {
			return err
		}
		b.page.add(section{title: o.title, text: o.text, table: openTable(rows, samples)},
			openBudgets(o.title, rows, samples)...)
		return nil
	}
}

// lastCPU is one that this process may use: the first one gets most interrupts.
func lastCPU() int {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return 0
	}
	last := 0
	for cpu := range len(set) * 64 {
		if set.IsSet(cpu) {
			last = cpu
		}
	}
	return last
}

// openTable has the microseconds of an open and the ratios of the means.
func openTable(rows []opening, samples map[string][]timing) table {
	t := table{header: []string{"", "p50, µs", "p99, µs", "mean, µs", "middle half", "× bare", "middle half", "× strace"}}
	micro := func(quantity func(timing) float64) func(timing) float64 {
		return func(t timing) float64 { return quantity(t) / 1e3 }
	}
	for _, row := range rows {
		s := samples[row.name]
		if len(s) == 0 {
			continue // it failed, and a note says so
		}
		means := each(s, micro(mean))
		more := ratios(s, samples[row.reference], mean)
		overStrace := "–"
		if r := ratios(s, samples[row.strace], mean); len(r) > 0 {
			overStrace = number(median(r), 2)
		}
		t.add(row.name,
			number(median(each(s, micro(func(t timing) float64 { return t.p50 }))), 1),
			number(median(each(s, micro(func(t timing) float64 { return t.p99 }))), 1),
			number(median(means), 1), spread(means, 1),
			number(median(more), 2), spread(more, 2), overStrace)
	}
	return t
}

// openBudgets judge the rows that have a row of strace beside them.
func openBudgets(title string, rows []opening, samples map[string][]timing) []budget {
	var budgets []budget
	for _, row := range rows {
		r := ratios(samples[row.name], samples[row.strace], mean)
		if len(r) == 0 {
			continue
		}
		limit, path := 0.7, "plain path"
		if row.name != gate {
			limit, path = 1.1, "path with a link"
		}
		budgets = append(budgets, atMost(limit, "×", 2, r, title+", "+path, "strace --seccomp-bpf"))
	}
	return budgets
}
