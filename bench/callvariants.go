package main

import (
	"context"
	"slices"
	"strings"

	"github.com/cilium/ebpf/asm"
)

// The names of the variants that others are compared with.
const (
	bare        = "bare"
	emptyEnter  = "empty program on sys_enter"
	emptyBoth   = "empty programs on sys_enter and sys_exit"
	profile     = "turnstile observe"
	withErrors  = "turnstile observe --errors"
	withFiles   = "turnstile observe --files"
	withAll     = "turnstile observe --all"
	straceCount = "strace -f -c"
)

// nanoseconds measures how long a call takes.
type nanoseconds = func(context.Context) (float64, error)

// direct runs the loop by itself.
func (b *bench) direct(e effort) nanoseconds { return b.under(nil, e) }

// under runs the loop at the end of a command line. Its best repetition counts: what
// else runs on the machine disturbs most repetitions, but hardly all.
func (b *bench) under(line []string, e effort) nanoseconds {
	return func(ctx context.Context) (float64, error) {
		l, _, err := b.loop(ctx, slices.Concat(line, b.loopArgv(e))...)
		return l.best, err
	}
}

// attached runs the loop while a program is attached.
func (b *bench) attached(code asm.Instructions, e effort, tracepoints ...string) nanoseconds {
	return func(ctx context.Context) (ns float64, err error) {
		err = hooked(code, func() (err error) {
			ns, err = b.direct(e)(ctx)
			return err
		}, tracepoints...)
		return ns, err
	}
}

// aside runs the loop while turnstile observes something else.
func (b *bench) aside(e effort, flags ...string) nanoseconds {
	return func(ctx context.Context) (ns float64, err error) {
		err = b.beside(ctx, b.observe(flags), []string{"true"}, func() (err error) {
			ns, err = b.direct(e)(ctx)
			return err
		})
		return ns, err
	}
}

// peerVariants run the loop under the tracers of others. Those that stop the
// target at each call get a shorter loop, and take part in a few rounds.
func (b *bench) peerVariants(fast effort) []variant[float64] {
	var variants []variant[float64]
	if b.peers["bpftrace"] {
		script := "tracepoint:raw_syscalls:sys_enter { @[comm] = count(); }"
		line := []string{"bpftrace", "-q", "-o", "/dev/null", "-e", script, "-c", strings.Join(b.loopArgv(fast), " ")}
		variants = append(variants, variant[float64]{
			name: "bpftrace, counting by comm", peer: true,
			measure: func(ctx context.Context) (float64, error) {
				l, _, err := b.loop(ctx, line...)
				return l.best, err
			},
		})
	}
	slow := effort{fast.call, 1_000, b.either(10, 2)}
	add := func(program, name string, line ...string) {
		if b.peers[program] {
			variants = append(variants, variant[float64]{name: name, peer: true, rounds: b.roundsOf(5), measure: b.under(line, slow)})
		}
	}
	add("perf", "perf trace -s", "perf", "trace", "-s", "-o", "/dev/null", "--")
	add("strace", straceCount, "strace", "-f", "-c", "-o", "/dev/null", "--")
	add("strace", strace, "strace", "-f", "-o", "/dev/null", "--")
	return variants
}
