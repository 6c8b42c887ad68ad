// Package read reads profiles of others back, one file for each format, and says what
// each of them allows of what was seen. It takes them as their consumers do: a profile that
// runc refuses is an error here, and a name that systemd ignores is ignored, and told.
//
// The package is pure: it is given text, what there is to know of the machine
// ([Context]), and a trace. It never says that something is allowed which it cannot judge:
// such a [Finding] is [Finding.Unknown].
//
// Start reading at [Read]; a filter of system calls is judged in filter.go.
package read
