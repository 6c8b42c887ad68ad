package strace

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/testenv"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// machine is the ABI of the programs that strace watches here.
var machine = map[string]event.ABI{"amd64": event.X8664, "arm64": event.ARM64}[runtime.GOARCH]

func TestReadGolden(t *testing.T) {
	for _, name := range []string{"hand", "annotated", "cut", "stderr"} {
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join("testdata", name+".log"))
			if err != nil {
				t.Fatal(err)
			}
			if !Looks(text) {
				t.Error("it is not taken for a log")
			}
			d, err := Read(bytes.NewReader(text), event.X8664)
			if err != nil {
				t.Fatal(err)
			}
			var b bytes.Buffer
			if err := trace.Encode(&b, d); err != nil {
				t.Fatal(err)
			}
			testenv.Golden(t, name+".json", b.Bytes())
		})
	}
}

func TestReadRefuses(t *testing.T) {
	const begin = "10 execve(\"/bin/x\", [\"x\"], 0x7ffe /* 9 vars */) = 0\n"
	for _, tt := range []struct{ name, text, want string }{
		{"nothing", "", "no call"},
		{"a table of counts", "% time     seconds  usecs/call     calls    errors syscall\n", "-c"},
		{"a name that is none", begin + "10 frobnicate(1) = 0\n", `line 2: neither x86_64 nor i386 has a call "frobnicate"`},
		{"a number of another name", begin + "10 [ 257] getpid() = 10\n", "line 2: number 257"},
		{"what the program wrote", begin + "hello\n", "line 2"},
		{"what the program wrote in a line", begin + "10 write(1, \"foo\\n\", 4foo\n", "-o"},
		{"an unknown end", begin + "10 +++ vanished +++\n", "line 2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := Read(strings.NewReader(tt.text), event.X8664); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

// TestOptions has strace watch the same script with each of the options that people use:
// what was done is the same, and what an option leaves out is said to be missing.
func TestOptions(t *testing.T) {
	testenv.Program(t, "strace")
	want := logged(t, "-f")
	if !want.Complete.Syscalls || !*want.Complete.Sockets {
		t.Fatalf("a plain log is incomplete: %v", want.Lost)
	}
	for _, options := range []string{
		"-f -t", "-f -tt", "-f -ttt -T", "-f -r", "-f -r -tt", "-f -y", "-f -yy", "-f -yy -Y", "-f -x", "-f -xx", "-f -v", "-f -s 1000",
		"-f -i", "-f -n", "-f -n -i -r", "-f -X raw", "-f -X verbose", "-f -q", "-f -qq", "-f -qqq", "-f -C", "-f -e read=all -e write=all",
		"-f -e raw=all", "-f --seccomp-bpf",
	} {
		t.Run(options, func(t *testing.T) {
			got := logged(t, strings.Fields(options)...)
			if !got.Complete.Syscalls {
				t.Errorf("it is incomplete: %v", got.Lost)
			}
			if a, b := names(want), names(got); !slices.Equal(a, b) {
				t.Errorf("the calls are\n%v, without the options\n%v", b, a)
			}
			if strings.Contains(options, "raw=all") {
				return // no path is in the log, which is said
			}
			if a, b := asked(want), asked(got); !slices.Equal(a, b) {
				t.Errorf("the files are\n%q, without the options\n%q", b, a)
			}
		})
	}
	for _, options := range []string{"", "-f -e trace=openat", "-f -e trace=%file", "-f -e trace=%process,%memory"} {
		t.Run("a part "+options, func(t *testing.T) {
			if got := logged(t, strings.Fields(options)...); got.Complete.Syscalls || *got.Complete.Files || *got.Complete.Sockets {
				t.Errorf("it is said to be complete: %+v, lost %v", got.Complete, got.Lost)
			}
		})
	}
}

// With -z strace writes the end of some calls without their beginning. That is refused, or
// what is left is a part.
func TestSuccessesOnly(t *testing.T) {
	testenv.Program(t, "strace")
	d, err := Read(bytes.NewReader(logOf(t, "-f", "-z")), machine)
	if err == nil && d.Complete.Syscalls {
		t.Error("it is said to be complete")
	}
	if err != nil && !strings.Contains(err.Error(), "strace writes no such line") {
		t.Error(err)
	}
}

const script = `cd /; cat </etc/hostname >/dev/null; (true); ./nope; exit 0`

// logged is what is read from a log of strace with these options.
func logged(t *testing.T, options ...string) *trace.Document {
	t.Helper()
	d, err := Read(bytes.NewReader(logOf(t, options...)), machine)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// logOf is what strace with these options logs of the script.
func logOf(t *testing.T, options ...string) []byte {
	t.Helper()
	log := filepath.Join(t.TempDir(), "log")
	argv := append(append([]string{"strace"}, options...), "-o", log, "sh", "-c", script)
	if out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", argv, err, out)
	}
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func names(d *trace.Document) []string {
	var all []string
	for _, s := range d.Syscalls {
		all = append(all, s.ABI+" "+s.Name)
	}
	return all
}

// asked are the files by how they were asked for. Some have no name without -y.
func asked(d *trace.Document) []string {
	var all []string
	for _, f := range d.Files {
		all = append(all, f.Asked...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func FuzzRead(f *testing.F) {
	logs, _ := filepath.Glob(filepath.Join("testdata", "*.log"))
	for _, log := range logs {
		text, err := os.ReadFile(log)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		Looks(b)
		d, err := Read(bytes.NewReader(b), event.X8664)
		if err != nil {
			return
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

// A thread may be killed while it is stopped for strace, which cannot read then what call it
// was about to make. Or strace comes when a call has begun.
func TestUnreadCall(t *testing.T) {
	const begin, end = "10 execve(\"/bin/x\", [\"x\"], 0x7ffe /* 9 vars */) = 0\n", "10 exit_group(0) = ?\n10 +++ exited with 0 +++\n"
	for _, tt := range []struct {
		name, lines string
		want        string // what is lost
	}{
		{"killed", "11 ???( <unfinished ...>\n11 +++ killed by SIGKILL +++\n", lostReturns},
		{"told later", "11 ????( <unfinished ...>\n11 <... ???? resumed>) = ?\n11 +++ exited with 0 +++\n", lostReturns},
		{"begun", "11 ????() = 0\n", lostBegins},
		{"begun and told later", "11 ????( <unfinished ...>\n11 <... ???? resumed>) = 0\n", lostBegins},
	} {
		t.Run(tt.name, func(t *testing.T) {
			const clone = "10 clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7f) = 11\n"
			without, err := Read(strings.NewReader(begin+clone+end), event.X8664)
			if err != nil {
				t.Fatal(err)
			}
			d, err := Read(strings.NewReader(begin+clone+tt.lines+end), event.X8664)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := names(d), names(without); !slices.Equal(got, want) {
				t.Errorf("calls %q, want %q", got, want)
			}
			for _, key := range []string{lostReturns, lostBegins} {
				want := without.Lost[key]
				if key == tt.want {
					want++
				}
				if got := d.Lost[key]; got != want {
					t.Errorf("%s: %d, want %d", key, got, want)
				}
			}
		})
	}
}

// A failure must not look like a success because of what strace calls the error.
func TestErrors(t *testing.T) {
	for result, want := range map[string]string{
		"-1 EOPNOTSUPP (Operation not supported)":              "EOPNOTSUPP",
		"-1 ENOTSUP (Operation not supported)":                 "EOPNOTSUPP",
		"-1 EWOULDBLOCK (Resource unavailable)":                "EAGAIN",
		"-1 EJUKEBOX (Request initiated)":                      "EJUKEBOX",
		"-1 (errno 41)":                                        "errno 41",
		"-1 (errno 999)":                                       "errno 999",
		"? ERESTARTSYS (To be restarted if SA_RESTART is set)": "ERESTARTSYS",
	} {
		d, err := Read(strings.NewReader("10 fallocate(3, 0, 0, 10) = "+result+"\n"), event.X8664)
		if err != nil {
			t.Fatal(err)
		}
		if got := d.Syscalls[0].Errors; len(got) != 1 || got[0].Name != want {
			t.Errorf("%q: errors %v, want one %s", result, got, want)
		}
	}
}
