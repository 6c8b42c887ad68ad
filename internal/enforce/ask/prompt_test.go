package ask

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/turnstile-project/turnstile/internal/event"
)

func example() *Question {
	return &Question{
		PID: 812, PPID: 0, Comm: "sh", Exe: "/usr/bin/dash", UID: 1000,
		Op: event.OpOpen, Classes: event.Write | event.Create,
		Path: []byte("/home/u/.profile"), Asked: []byte("../.profile"),
		Rule: "--ask write,create:/home/u/**", Allow: "--allow write,create:/home/u/.profile",
	}
}

func TestQuestionText(t *testing.T) {
	var p page
	p.question(example())
	want := `
turnstile: sh[812] wants to open "/home/u/.profile" (write,create)
    passed as   "../.profile"
    program     "/usr/bin/dash", uid 1000
    rule        --ask write,create:/home/u/**
`
	if got := strings.ReplaceAll(p.String(), newline, "\n"); got != want {
		t.Errorf("the question is\n%s\nwant\n%s", got, want)
	}
}

func TestQuestionWithoutMore(t *testing.T) {
	q := example()
	q.Asked, q.Exe, q.Rule, q.PPID = nil, "", "default", int32(os.Getpid())
	self, found := find(q.PPID)
	if !found {
		t.Fatal("we are not in /proc")
	}
	p := page{colour: true}
	p.question(q)
	want := fmt.Sprintf(`
%s[1mturnstile: sh[812] wants to open "/home/u/.profile" (write,create)%[1]s[0m
    program     unknown, uid 1000, started by %s[%d]
    rule        default
`, "\x1b", self.comm, q.PPID)
	if got := strings.ReplaceAll(p.String(), newline, "\n"); got != want {
		t.Errorf("the question is\n%q\nwant\n%q", got, want)
	}
}

func TestExplanationText(t *testing.T) {
	q := example()
	q.PPID = int32(os.Getpid())
	var p page
	p.explanation(q)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"allow with  --allow write,create:/home/u/.profile" + newline,
		fmt.Sprintf("[%d] %q%s", os.Getpid(), exe, newline),
		fmt.Sprintf("[%d]", os.Getppid()),
	} {
		if !strings.Contains(p.String(), want) {
			t.Errorf("no %q in\n%s", want, p.String())
		}
	}
}

func TestLongPath(t *testing.T) {
	q := example()
	q.Path = bytes.Repeat([]byte("/abcdefg"), 511)
	q.Path = append(q.Path, "/end"...)
	var p page
	p.question(q)
	if strings.Contains(p.String(), string(q.Path)) || !strings.Contains(p.String(), `/end" (4092 bytes)`) {
		t.Errorf("a long path in the question:\n%s", p.String())
	}
	p.Reset()
	p.explanation(q)
	if !strings.Contains(p.String(), string(q.Path)) {
		t.Errorf("a long path in the explanation:\n%s", p.String())
	}
}

func TestChoicesFit(t *testing.T) {
	if len(choices) >= 80 {
		t.Errorf("%d columns", len(choices))
	}
}

// FuzzPage: whatever the target calls things, what is shown has the same lines, and
// no control characters but their ends.
func FuzzPage(f *testing.F) {
	f.Add("sh", "/usr/bin/dash", "--allow write:/x", []byte("/x"), []byte("x"))
	f.Add("\x1b[2J", "/\u202e\n", "--allow write:/\r\n", []byte("\xff\x1b]0;x\a"), []byte("\x00\u009b"))
	f.Add("a\nb", strings.Repeat("/\u2066", 600), "\n", bytes.Repeat([]byte("é\n"), 600), []byte(strings.Repeat("€", 200)))
	f.Fuzz(func(t *testing.T, comm, exe, allow string, path, asked []byte) {
		q := example()
		q.Comm, q.Exe, q.Allow, q.Path, q.Asked = comm, "/"+exe, "--"+allow, path, append([]byte{'.'}, asked...)
		var p page
		p.question(q)
		p.explanation(q)
		shown := p.String()
		lines := 7
		if len(path) > maxShown {
			lines++
		}
		if strings.Count(shown, newline) != lines {
			t.Errorf("%d lines, want %d:\n%q", strings.Count(shown, newline), lines, shown)
		}
		if !utf8.ValidString(shown) {
			t.Errorf("not UTF-8: %q", shown)
		}
		for _, r := range strings.ReplaceAll(shown, newline, "") {
			if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
				t.Errorf("%q in %q", r, shown)
			}
		}
	})
}
