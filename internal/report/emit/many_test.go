package emit

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/profile"
	"github.com/turnstile-project/turnstile/internal/profile/baseline"
	"github.com/turnstile-project/turnstile/internal/profile/collapse"
	"github.com/turnstile-project/turnstile/internal/trace"
	"github.com/turnstile-project/turnstile/internal/trace/tracetest"
)

// manyFiles is what turnstile report makes a format of.
func manyFiles(t *testing.T, f *Format, d *trace.Document) *Input {
	t.Helper()
	in := &Input{Trace: d, Tool: "turnstile test"}
	if !f.Enforces {
		return in
	}
	o := profile.Options{
		Default: profile.Action{Kind: profile.Errno, Errno: unix.EPERM}, Always: profile.DefaultAlways,
		Baselines: baseline.For(f.Runtime), Paths: &profile.Paths{},
	}
	if f.Sections&profile.Files != 0 {
		o.Paths = collapse.Of(d, collapse.Options{Kinds: f.Collapse, HomeDir: "/home/user", WorkingDir: d.Target.Dir, TmpDir: "/tmp"})
	}
	var err error
	if in.Profile, err = profile.New(d, o); err != nil {
		t.Fatal(err)
	}
	return in
}

// TestMemory holds what a format takes for each file, with the trace: a million of them
// have to stay below 1 GiB. The page takes most for so few: of a million files it has
// 100,000 rows.
func TestMemory(t *testing.T) {
	const files, most = 50_000, 1000
	var text bytes.Buffer
	if err := trace.Encode(&text, tracetest.Big(files)); err != nil {
		t.Fatal(err)
	}
	for _, f := range Formats() {
		t.Run(f.Name, func(t *testing.T) {
			before := live()
			d, err := trace.Decode(bytes.NewReader(text.Bytes()))
			if err != nil {
				t.Fatal(err)
			}
			in := manyFiles(t, f, d)
			peak := live()
			if f.Enforces {
				f.AllNotes(in)
				peak = max(peak, live())
			}
			w := weigher{peak: peak}
			if err := f.Write(&w, in); err != nil {
				t.Fatal(err)
			}
			runtime.KeepAlive(in)
			perFile := int(w.peak-before) / files
			t.Logf("%d bytes for a file", perFile)
			if perFile > most {
				t.Errorf("%d bytes for a file, want at most %d", perFile, most)
			}
		})
	}
}

// weigher weighs what is in use while something is written to it: at first, and then
// each time that a good deal was written.
type weigher struct {
	peak          uint64
	written, next int
}

func (w *weigher) Write(b []byte) (int, error) {
	if w.written >= w.next {
		w.peak = max(w.peak, live())
		w.next = w.written + 1<<20
	}
	w.written += len(b)
	return len(b), nil
}

// live are the bytes that are in use.
func live() uint64 {
	runtime.GC()
	runtime.GC() // what pools held is garbage for the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestManyFiles has traces in which many files have what a format says a word more about:
// it must not say it of each by itself, nor of each two. A scan of all files for each would
// not end.
func TestManyFiles(t *testing.T) {
	const files, mostNotes, mostBytes = 100_000, 20, 300
	for name, file := range map[string]func(i int) *trace.File{
		"listed": func(i int) *trace.File {
			return file(fmt.Sprintf("/srv/dir-%06d", i), event.List, event.OpOpen)
		},
		"hidden": func(i int) *trace.File {
			return file(fmt.Sprintf("/home/user/src/tree-%03d/.data-%02d/file-%06d", i/500, i/20%25, i), event.Read, event.OpOpen)
		},
		"odd": func(i int) *trace.File {
			return file(fmt.Sprintf("/srv/\u2028é %06d", i), event.Read, event.OpOpen)
		},
		"removed": func(i int) *trace.File {
			return file(fmt.Sprintf("/srv/dir-%06d/file", i), event.Delete, event.OpUnlink)
		},
		"linked": func(i int) *trace.File {
			return file(fmt.Sprintf("/srv/linked-%06d", i), event.Create*event.Class(i%2)|event.Read, event.OpLink)
		},
		"temporary": func(i int) *trace.File {
			return file(fmt.Sprintf("/tmp/dir-%06d/file", i), event.Create|event.Delete, event.OpOpen, event.OpUnlink)
		},
	} {
		d := ofFiles("read", "write")
		d.Target.Dir = "/home/user/src"
		for i := range files {
			d.Files = append(d.Files, file(i))
		}
		for _, f := range append(fileFormats(), &policyFormat, &html) {
			t.Run(name+"/"+f.Name, func(t *testing.T) {
				in := manyFiles(t, f, d)
				if f.Enforces {
					if n := len(f.AllNotes(in)); n > mostNotes {
						t.Errorf("%d notes", n)
					}
				}
				var b bytes.Buffer
				err := f.Write(&b, in)
				if err != nil && (f != &policyFormat || !strings.Contains(err.Error(), "--collapse")) {
					t.Error(err) // a policy has a size that enforce takes
				}
				if n := b.Len() / files; n > mostBytes {
					t.Errorf("%d bytes for each file", n)
				}
			})
		}
	}
}
