// Package ask puts to the user what the policy leaves to the user.
//
// A [Question] is one access that waits. A [Desk] is what calls come to: it lets
// them through to an [Asker] one at a time, joins those that want the same, and
// remembers what the user said for the rest of the run. [NewTerminal] makes the
// Asker that asks on the terminal, or where there is none the one that denies.
//
// The package never judges and never allows by itself: without an answer that a
// user gave to that access, whether now or for the run, it is denied. It writes
// to nothing but the terminal.
//
// What it cannot do: a target that shares the terminal may write there too, and
// may read a key that was meant for us. It cannot press one, as long as it is
// kept from TIOCSTI and TIOCLINUX; what it can have the terminal send, which are
// the answers to its own queries, is no answer here (see keyboard.go).
//
// Start reading at question.go, then desk.go and terminal.go.
package ask
