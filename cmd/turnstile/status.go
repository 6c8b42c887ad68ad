package main

import (
	"fmt"
	"os"
	"time"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/observe"
)

// statusLine is the [event.Sink] that shows on a terminal that a watch goes on.
type statusLine struct {
	f        *os.File
	observer *observe.Observer
	started  time.Time
	shown    time.Time
	events   uint64
	visible  bool
}

func newStatusLine(f *os.File, o *observe.Observer) *statusLine {
	return &statusLine{f: f, observer: o, started: time.Now()}
}

// Event implements [event.Sink].
func (l *statusLine) Event(*event.Event) {
	l.events++
	l.clear()
}

// Tally implements [event.Sink].
func (l *statusLine) Tally(*event.Tally) {}

// Flush implements [event.Sink].
func (l *statusLine) Flush() {
	now := time.Now()
	if l.visible && now.Sub(l.shown) < time.Second {
		return
	}
	l.shown = now
	l.visible = true
	fmt.Fprintf(l.f, "\r\x1b[Kturnstile: watching for %v, threads: %d, events: %d; Ctrl-C ends the watch",
		now.Sub(l.started).Round(time.Second), l.observer.Threads(), l.events)
}

// clear removes the line before something else is printed.
func (l *statusLine) clear() {
	if l.visible {
		l.visible = false
		fmt.Fprint(l.f, "\r\x1b[K")
	}
}
