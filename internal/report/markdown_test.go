package report

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/quote"
	"github.com/turnstile-project/turnstile/internal/testenv"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// hostileNames are names that are markup, or end what they stand in.
var hostileNames = []string{
	"/plain", "/two words", "/a|b", `/a\|b`, `/a\\|b`, "/`code`", "``", "`", "/<script>alert(1)</script>", "/new\nline\n\n# Title", "/tab\t",
	"/[link](http://example.com)", "/![image](x)", "@somebody", "#12", "/**bold**", "/_under_", "/~~gone~~", "/&amp;", "/&#124;", "http://example.com",
	"/\x1b[2J", "/\xff", "/größe", " blank ", "", "/<!-- -->", "|", `\`, `/ends in \`, "/${HOME}", "/a``|`b", "---", "|---|", ":smile:", "/\u202e",
}

// page is the tables of a page as a reader of Markdown has them: rows of cells, as text.
func tables(t *testing.T, page string) (rows [][]string) {
	t.Helper()
	source := []byte(page)
	root := goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser().Parse(text.NewReader(source))
	err := ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		switch n.Kind() {
		case ast.KindRawHTML, ast.KindHTMLBlock, ast.KindLink, ast.KindImage, ast.KindAutoLink, extast.KindStrikethrough:
			t.Errorf("the page has a %v: %s", n.Kind(), n.Text(source)) //nolint:staticcheck // for a message
		case extast.KindTableRow:
			if entering {
				rows = append(rows, nil)
			}
		case extast.KindTableCell:
			if entering && n.Parent().Kind() == extast.KindTableRow {
				i := len(rows) - 1
				rows[i] = append(rows[i], string(n.Text(source))) //nolint:staticcheck // all there is in it
			}
		}
		return ast.WalkContinue, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// TestMarkdownOfHostileNames: whatever names are, each is one cell, and reads as it is.
func TestMarkdownOfHostileNames(t *testing.T) {
	var d trace.Document
	for _, name := range hostileNames {
		d.Files = append(d.Files, &trace.File{Path: name, Classes: event.Read, Ops: trace.Counts{{Name: "open", N: 7}}, Errors: trace.Counts{{Name: name, N: 1}}})
		d.Syscalls = append(d.Syscalls, &trace.Syscall{Name: name, ABI: "x", Count: 1})
		d.Target.Argv = append(d.Target.Argv, name)
		d.Processes = append(d.Processes, &trace.Process{Comm: name, Exe: name, Signal: &name})
		d.Execs = append(d.Execs, &trace.Exec{Path: name})
		d.Sockets = append(d.Sockets, &trace.Socket{Op: name, Family: name, Type: name, Path: name})
	}
	d.Target.Dir, d.Tool, d.Host.Kernel = hostileNames[2], "a|b", "`|"
	d.Lost = map[string]uint64{"<b>`|": 1}
	var b bytes.Buffer
	if err := Markdown(&b, &d, "x"); err != nil {
		t.Fatal(err)
	}
	files := 0
	for _, row := range tables(t, b.String()) {
		if len(row) != 4 {
			t.Errorf("a row of %d cells: %q", len(row), row)
			continue
		}
		if row[1] == "read" && row[2] == "7" {
			if want := quote.Line(hostileNames[files]); row[0] != want {
				t.Errorf("%q reads as %q, want %q", hostileNames[files], row[0], want)
			}
			files++
		}
	}
	if files != len(hostileNames) {
		t.Errorf("%d rows of files, want %d", files, len(hostileNames))
	}
}

func TestMarkdownGolden(t *testing.T) {
	zero, code := 0, 2
	no := false
	port := uint16(443)
	d := &trace.Document{
		Tool: "turnstile 1", Results: true,
		Complete: trace.Complete{Syscalls: true, Processes: true, Files: &no}, Lost: map[string]uint64{"unreadable": 2, "ringbuf": 0}, Folded: map[string]uint64{"files": 5},
		Target: trace.Target{Argv: []string{"make", "a|b"}, Dir: "/w", Status: &code}, Host: trace.Host{Arch: "x86_64", Kernel: "6.18.0"},
		Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Duration: int64(1500 * time.Millisecond),
		Syscalls: []*trace.Syscall{
			{Name: "read", ABI: "x86_64", Count: 3, Errors: trace.Counts{{Name: "EINTR", N: 1}}, ByProcess: map[int]uint64{0: 3}},
			{Name: "openat", ABI: "x86_64", Count: 9}, {Name: "exit", ABI: "i386", Count: 1},
		},
		Files: []*trace.File{
			{Path: "/etc/hosts", Classes: event.Read | event.Stat, Ops: trace.Counts{{Name: "open", N: 2}}},
			{Path: "/tmp", Classes: event.Create, Ops: trace.Counts{{Name: "open", N: 5}}, Folded: true},
		},
		Execs:     []*trace.Exec{{Path: "/bin/sh", Process: &zero, Count: 1}, {Path: "/opt/sh", Count: 2, Errors: trace.Counts{{Name: "ENOENT", N: 2}}}},
		Sockets:   []*trace.Socket{{Op: "connect", Family: "inet", Type: "stream", Protocol: "tcp", Addr: "10.0.0.1", Port: &port, Count: 1}},
		Processes: []*trace.Process{{ID: 0, PID: 10, Comm: "sh", Exe: "/bin/dash", Status: &code}, {ID: 1, Comm: "cc1", Exe: "/usr/lib/cc1", Folded: 12}},
	}
	for range markdownRows {
		d.Files = append(d.Files, &trace.File{Path: "/many", Ops: trace.Counts{{Name: "open", N: 1}}})
	}
	var b bytes.Buffer
	if err := Markdown(&b, d, "turnstile 2"); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	if n := strings.Count(page, "| `/many` |"); n != markdownRows-2 {
		t.Errorf("%d rows", n)
	}
	page = strings.ReplaceAll(page, "| `/many` |  | 1 |  |\n", "")
	testenv.Golden(t, "page.md", []byte(page))
}
