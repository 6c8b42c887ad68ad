package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"
)

// company is what else the machine did, from the start of the session.
type company struct {
	began       time.Time
	busy, steal time.Duration // of all CPUs
}

// disturbance is why a measurement that begins now would be wrong: bare is not bare
// while somebody else's programs are attached.
func disturbance() (string, error) {
	if s := setting("kernel/bpf_stats_enabled"); s != "0" {
		return "kernel.bpf_stats_enabled was " + s, nil
	}
	hooks, err := attachedHooks()
	if err != nil || len(hooks) == 0 {
		return "", err
	}
	return "somebody else's eBPF programs were attached to " + strings.Join(hooks, ", "), nil
}

// finishNotes notes the load of others.
func (b *bench) finishNotes() error {
	end, err := readLoad()
	if err != nil {
		return err
	}
	own, err := ownTime()
	if err != nil {
		return err
	}
	all := end.began.Sub(b.load.began) * time.Duration(runtime.NumCPU())
	share := func(d time.Duration) float64 { return 100 * max(0, float64(d)) / float64(all) }
	b.page.note("Meanwhile processes that are no part of it used %.0f %% of the CPU time of the machine, and the hypervisor took %.0f %%. The session took %v.",
		share(end.busy-b.load.busy-own), share(end.steal-b.load.steal), end.began.Sub(b.load.began).Round(time.Second))
	return nil
}

// attachedHooks are the tracepoints of system calls and processes that have an
// eBPF program already.
func attachedHooks() ([]string, error) {
	var hooks []string
	it := new(link.Iterator)
	defer it.Close()
	for it.Next() {
		info, err := it.Link.Info()
		if err != nil {
			return nil, fmt.Errorf("asking about eBPF link %d: %w", it.ID, err)
		}
		if tp := info.RawTracepoint(); tp != nil {
			hooks = append(hooks, tp.Name)
		}
	}
	if err := it.Err(); err != nil {
		return nil, fmt.Errorf("listing eBPF links: %w", err)
	}
	slices.Sort(hooks)
	return slices.Compact(hooks), nil
}

// readLoad reads the first line of /proc/stat (proc_stat(5)): user, nice, system,
// idle, iowait, irq, softirq, steal, in ticks of 10 ms.
func readLoad() (company, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return company{}, fmt.Errorf("reading CPU times: %w", err)
	}
	var t [8]int64
	_, err = fmt.Sscanf(string(text), "cpu %d %d %d %d %d %d %d %d", &t[0], &t[1], &t[2], &t[3], &t[4], &t[5], &t[6], &t[7])
	if err != nil {
		return company{}, fmt.Errorf("parsing CPU times: %w", err)
	}
	const tick = 10 * time.Millisecond
	return company{
		began: time.Now(),
		busy:  time.Duration(t[0]+t[1]+t[2]+t[5]+t[6]) * tick,
		steal: time.Duration(t[7]) * tick,
	}, nil
}

// ownTime is the CPU time of this process and of all that it waited for.
func ownTime() (time.Duration, error) {
	var self, children unix.Rusage
	if err := errors.Join(unix.Getrusage(unix.RUSAGE_SELF, &self), unix.Getrusage(unix.RUSAGE_CHILDREN, &children)); err != nil {
		return 0, fmt.Errorf("asking for the CPU time used: %w", err)
	}
	var sum int64
	for _, t := range []unix.Timeval{self.Utime, self.Stime, children.Utime, children.Stime} {
		sum += t.Nano()
	}
	return time.Duration(sum), nil
}
