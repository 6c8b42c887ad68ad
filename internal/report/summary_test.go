package report

import (
	"bytes"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/turnstile-project/turnstile/internal/testenv"
	"github.com/turnstile-project/turnstile/internal/trace"
)

func sample() *trace.Document {
	no, port, one, zero := false, uint16(443), 1, 0
	term := "SIGTERM"
	return &trace.Document{
		Results:  true,
		Host:     trace.Host{Arch: "x86_64"},
		Duration: 12_345_678,
		Complete: trace.Complete{Syscalls: true, Processes: true, Files: &no, Sockets: &no},
		Lost:     map[string]uint64{"ringbuf": 3, "io_uring": 1, "missed": 0},
		Folded:   map[string]uint64{"threads": 2},
		Syscalls: []*trace.Syscall{
			{Name: "openat", ABI: "x86_64", Count: 41, Errors: trace.Counts{{Name: "ENOENT", N: 3}}, ByProcess: map[int]uint64{0: 40, 1: 1}},
			{Name: "getpid", ABI: "i386", Count: 100, ByProcess: map[int]uint64{1: 100}},
			{Name: "read", ABI: "x86_64", Count: 7, ByProcess: map[int]uint64{0: 7}},
		},
		Files: []*trace.File{
			{Path: "/etc/x", Ops: trace.Counts{{Name: "open", N: 2}}, Errors: trace.Counts{{Name: "ENOENT", N: 1}}, Classes: 1},
			{Path: "/a\n", Ops: trace.Counts{{Name: "open", N: 9}}, Folded: true, Classes: 3},
		},
		Sockets: []*trace.Socket{
			{Op: "connect", Family: "inet", Type: "stream", Protocol: "tcp", Addr: "10.0.0.1", Port: &port, Count: 2},
			{Op: "bind", Family: "unix", Path: "bus", Abstract: true, Count: 1, Errors: trace.Counts{{Name: "EADDRINUSE", N: 1}}},
		},
		Execs: []*trace.Exec{{Path: "/bin/ls", Count: 2}, {Path: "/opt/ls", Count: 1, Errors: trace.Counts{{Name: "ENOENT", N: 1}}}},
		Processes: []*trace.Process{
			{ID: 0, PID: 10, Comm: "sh", Exe: "/bin/sh", Status: &zero},
			{ID: 1, PID: 11, Comm: "cc", Exe: "/bin/cc", Folded: 5, Status: &one},
			{ID: 2, PID: 12, Comm: "x y", Exe: "/x", Signal: &term},
		},
	}
}

func TestSummaryGolden(t *testing.T) {
	for name, o := range map[string]SummaryOptions{
		"summary.txt":        {},
		"summary-rows.txt":   {Rows: 1},
		"summary-colour.txt": {Colour: true},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := Summary(&b, sample(), o); err != nil {
				t.Fatal(err)
			}
			testenv.Golden(t, name, b.Bytes())
		})
	}
}

func TestEveryLossHasAText(t *testing.T) {
	names := slices.Collect(maps.Keys(trace.NewRecorder(trace.Options{}).Document().Lost))
	docs, err := os.ReadFile("../../docs/formats.md")
	if err != nil {
		t.Fatal(err)
	}
	_, elsewhere, _ := strings.Cut(string(docs), "| In `lost` |")
	elsewhere, _, _ = strings.Cut(elsewhere, "\n\n")
	for _, m := range regexp.MustCompile("`([a-z_]+)`[^|]*\\|[^|]*\\|[^|]*\\|\n|`([a-z_]+)`,").FindAllStringSubmatch(elsewhere, -1) {
		names = append(names, m[1]+m[2])
	}
	names = append(names, "uncounted")
	if len(names) < 20 {
		t.Fatalf("%d names were found: %q", len(names), names)
	}
	for _, name := range names {
		if lossTexts[name] == "" {
			t.Errorf("nothing is said of %q", name)
		}
	}
	d := &trace.Document{Lost: map[string]uint64{"argv": 2, "new": 3, "undecoded": 0}}
	if got, want := Losses(d), []string{"2 argument lists were too long or could not be read", "3 new"}; !slices.Equal(got, want) {
		t.Errorf("losses %q, want %q", got, want)
	}
}
