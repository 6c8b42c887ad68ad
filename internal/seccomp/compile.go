package seccomp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"golang.org/x/net/bpf"
)

// The offsets of struct seccomp_data.
const (
	offsetNr   = 0
	offsetArch = 4
	offsetArgs = 16
)

// maxProgram is BPF_MAXINSNS, include/uapi/linux/bpf_common.h.
const maxProgram = 4096

// maxConditions of a rule keep its code, six instructions for each and one more, within the
// reach of a conditional jump.
const maxConditions = 42

// Program compiles the filter. The numbers of an ABI are searched for in a tree of
// ranges that have the same rules, so a call passes about as many instructions as the
// logarithm of their count.
func (f *Filter) Program() ([]bpf.RawInstruction, error) {
	code := block{ret(f.Other)}
	for _, arch := range f.archs() {
		tables, err := f.tablesOf(arch)
		if err != nil {
			return nil, err
		}
		code = choose(bpf.JumpEqual, arch, append(block{bpf.LoadAbsolute{Off: offsetNr, Size: 4}}, f.numbers(tables)...), code)
	}
	code = append(block{bpf.LoadAbsolute{Off: offsetArch, Size: 4}}, code...)
	if len(code) > maxProgram {
		return nil, fmt.Errorf("compiling seccomp filter: %d instructions are more than the %d that the kernel takes", len(code), maxProgram)
	}
	return bpf.Assemble(code)
}

// archs are the architectures of the tables, the last one first: it is the outermost
// choice that is made first.
func (f *Filter) archs() []uint32 {
	var archs []uint32
	for _, t := range f.Tables {
		if !slices.Contains(archs, t.ABI.Arch) {
			archs = append(archs, t.ABI.Arch)
		}
	}
	slices.Reverse(archs)
	return archs
}

// tablesOf are the tables of an architecture: one, or two if the other is for x32.
func (f *Filter) tablesOf(arch uint32) (tables []*Table, err error) {
	for i := range f.Tables {
		t := &f.Tables[i]
		if t.ABI.Arch != arch {
			continue
		}
		if slices.ContainsFunc(tables, func(u *Table) bool { return u.ABI == t.ABI }) {
			return nil, errors.New("compiling seccomp filter: two tables for one ABI")
		}
		if arch == X32.Arch && t.Limit > x32Bit {
			return nil, fmt.Errorf("compiling seccomp filter: limit %#x is in the numbers of x32", t.Limit)
		}
		for nr, rules := range t.Rules {
			if nr >= t.Limit {
				return nil, fmt.Errorf("compiling seccomp filter: call %d has rules and is not below the limit %d", nr, t.Limit)
			}
			if slices.ContainsFunc(rules, func(r Rule) bool { return len(r.Conditions) > maxConditions }) {
				return nil, fmt.Errorf("compiling seccomp filter: call %d has a rule with more than %d conditions", nr, maxConditions)
			}
		}
		tables = append(tables, t)
	}
	return tables, nil
}

// span is the numbers from first up to the next span. They have the same rules.
type span struct {
	first uint32
	rules []Rule // the last one has no conditions
}

// numbers is the code for the numbers of an architecture, with the number loaded.
func (f *Filter) numbers(tables []*Table) block {
	var spans []span
	if tables[0].ABI.Arch != X32.Arch {
		spans = tables[0].spans(0)
	} else {
		// Bit 30 alone says whether it is x32, also in numbers with bit 31.
		spans = slices.Concat(
			f.spansOf(tables, X8664, 0),
			f.spansOf(tables, X32, x32Bit),
			[]span{{2 * x32Bit, f.beyond(tables, X8664)}, {3 * x32Bit, f.beyond(tables, X32)}},
		)
	}
	return search(merge(spans))
}

// spansOf are the spans of one ABI of x86-64.
func (f *Filter) spansOf(tables []*Table, abi ABI, base uint32) []span {
	for _, t := range tables {
		if t.ABI == abi {
			return t.spans(base)
		}
	}
	return []span{{base, []Rule{{Action: f.Other}}}}
}

// beyond is what happens to the numbers of an ABI that no table can have.
func (f *Filter) beyond(tables []*Table, abi ABI) []Rule {
	for _, t := range tables {
		if t.ABI == abi {
			return []Rule{{Action: t.Unknown}}
		}
	}
	return []Rule{{Action: f.Other}}
}

// spans of a table, whose numbers begin at base.
func (t *Table) spans(base uint32) []span {
	var spans []span
	next := uint32(0)
	for _, nr := range slices.Sorted(maps.Keys(t.Rules)) {
		if nr > next {
			spans = append(spans, span{base + next, []Rule{{Action: t.Default}}})
		}
		spans = append(spans, span{base + nr, t.decided(nr)})
		next = nr + 1
	}
	if next < t.Limit {
		spans = append(spans, span{base + next, []Rule{{Action: t.Default}}})
	}
	return append(spans, span{base + t.Limit, []Rule{{Action: t.Unknown}}})
}

// decided are the rules of a number up to the first one that always holds.
func (t *Table) decided(nr uint32) []Rule {
	rules := t.Rules[nr]
	if i := slices.IndexFunc(rules, func(r Rule) bool { return len(r.Conditions) == 0 }); i >= 0 {
		return rules[:i+1]
	}
	return append(slices.Clip(rules), Rule{Action: t.Default})
}

// merge joins neighbours that have the same rules.
func merge(spans []span) []span {
	return slices.CompactFunc(spans, func(a, b span) bool { return reflect.DeepEqual(a.rules, b.rules) })
}

// search finds the span of the loaded number.
func search(spans []span) block {
	if len(spans) == 1 {
		return decide(spans[0].rules)
	}
	middle := len(spans) / 2
	return choose(bpf.JumpGreaterOrEqual, spans[middle].first, search(spans[middle:]), search(spans[:middle]))
}

// decide is the code of the rules of a number, one behind the other.
func decide(rules []Rule) block {
	var code block
	for _, r := range rules {
		held := block{ret(r.Action)}
		for _, c := range slices.Backward(r.Conditions) {
			held = c.test(held)
		}
		code = append(code, held...)
	}
	return code
}

// test goes on with what follows if the condition holds, and else behind it: half by half,
// as the machine has words of 32 bits.
func (c Condition) test(held block) block {
	for _, high := range []bool{true, false} {
		mask, value := uint32(c.Mask), uint32(c.Value)
		if high {
			mask, value = uint32(c.Mask>>32), uint32(c.Value>>32)
		}
		if mask == 0 && value == 0 {
			continue
		}
		code := block{bpf.LoadAbsolute{Off: argOffset(c.Arg, high), Size: 4}}
		if mask != ^uint32(0) {
			code = append(code, bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: mask})
		}
		code = append(code, bpf.JumpIf{Cond: bpf.JumpEqual, Val: value, SkipFalse: uint8(len(held))}) //nolint:gosec // see maxConditions
		held = append(code, held...)
	}
	return held
}

// argOffset is where half of an argument is.
func argOffset(arg uint8, high bool) uint32 {
	off := offsetArgs + 8*uint32(arg)
	if bigEndian := binary.NativeEndian.Uint16([]byte{0, 1}) == 1; high != bigEndian {
		off += 4
	}
	return off
}

// block is code that ends in a return wherever it is entered.
type block []bpf.Instruction

func ret(a Action) bpf.Instruction { return bpf.RetConstant{Val: uint32(a)} }

// choose goes on with yes if the loaded word passes a test, and else with no. The jumps
// of a test reach 255 instructions, and that of bpf.Jump any number.
func choose(test bpf.JumpTest, value uint32, yes, no block) block {
	code := block{}
	if len(yes) <= 255 {
		code = append(code, bpf.JumpIf{Cond: test, Val: value, SkipFalse: uint8(len(yes))})
	} else {
		code = append(code, bpf.JumpIf{Cond: test, Val: value, SkipTrue: 1}, bpf.Jump{Skip: uint32(len(yes))})
	}
	return append(append(code, yes...), no...)
}
