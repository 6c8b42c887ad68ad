package trace_test

import (
	"bytes"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/turnstile-project/turnstile/internal/trace"
	"github.com/turnstile-project/turnstile/internal/trace/tracetest"
)

func TestDecodeRefuses(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"nothing", ``, "byte 0: there is nothing"},
		{"no object", `[]`, "object"},
		{"no version", `{"tool":"x"}`, "no version"},
		{"another version", `{"version":2,"files":`, "version 2 is not known"},
		{"version of another type", `{"version":"1"}`, `"version"`},
		{"a section twice", `{"version":1,"files":[],"files":[]}`, `"files" is there twice`},
		{"what follows", `{"version":1} {}`, "follows"},
		{"a cut document", `{"version":1,"files":[`, "ends in the middle"},
		{"a cut entry", `{"version":1,"files":[{"path":"/a","how":"fd"`, "entry 0"},
		{"a null entry", `{"version":1,"processes":[null]}`, "entry 0: it is null"},
		{"a section that is no list", `{"version":1,"execs":{}}`, "list"},
		{"an unknown class", `{"version":1,"files":[{"how":"fd","classes":["x"],"ops":{},"processes":[]}]}`, `unknown class "x"`},
		{"an unknown how", `{"version":1,"files":[{"how":"x"}]}`, `"x"`},
		{"counts that are none", `{"version":1,"files":[{"how":"fd","ops":[]}]}`, "counts"},
		{"bytes that are not UTF-8", "{\"version\":1,\"tool\":\"\xff\"}", "UTF-8"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := trace.Decode(strings.NewReader(tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
			if where := tt.name != "no version"; err != nil && where != strings.Contains(err.Error(), "reading the trace: byte ") {
				t.Errorf("error %v, want one that says where: %t", err, where)
			}
		})
	}
}

func TestDecodePassesOverUnknownFields(t *testing.T) {
	const text = `{"new":[{"x":1}],"version":1,"files":[{"new":{},"path":"/a","how":"fd","classes":[],"ops":{}}],"syscalls":null}`
	d, err := trace.Decode(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Files) != 1 || d.Files[0].Path != "/a" || d.Syscalls != nil {
		t.Errorf("read %+v", d)
	}
}

func TestBigTraceSurvives(t *testing.T) {
	d := tracetest.Big(1000)
	var b bytes.Buffer
	if err := trace.Encode(&b, d); err != nil {
		t.Fatal(err)
	}
	back, err := trace.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(d, back, cmp.AllowUnexported(trace.Process{})); diff != "" {
		t.Error(diff)
	}
}

// TestMemoryOfFiles holds what a file of a trace takes: a million of them have to leave
// room for a profile within 1 GiB.
func TestMemoryOfFiles(t *testing.T) {
	const files, most = 50_000, 400
	var b bytes.Buffer
	if err := trace.Encode(&b, tracetest.Big(files)); err != nil {
		t.Fatal(err)
	}
	before := live()
	d, err := trace.Decode(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	perFile := (live() - before) / files
	runtime.KeepAlive(d)
	runtime.KeepAlive(b)
	if perFile > most {
		t.Errorf("a file takes %d bytes, want at most %d", perFile, most)
	}
	t.Logf("%d bytes for a file", perFile)
}

// live are the bytes that are in use.
func live() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
