package main

import (
	"context"
	"path/filepath"
)

// gatePolicy is the variant under a policy file that is made for such work.
const gatePolicy = gate + ", its policy"

// hidden is a rule that hides some files below a directory. No file is called so: the
// work gets done, but every path has to be looked at.
func hidden(tree string) string { return "read,list,write:" + tree + "/**/.env" }

const workEnforceText = `
Nothing called .env in its tree may be read, listed or written. So each open is
decided and performed by Turnstile, wherever the file is. strace only looks at the
opens. "Its policy" is the ready one for such work, where there is one: there what
Landlock grants is left to the kernel, and programs that are executed are judged.`

// enforced compares whole runs under enforce with bare ones; the limit is the budget,
// as a ratio, or 0 where there is none.
func enforced(of maker, limit float64) func(context.Context, *bench) error {
	return func(ctx context.Context, b *bench) error {
		w, err := of(ctx, b)
		if err != nil {
			return err
		}
		w.name, w.rounds = "enforce-"+w.name, min(w.rounds, 5)
		variants := []variant[effect]{
			b.workVariant(bare, w, nil),
			b.workVariant(gate, w, b.enforce(hidden(w.tree))),
		}
		if w.policy != "" {
			variants = append(variants, b.workVariant(gatePolicy, w, []string{b.path("turnstile"), "enforce", "-q", "-p", filepath.Join(b.root, w.policy), "--"}))
		}
		if b.peers["strace"] {
			v := b.workVariant(straceOpens, w, peerLine(straceOpens))
			v.peer, v.rounds = true, b.roundsOf(w.straceRounds)
			variants = append(variants, v)
		}
		samples, err := b.compare(ctx, w, variants)
		if err != nil {
			return err
		}
		var budgets []budget
		if limit > 0 {
			budgets = append(budgets, atMost(limit, "×", 2, ratios(samples[gate], samples[bare], wall),
				w.title+", `enforce`, one deny glob in its tree", bare))
			if w.policy != "" {
				budgets = append(budgets, atMost(limit, "×", 2, ratios(samples[gatePolicy], samples[bare], wall),
					w.title+", `enforce -p "+w.policy+"`", bare))
			}
		}
		text := w.text + workEnforceText + workloadText
		b.page.add(section{title: w.title + " under enforce", text: text, table: workTable(variants, samples)}, budgets...)
		return nil
	}
}
