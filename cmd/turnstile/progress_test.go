package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/turnstile-project/turnstile/internal/testenv"
)

// slow reads a file in four pieces, each of which takes a while.
func slow(t *testing.T, p *progress, size int, each time.Duration) {
	t.Helper()
	now := time.Unix(0, 0)
	p.next = now.Add(quietFor)
	p.now = func() time.Time { now = now.Add(each); return now }
	if n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{p}, make([]byte, size/4)); err != nil || n != int64(size) {
		t.Fatalf("read %d bytes, error %v", n, err)
	}
	p.end()
}

func TestProgress(t *testing.T) {
	const size = 4 << 20
	for _, tt := range []struct {
		file string
		pipe bool
		each time.Duration
		want []string
	}{
		{"trace.json", false, 1100 * time.Millisecond, []string{"trace.json: 25 %", "trace.json: 50 %", "trace.json: 75 %", "trace.json: 100 %", "trace.json: 100 %"}},
		{"trace.json", true, 1100 * time.Millisecond, []string{"trace.json: 1 MiB", "trace.json: 2 MiB", "trace.json: 3 MiB", "trace.json: 4 MiB", "trace.json: 4 MiB"}},
		{"trace.json", false, 400 * time.Millisecond, []string{"trace.json: 75 %", "trace.json: 100 %", "trace.json: 100 %"}},
		{"trace.json", false, time.Millisecond, nil},
		{"\x1b[2J.json", false, 600 * time.Millisecond, []string{`"\x1b[2J.json": 50 %`, `"\x1b[2J.json": 75 %`, `"\x1b[2J.json": 100 %`, `"\x1b[2J.json": 100 %`}},
		{strings.Repeat("x", 100), false, 800 * time.Millisecond, []string{"the trace: 50 %", "the trace: 75 %", "the trace: 100 %", "the trace: 100 %"}},
	} {
		t.Run(tt.file, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), tt.file)
			if err := os.WriteFile(name, make([]byte, size), 0o600); err != nil {
				t.Fatal(err)
			}
			f, err := os.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			var input io.Reader = f
			if tt.pipe {
				input = struct{ io.Reader }{f}
			}
			p := newProgress(input, name, nil)
			var b bytes.Buffer
			p.w = &b
			slow(t, p, size, tt.each)
			var want strings.Builder
			for _, told := range tt.want {
				want.WriteString("\r\x1b[Kturnstile: reading " + told)
			}
			if tt.want != nil {
				want.WriteString("\r\x1b[K")
			}
			if got := b.String(); got != want.String() {
				t.Errorf("told %q, want %q", got, want.String())
			}
		})
	}
}

// Progress is told on terminals only.
func TestProgressNeedsATerminal(t *testing.T) {
	_, terminal := testenv.Terminal(t)
	plain, err := os.Create(filepath.Join(t.TempDir(), "f"))
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	for _, tt := range []struct {
		name string
		w    io.Writer
		want bool
	}{
		{"a terminal", terminal, true},
		{"a file", plain, false},
		{"a buffer", &bytes.Buffer{}, false},
	} {
		if got := newProgress(strings.NewReader(""), "x", tt.w).w != io.Discard; got != tt.want {
			t.Errorf("%s: %t, want %t", tt.name, got, tt.want)
		}
	}
}
