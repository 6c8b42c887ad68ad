package main

import "context"

const callsText = `A program makes one of the cheapest calls, getppid(2), in a tight loop, and times
itself: the start of a tracer does not count. A sample is the best of 50
repetitions of 20,000 calls (10 of 1,000 for tracers that stop the target; the best
ones are those where tracer and target happened to share a CPU). An empty program
returns at once: it is what being attached to a tracepoint costs.`

// measureCalls measures what one system call costs under each tracer.
func measureCalls(ctx context.Context, b *bench) error {
	const askPids, reads = "8 calls of bpf_get_current_pid_tgid on sys_enter", "8 calls of bpf_probe_read_kernel on sys_enter"
	e := b.loopEffort("getppid")
	observed := func(flags ...string) nanoseconds { return b.under(b.observe(flags), e) }
	variants := append([]variant[float64]{
		{name: bare, measure: b.direct(e)},
		{name: emptyEnter, measure: b.attached(returnAtOnce(), e, "sys_enter")},
		{name: profile, measure: observed()},
		{name: askPids, measure: b.attached(askPid(), e, "sys_enter")},
		{name: reads, measure: b.attached(readKernel(), e, "sys_enter")},
		{name: emptyBoth, measure: b.attached(returnAtOnce(), e, "sys_enter", "sys_exit")},
		{name: withErrors, measure: observed("--errors")},
		{name: withFiles, measure: observed("--files")},
		{name: withAll, measure: observed("--all")},
	}, b.peerVariants(e)...)
	samples, err := interleave(ctx, b, "calls", b.roundsOf(15), variants)
	if err != nil {
		return err
	}
	price := func(name string) string {
		return number(median(differences(samples[name], samples[emptyEnter], ns))/helperCalls, 1)
	}
	b.page.note("A helper function costs an eBPF program here, for each call: bpf_get_current_pid_tgid %s ns, bpf_probe_read_kernel %s ns.", price(askPids), price(reads))
	budgets := []budget{
		atMost(1.15, "×", 2, ratios(samples[profile], samples[emptyEnter], ns), "a call under `observe`", emptyEnter),
		atMost(1.25, "×", 2, ratios(samples[withErrors], samples[emptyBoth], ns), "a call under `observe --errors`", emptyBoth),
	}
	if strace := samples[straceCount]; len(strace) > 0 {
		budgets = append(budgets, atLeast(100, "×", 0, addedRatios(strace, samples[profile], samples[bare]),
			"what `strace -f -c` adds to a call", "what `observe` adds"))
	}
	b.page.add(section{title: "One system call", text: callsText, table: callTable(variants, samples)}, budgets...)
	return nil
}

const bystandersText = `A process that is not watched, while turnstile watches another one: a tracepoint is
attached for the whole host. The call is getpgrp(2) here: getppid(2) with certain
arguments is how Turnstile makes itself known to its own programs, so they look
at each getppid of a bystander.`

// measureBystanders measures what one system call costs the others.
func measureBystanders(ctx context.Context, b *bench) error {
	e := b.loopEffort("getpgrp")
	variants := []variant[float64]{
		{name: bare, measure: b.direct(e)},
		{name: emptyEnter, measure: b.attached(returnAtOnce(), e, "sys_enter")},
		{name: "bystander of " + profile, measure: b.aside(e)},
		{name: emptyBoth, measure: b.attached(returnAtOnce(), e, "sys_enter", "sys_exit")},
		{name: "bystander of " + withFiles, measure: b.aside(e, "--files")},
	}
	samples, err := interleave(ctx, b, "bystanders", b.roundsOf(15), variants)
	if err != nil {
		return err
	}
	b.page.add(section{title: "One system call of a bystander", text: bystandersText, table: callTable(variants, samples)})
	return nil
}

// loopEffort is for tracers that do not stop the target.
func (b *bench) loopEffort(call string) effort { return effort{call, 20_000, b.either(50, 5)} }

// callTable has the nanoseconds of a call.
func callTable(variants []variant[float64], samples map[string][]float64) table {
	t := table{header: []string{"", "ns per call", "middle half", "× bare", "ns more than bare"}}
	for _, v := range variants {
		s := samples[v.name]
		if len(s) == 0 {
			continue // it failed, and a note says so
		}
		t.add(v.name, number(median(s), 0), spread(s, 0),
			number(median(ratios(s, samples[bare], ns)), 2),
			number(median(differences(s, samples[bare], ns)), 0))
	}
	return t
}

// addedRatios are the quotients of what two tracers add to the bare call.
func addedRatios(of, to, bare []float64) []float64 {
	return ratios(differences(of, bare, ns), differences(to, bare, ns), ns)
}
