package sandprint

import (
	"bytes"
	"strings"
	"testing"

	"github.com/turnstile-project/turnstile/internal/testenv"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// sample is as sandprint writes it: two processes, a number that it has no name for, and
// a call of which an event was dropped.
const sample = `{
  "schema_version": 1,
  "arch": "x86_64",
  "target_argv": ["curl", "-s", "https://example.com"],
  "events": [
    {"timestamp_ns": 1000, "tgid": 12, "tid": 12, "syscall_nr": 59, "syscall_name": "execve", "comm": "sandprint"},
    {"timestamp_ns": 2000, "tgid": 12, "tid": 13, "syscall_nr": 257, "syscall_name": "openat", "comm": "curl"},
    {"timestamp_ns": 5000, "tgid": 14, "tid": 14, "syscall_nr": 500, "syscall_name": null, "comm": "curl"}
  ],
  "counts": [
    {"syscall_nr": 257, "syscall_name": "openat", "count": 2},
    {"syscall_nr": 59, "syscall_name": "execve", "count": 1},
    {"syscall_nr": 500, "syscall_name": null, "count": 1}
  ]
}`

func TestReadGolden(t *testing.T) {
	d, err := Read(strings.NewReader(sample))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := trace.Encode(&b, d); err != nil {
		t.Fatal(err)
	}
	testenv.Golden(t, "sample.json", b.Bytes())
}

func TestReadRefuses(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"nothing", ``, "there is nothing"},
		{"another version", `{"schema_version":2,"arch":"x86_64"}`, "version 2"},
		{"no version", `{"arch":"x86_64"}`, "version 0"},
		{"an architecture without a table", `{"schema_version":1,"arch":"riscv64"}`, "riscv64"},
		{"a name of another number", `{"schema_version":1,"arch":"x86_64","counts":[{"syscall_nr":20,"syscall_name":"getpid","count":1}]}`, "getpid"},
		{"two names of a number", `{"counts":[{"syscall_nr":500,"syscall_name":"a"},{"syscall_nr":500,"syscall_name":"b"}]}`, `"b"`},
		{"a number that is none", `{"counts":[{"syscall_nr":-1}]}`, "-1"},
		{"what follows", sample + "{}", "follows"},
		{"a cut trace", sample[:300], "ends in the middle"},
		{"events twice", `{"events":[],"events":[]}`, "is there twice"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := Read(strings.NewReader(tt.text)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestReadMergedAndAttached(t *testing.T) {
	d, err := Read(strings.NewReader(`{"arch":"aarch64","counts":[{"syscall_nr":56,"syscall_name":"openat","count":7}],
		"events":[],"schema_version":1,"target_argv":["pid:1234"],"later":{}}`))
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Syscalls) != 1 || d.Syscalls[0].ABI != "arm64" || d.Syscalls[0].Name != "openat" || d.Syscalls[0].Count != 7 {
		t.Errorf("calls %+v", d.Syscalls)
	}
	if d.Target.PID != 1234 || d.Target.Argv != nil || d.Complete.Syscalls {
		t.Errorf("target %+v, complete %+v", d.Target, d.Complete)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte(`{"schema_version":1,"arch":"aarch64","target_argv":["merge of: [a] + [b]"],"events":[],"counts":[]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := Read(bytes.NewReader(b))
		if err != nil {
			return
		}
		if d.Complete.All() {
			t.Error("it is said to be complete")
		}
		var out bytes.Buffer
		if err := trace.Encode(&out, d); err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		if _, err := trace.Decode(&out); err != nil {
			t.Errorf("what was written cannot be read: %v", err)
		}
	})
}
