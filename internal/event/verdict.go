package event

import "time"

// Verdict is what a gate decided about an access. Sources that only watch
// leave it at VerdictNone.
type Verdict struct {
	Kind VerdictKind
	// Errno that a denied call gets.
	Errno Errno
	// By names who decided: a rule as "file:line", "user" or "default".
	By string
	// Took is how long the call waited for its answer.
	Took time.Duration
}

// VerdictKind is the decision itself.
type VerdictKind uint8

// The decisions.
const (
	VerdictNone VerdictKind = iota
	VerdictAllow
	VerdictDeny
	VerdictAsk
	VerdictKill
)

var verdictNames = [...]string{"none", "allow", "deny", "ask", "kill"}

func (k VerdictKind) String() string { return name(verdictNames[:], int(k)) }
