package observe

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
	"unsafe"

	"github.com/turnstile-project/turnstile/internal/event"
)

// raw builds the bytes of a record.
func raw(r bpfRecord, segments ...segment) []byte {
	var b bytes.Buffer
	b.Write(unsafe.Slice((*byte)(unsafe.Pointer(&r)), recordSize))
	for _, s := range segments {
		binary.Write(&b, binary.NativeEndian, uint16(s.kind))
		binary.Write(&b, binary.NativeEndian, uint16(len(s.data)))
		b.WriteString(s.data)
	}
	return b.Bytes()
}

type segment struct {
	kind bpfSegmentKind
	data string
}

func TestParseRecord(t *testing.T) {
	var r record
	err := r.parse(raw(bpfRecord{Kind: 5, Nr: 257, Ret: -2},
		segment{bpfSegmentKindSEGMENT_STRING, "x"},
		segment{bpfSegmentKindSEGMENT_BASE, ""},
	))
	if err != nil {
		t.Fatal(err)
	}
	if r.Nr != 257 || r.Ret != -2 {
		t.Errorf("head: %+v", r.bpfRecord)
	}
	if b, ok := r.segment(bpfSegmentKindSEGMENT_STRING); !ok || string(b) != "x" {
		t.Errorf("string segment: %q, %v", b, ok)
	}
	if b, ok := r.segment(bpfSegmentKindSEGMENT_BASE); !ok || len(b) != 0 {
		t.Errorf("empty segment: %q, %v", b, ok)
	}
	if _, ok := r.segment(bpfSegmentKindSEGMENT_OBJECT); ok {
		t.Error("a segment that is not there")
	}
	// The next record uses the same struct: nothing of the last one is left.
	if err := r.parse(raw(bpfRecord{Kind: 5})); err != nil {
		t.Fatal(err)
	}
	if _, ok := r.segment(bpfSegmentKindSEGMENT_STRING); ok {
		t.Error("a segment of the record before")
	}
}

func TestParseRefuses(t *testing.T) {
	for name, b := range map[string][]byte{
		"nothing":                     nil,
		"half a head":                 make([]byte, recordSize/2),
		"half a segment head":         append(raw(bpfRecord{}), 1, 0, 0),
		"a segment beyond its record": append(raw(bpfRecord{}), 1, 0, 9, 0, 'x'),
		"an unknown kind":             append(raw(bpfRecord{}), 99, 0, 0, 0),
	} {
		var r record
		if err := r.parse(b); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestAppendNames(t *testing.T) {
	for names, want := range map[string]string{
		"":                  "/",
		"a\x00":             "/a",
		"b\x00a\x00":        "/a/b",
		"c d\x00b\x00a\x00": "/a/b/c d",
		"\x00":              "", // in no mount namespace, and nameless
		"memfd:x\x00\x00":   "memfd:x",
		"b\x00a\x00\x00":    "a/b",
	} {
		if got := string(appendNames(nil, []byte(names))); got != want {
			t.Errorf("%q is %q, want %q", names, got, want)
		}
	}
}

func TestScriptsBetween(t *testing.T) {
	split := func(s string) (all [][]byte) {
		for word := range strings.FieldsSeq(s) {
			all = append(all, []byte(word))
		}
		return all
	}
	for _, tt := range []struct{ argv, asked, want string }{
		{"ls -l", "/bin/ls", ""},
		{"/bin/ls -l", "/bin/ls", ""},
		{"/bin/sh ./a x", "./a", ""},
		{"/bin/sh -e /a x", "/a", ""},
		{"/bin/sh /inner /outer x /y", "/outer", "/inner"},
		{"/bin/sh -e /inner -i /middle /outer", "/outer", "/inner /middle"},
		{"/bin/sh /inner", "/cut/off", ""},
	} {
		got := string(bytes.Join(scriptsBetween(split(tt.argv), []byte(tt.asked)), []byte(" ")))
		if got != tt.want {
			t.Errorf("%q: %q, want %q", tt.argv, got, tt.want)
		}
	}
}

func TestAppendJoined(t *testing.T) {
	for _, tt := range []struct{ base, path, want string }{
		{"/a", "b", "/a/b"},
		{"/", "b", "/b"},
		{"", "/b", "/b"},
		{"/a", "./b//c/", "/a/b/c"},
		{"/a", ".", "/a"},
		{"/", ".", "/"},
		{"", "/", "/"},
		{"/a", "", "/a"},
		{"/a", "../b", "/a/../b"}, // a may be a symbolic link
		{"/jail", "/etc/x", "/jail/etc/x"},
	} {
		if got := string(appendJoined(nil, []byte(tt.base), []byte(tt.path))); got != tt.want {
			t.Errorf("%q and %q: %q, want %q", tt.base, tt.path, got, tt.want)
		}
	}
}

// FuzzDecode feeds the decoder with records of any content. The kernel side writes
// the lengths, but nothing it sends may make the reader fail.
func FuzzDecode(f *testing.F) {
	f.Add(raw(bpfRecord{Kind: 1}))
	f.Add(raw(bpfRecord{Kind: 2}, segment{bpfSegmentKindSEGMENT_EXE, "ls\x00bin\x00"}))
	f.Add(raw(bpfRecord{Kind: 3},
		segment{bpfSegmentKindSEGMENT_FILENAME, "x.sh"}, segment{bpfSegmentKindSEGMENT_INTERP, "/bin/sh"},
		segment{bpfSegmentKindSEGMENT_BASE, "home\x00"}, segment{bpfSegmentKindSEGMENT_ARGV, "a\x00b\x00"}))
	f.Add(raw(bpfRecord{Kind: 4, Ret: 9}))
	f.Add(raw(bpfRecord{Kind: 5, Nr: 257, Flags: 1, Ret: 3},
		segment{bpfSegmentKindSEGMENT_STRING, "a/b"}, segment{bpfSegmentKindSEGMENT_BASE, "c\x00"},
		segment{bpfSegmentKindSEGMENT_OBJECT, "0123456789abcdef"}, segment{bpfSegmentKindSEGMENT_OBJECT_PATH, "b\x00a\x00"}))
	f.Add(raw(bpfRecord{Kind: 5, Nr: 42, Flags: 1},
		segment{bpfSegmentKindSEGMENT_SOCKADDR, "\x01\x00x"}, segment{bpfSegmentKindSEGMENT_SOCKET, "\x01\x00\x01\x00\x00\x00\x00\x000123456789abcdef"}))
	f.Add(raw(bpfRecord{Kind: 5, Abi: 1, Nr: 102}))
	f.Add(raw(bpfRecord{Kind: 200, Abi: 200, Nr: -5}))
	f.Fuzz(func(t *testing.T, b []byte) {
		d := newDecoder()
		for range 2 { // with nothing before, and with state
			e, err := d.decode(b)
			if err != nil || e == nil {
				continue
			}
			if e.Process == nil {
				t.Fatal("an event without a process")
			}
			for _, target := range e.Access.Targets {
				if target.Path != nil && len(target.Path) == 0 {
					t.Errorf("the empty path of %q", target.Asked)
				}
			}
		}
	})
}

func TestKernelLossesAreEventLosses(t *testing.T) {
	// The names in bpf/records.h are in the same order.
	for i, want := range []string{
		"ringbuf_process", "ringbuf_file", "ringbuf_socket", "ringbuf_call", "path", "address", "argument", "argv",
		"deep_path", "map_calls", "map_errors", "map_arguments", "untracked", "missed", "io_uring", "forbidden",
	} {
		if got := event.Loss(i).String(); got != want {
			t.Errorf("loss %d is %q, want %q", i, got, want)
		}
	}
	if kernelLosses != 16 {
		t.Errorf("%d losses are counted in the kernel", kernelLosses)
	}
}
