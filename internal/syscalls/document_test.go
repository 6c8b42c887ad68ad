package syscalls

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestCallsDocument: docs/calls.md is the table that filter and decoder are made of.
// UPDATE_GOLDEN=1 writes it anew.
func TestCallsDocument(t *testing.T) {
	const file = "../../docs/calls.md"
	got := callsDocument()
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is not what the table says; UPDATE_GOLDEN=1 go test ./internal/syscalls writes it anew", file)
	}
}

func callsDocument() string {
	var b strings.Builder
	b.WriteString(`# The calls that name files

Generated from internal/syscalls/roles.go and effect.go, by a test that fails when this
page is not what they say. One table makes the decoder of every source, the filter of
enforce and this page.

*Classes* are what a call can do, in the words of a policy; rename and link give a file
a new name, and with it new verdicts in every class. *Effect* is how enforce lets a call
happen that it was asked about:

- **inject**: the gate opens the object and gives the target the descriptor.
- **perform**: the gate makes the call, on pinned objects, as the target.
- **perform+write**: and writes the result to the target's memory.
- **verify**: the kernel makes the call, since nobody else can.
- **pass**: the kernel makes the call; what it names is judged when it is used.
- **refuse**: the call goes around the gate, and fails with EPERM unless its side door is
  open (docs/threat-model.md).

A call is notified only if some rule, or the default, could say no to one of its classes.
*In registers* says what a filter can tell of a call without asking: those that fit and
that no rule could say no to never leave the kernel.

| Call | Operation | Classes | Effect | In registers |
|---|---|---|---|---|
`)
	rows := slices.Clone(roles)
	slices.SortStableFunc(rows, func(x, y Spec) int { return cmp.Compare(x.Op, y.Op) })
	for i := range rows {
		s := &rows[i]
		s.Operands = operands(s.Args)
		if s.Effect() == EffectNone {
			continue
		}
		classes := s.Classes().String()
		if strings.Count(classes, ",") == 9 {
			classes = "all"
		}
		if s.Effect() == EffectRefuse {
			classes = ""
		}
		fmt.Fprintf(&b, "| `%s` | %v | %s | %v | %s |\n", s.Name, s.Op, classes, s.Effect(), variantsText(s))
	}
	b.WriteString(`
Beside these, enforce refuses what leads past the gate without naming a file:
internal/enforce/plan/doors.go has the list.
`)
	return b.String()
}

func variantsText(s *Spec) string {
	if s.Effect() == EffectRefuse {
		return ""
	}
	var words []string
	for _, v := range s.Variants() {
		word := v.Classes.String()
		if v.Classes == 0 {
			word = "nothing"
		}
		if !slices.Contains(words, word) {
			words = append(words, word)
		}
	}
	return strings.Join(words, "; ")
}
