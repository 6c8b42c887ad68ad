package main

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/turnstile-project/turnstile/internal/quote"
)

// Whoever waits longer than this is told how far it is, and then so often.
const (
	quietFor  = time.Second
	tellEvery = 100 * time.Millisecond
)

// progress reads a file, and tells on a terminal how much of it was read. What it tells is
// one line, which it takes back.
type progress struct {
	file io.Reader
	name string
	size int64 // 0 if it is not known
	read int64
	w    io.Writer
	now  func() time.Time
	next time.Time // when to tell
	told bool
}

// newProgress tells of f on w if that is a terminal.
func newProgress(f io.Reader, name string, w io.Writer) *progress {
	p := &progress{file: f, name: filepath.Base(name), w: io.Discard, now: time.Now, next: time.Now().Add(quietFor)}
	if terminal, ok := w.(*os.File); ok && isTerminal(terminal) {
		p.w = w
	}
	if s, ok := f.(interface{ Stat() (fs.FileInfo, error) }); ok {
		if info, err := s.Stat(); err == nil && info.Mode().IsRegular() {
			p.size = info.Size()
		}
	}
	return p
}

func (p *progress) Read(b []byte) (int, error) {
	n, err := p.file.Read(b)
	p.read += int64(n)
	if now := p.now(); now.After(p.next) {
		p.next, p.told = now.Add(tellEvery), true
		fmt.Fprint(p.w, eraseLine, "turnstile: reading ", p.shortName(), ": ", p.amount())
	}
	return n, err
}

// eraseLine goes to the beginning of the line of a terminal and empties it (console_codes(4)).
const eraseLine = "\r\x1b[K"

// shortName is the name, so short that the line is one on every terminal.
func (p *progress) shortName() string {
	const most = 40
	if name := quote.Word(p.name); len(name) <= most && p.name != "-" {
		return name
	}
	return "the trace"
}

func (p *progress) amount() string {
	if p.size > 0 {
		return fmt.Sprintf("%d %%", min(100, 100*p.read/p.size))
	}
	return fmt.Sprintf("%d MiB", p.read>>20)
}

// end takes back what was told.
func (p *progress) end() {
	if p.told {
		fmt.Fprint(p.w, eraseLine)
	}
}
