package main

import "context"

const sendsText = `Two calls: sendmsg(2) on a connected socket, and recv(2) of the same byte. The address
of sendmsg is in memory, where the filter cannot look. So where a rule is about
addresses each sendmsg goes to Turnstile, also one without an address. send(2) and
write(2) have none in their registers, and stay in the kernel.`

// measureSends measures a message on a connected socket with and without rules about
// addresses.
func measureSends(ctx context.Context, b *bench) error {
	files, err := b.makeOpenFiles()
	if err != nil {
		return err
	}
	const addressed = gate + ", a rule about addresses"
	lines := []struct {
		name string
		line []string
	}{
		{bare, nil},
		{gate, b.enforce(files.rule)},
		{addressed, b.enforce("connect:udp:192.0.2.1")}, // TEST-NET-1, RFC 5737
	}
	var variants []variant[float64]
	for _, l := range lines {
		variants = append(variants, variant[float64]{name: l.name, measure: b.under(l.line, effort{"message", b.either(10_000, 1_000), b.either(10, 3)})})
	}
	samples, err := interleave(ctx, b, "enforce-sends", b.roundsOf(7), variants)
	if err != nil {
		return err
	}
	t := table{header: []string{"", "ns", "middle half", "× bare", "middle half"}}
	for _, l := range lines {
		over := ratios(samples[l.name], samples[bare], ns)
		t.add(l.name, number(median(samples[l.name]), 0), spread(samples[l.name], 0), number(median(over), 2), spread(over, 2))
	}
	b.page.add(section{title: "Messages on connected sockets", text: sendsText, table: t})
	return nil
}
