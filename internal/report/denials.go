package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/policy"
	"github.com/turnstile-project/turnstile/internal/quote"
)

// Denials is the [event.Sink] that counts what was denied, for the end of a run. Its
// memory is bounded.
type Denials struct {
	total  uint64
	counts map[denial]uint64
	more   uint64 // beyond maxDenials
}

// maxDenials is how many kinds of denials are told apart.
const maxDenials = 10_000

type denial struct {
	classes event.Class
	// object is a path, or the text of an address.
	object string
	rule   string
	// glob is the object in a rule that would allow it, "" if there is none.
	glob string
}

// NewDenials returns an empty Denials.
func NewDenials() *Denials { return &Denials{counts: make(map[denial]uint64)} }

// Event implements [event.Sink].
func (d *Denials) Event(e *event.Event) {
	if e.Verdict.Kind != event.VerdictDeny {
		return
	}
	d.total++
	key := denialOf(e)
	if _, known := d.counts[key]; !known && len(d.counts) == maxDenials {
		d.more++
		return
	}
	d.counts[key]++
}

func denialOf(e *event.Event) denial {
	if n := len(e.Access.Targets); n > 0 {
		t := &e.Access.Targets[n-1] // the last one judged is the one that was denied
		return denial{t.Class, string(t.Path), e.Verdict.By, policy.Quote(string(t.Path))}
	}
	k := denial{classes: event.Connect, rule: e.Verdict.By}
	if e.Access.Op == event.OpBind || e.Access.Op == event.OpListen {
		k.classes = event.Bind
	}
	a := policy.AddressOf(&e.Access.Socket)
	k.object = a.String()
	if a.Named() {
		k.glob = k.object
	}
	return k
}

// Tally implements [event.Sink].
func (d *Denials) Tally(*event.Tally) {}

// Flush implements [event.Sink].
func (d *Denials) Flush() {}

// Print says what was denied, how often, by whom, and which rule would allow it.
func (d *Denials) Print(w io.Writer, o SummaryOptions) error {
	if d.total == 0 {
		return nil
	}
	var b strings.Builder
	style := style{o.Colour}
	fmt.Fprintf(&b, "turnstile: %s %s\n", style.red("denied"), plural(d.total, "access", "accesses"))
	keys := make([]denial, 0, len(d.counts))
	for key := range d.counts {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(x, y denial) int {
		return cmp.Or(cmp.Compare(d.counts[y], d.counts[x]), strings.Compare(x.object, y.object), cmp.Compare(x.classes, y.classes), strings.Compare(x.rule, y.rule))
	})
	for i, key := range keys {
		if o.Rows > 0 && i == o.Rows {
			fmt.Fprintf(&b, "  and %d more (--log writes them all)\n", uint64(len(keys)-i)+d.more)
			break
		}
		times := ""
		if n := d.counts[key]; n > 1 {
			times = fmt.Sprintf(", %d times", n)
		}
		fmt.Fprintf(&b, "  %s %s%s: %s\n", style.bold(key.classes.String()), quote.Always(key.object), times, style.dim(key.reason()))
	}
	if d.more > 0 && (o.Rows == 0 || len(keys) <= o.Rows) {
		fmt.Fprintf(&b, "  and %d more (--log writes them all)\n", d.more)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// isInFile says whether a rule is one of a policy file, which is named FILE:LINE. Only a deny
// of a file denies in its own name.
func isInFile(rule string) bool {
	i := strings.LastIndexByte(rule, ':')
	_, err := strconv.Atoi(rule[i+1:])
	return i > 0 && err == nil
}

// reason says who denied and what would have to be said to allow it.
func (k denial) reason() string {
	if strings.HasPrefix(k.rule, "turnstile") {
		return "by " + quote.Line(k.rule)
	}
	if strings.HasPrefix(k.rule, "--deny ") || isInFile(k.rule) && !strings.HasPrefix(k.object, "/") {
		return "by " + quote.Line(k.rule) + ", which no other rule overrides"
	}
	if isInFile(k.rule) {
		return fmt.Sprintf("by %s, which no other rule overrides; except: [%s] there would allow it", quote.Line(k.rule), strconv.Quote(k.glob))
	}
	if k.glob == "" {
		return "by " + quote.Line(k.rule) + "; no rule names such addresses"
	}
	return fmt.Sprintf("by %s; --allow %s would allow it", quote.Line(k.rule), quote.Shell(k.classes.String()+":"+k.glob))
}
