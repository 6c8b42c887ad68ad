package collapse

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/trace"
)

var options = Options{Kinds: All, HomeDir: "/home/me", WorkingDir: "/home/me/project", TmpDir: "/tmp"}

func TestNames(t *testing.T) {
	for _, tt := range []struct {
		name, want string
		where      place
		made       event.Class
	}{
		{name: "libz.so.1.2.13", want: "libz.so.1.*"},
		{name: "libc.so.6", want: "libc.so.6"},
		{name: "python3.11", want: "python3.*"},
		{name: "libpython3.11.so.1.0", want: "libpython3.*.so.1.*"},
		{name: "os.cpython-311.pyc", want: "os.cpython-*.pyc"},
		{name: "6.1.0-18-amd64", want: "6.*"},
		{name: "guava-31.1.2.jar", want: "guava-31.*.jar"},
		{name: "2024", want: "2024"},
		{name: "x86_64-linux-gnu", want: "x86_64-linux-gnu"},
		{name: "d41d8cd98f00b204e9800998ecf8427e-d", want: "*-d"},
		{name: "pack-da39a3ee5e6b4b0d3255bfef95601890afd80709.idx", want: "pack-*.idx"},
		{name: "f81d4fae-7dec-11d0-a765-00a0c91e6bf6.log", want: "*.log"},
		{name: "0c1jl9qv8gc3s6zzvq4gk8r4bbix3w3z-glibc", want: "*-glibc"},
		{name: "deadbeef", want: "deadbeef"},
		{name: "acknowledgements", want: "acknowledgements"},
		{name: "tmp.aB3dE9xYz0", want: "tmp.*"},
		{name: "tmpab_de1fg.json", want: "tmp*.json"},
		{name: "tmp_b_de1fg", want: "tmp*"},
		{name: "tmp_obj_qwerty", want: "tmp_obj_*"},
		{name: "tmpfiles.d", want: "tmpfiles.d"},
		{name: ".#notes.txt", want: ".#*"},
		{name: "go-build123456789", want: "go-build*", where: temporary},
		{name: "go-build123456789", want: "go-build123456789"},
		{name: "ccAbCdEf.o", want: "cc*.o", where: temporary},
		{name: "index.html.XyZ12a", want: "index.html.*", made: event.Create},
		{name: "index.html.XyZ12a", want: "index.html.XyZ12a"},
		{name: "README.Debian", want: "README.Debian", made: event.Create},
		{name: "x.pyc.140083276113840", want: "x.pyc.*", made: event.Create},
		{name: "notes-4321.txt", want: "notes-*.txt", made: event.Create},
	} {
		c := collapser{Options: options, pids: map[string]struct{}{"4321": {}}}
		if got := strings.ReplaceAll(c.name(tt.name, tt.where, tt.made), wild, "*"); got != tt.want {
			t.Errorf("%q (%v, %v): %q, want %q", tt.name, tt.where, tt.made, got, tt.want)
		}
	}
}

func used(path string, classes event.Class, op string) *trace.File {
	return &trace.File{Path: path, Classes: classes, Ops: trace.Counts{{Name: op, N: 1}}}
}

// of are the patterns of files with what is allowed, one a line.
func of(o Options, files ...*trace.File) string {
	var b strings.Builder
	for _, f := range Of(&trace.Document{Files: files, Processes: []*trace.Process{{ID: 1, PID: 4321}}}, o).Files {
		fmt.Fprintf(&b, "%s %v\n", f.Pattern.Format([]string{"", "~", "$CWD", "$TMP"}[f.Pattern.Base], func(s string) string { return s }, "*", "/**"), f.Classes)
	}
	return b.String()
}

func TestOf(t *testing.T) {
	many := func(n int, format string, classes event.Class) []*trace.File {
		var files []*trace.File
		for i := range n {
			files = append(files, used(fmt.Sprintf(format, i, i), classes, "open"))
		}
		return files
	}
	own := used("/proc/4321/maps", event.Read, "open")
	own.Processes = []int{1}
	refused := used("/secret", event.Read, "open")
	refused.Errors = trace.Counts{{Name: "EACCES", N: 1}}
	probed := used("/etc/gitconfig", event.Read|event.Exec, "open")
	probed.Errors = trace.Counts{{Name: "ENOENT", N: 1}}
	keyProbed := used("/home/me/.netrc", event.Read, "open")
	keyProbed.Errors = probed.Errors
	folded := used("/srv/data", event.Read, "open")
	folded.Folded = true
	foldedKeys := used("/home/me/.ssh", event.Read, "open")
	foldedKeys.Folded = true
	for name, tt := range map[string]struct {
		files []*trace.File
		want  string
	}{
		"bases": {
			[]*trace.File{used("/home/me/project/a", event.Read, "open"), used("/home/me/b", event.Read, "open"), used("/tmp/c", event.Read, "open"), used("/home/meow", event.Read, "open")},
			"/home/meow read\n~/b read\n$CWD/a read\n$TMP/c read\n",
		},
		"fans of hashes": {
			[]*trace.File{
				used("/home/me/.cache/go-build/ab/abd41d8cd98f00b204e9800998ecf8427e-d", event.Read, "open"),
				used("/home/me/.cache/go-build/cd", event.Create, "mkdir"),
			},
			"~/.cache/go-build/* create\n~/.cache/go-build/*/*-d read\n",
		},
		"siblings":         {many(8, "/srv/a/b/f%d-%d.txt", event.Read), "/srv/a/b/*.txt read\n"},
		"too few":          {many(3, "/srv/a/b/f%d%d.txt", event.Read), "/srv/a/b/f00.txt read\n/srv/a/b/f11.txt read\n/srv/a/b/f22.txt read\n"},
		"a tree":           {many(24, "/usr/share/x/d%d/f%d", event.Read), "/usr/share/x/** read,list\n"},
		"keys are no tree": {many(2, "/home/me/.ssh/d%d/f%d", event.Read), "~/.ssh/d0/f0 read\n~/.ssh/d1/f1 read\n"},
		"its own /proc":    {[]*trace.File{own}, "/proc/self/maps read\n"},
		"a terminal":       {[]*trace.File{used("/dev/pts/7", event.Read, "open")}, "/dev/pts/* read\n"},
		"another's":        {[]*trace.File{used("/proc/99/environ", event.Read, "open")}, "/proc/99/environ read\n"},
		"what ps reads":    {[]*trace.File{used("/proc/99/stat", event.Read, "open")}, "/proc/*/stat read\n"},
		"refused":          {[]*trace.File{refused}, ""},
		"probed":           {[]*trace.File{probed, keyProbed}, "/etc/gitconfig read\n"},
		"folded":           {[]*trace.File{folded, foldedKeys}, "/srv/data/* read\n"},
		"renamed": {
			[]*trace.File{used("/srv/a.lock", event.Write|event.Create|event.Delete, "rename"), used("/srv/a", event.Read|event.Create, "rename")},
			"/srv/a read,write,create\n/srv/a.lock read,write,create,delete\n",
		},
		"no path":  {[]*trace.File{used("relative", event.Read, "open"), used("/a\x00b", event.Read, "open")}, ""},
		"the root": {[]*trace.File{used("/", event.List, "open")}, "/ list\n"},
		"unclean":  {[]*trace.File{used("/srv/../srv/./x", event.Delete, "unlink")}, "/srv/x delete\n"},
	} {
		if got := of(options, tt.files...); got != tt.want {
			t.Errorf("%s: %s\nwant %s", name, got, tt.want)
		}
	}
}

func TestNone(t *testing.T) {
	o := options
	o.Kinds = None
	for _, path := range []string{"/home/me/project/libz.so.1.2.3", "/tmp/tmp.aB3dE9xYz0", "/dev/pts/7"} {
		if got, want := of(o, used(path, event.Read, "open")), path+" read\n"; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestParse(t *testing.T) {
	if k, err := Parse([]string{"home,dirs", "tmp"}); err != nil || k != Home|Dirs|Tmp {
		t.Errorf("%v, %v", k.Names(), err)
	}
	if k, err := Parse([]string{"all"}); err != nil || k != All || !slices.Equal(k.Names(), KindNames()) {
		t.Errorf("%v, %v", k.Names(), err)
	}
	if k, err := Parse([]string{"none"}); err != nil || k != None {
		t.Errorf("%v, %v", k.Names(), err)
	}
	if _, err := Parse([]string{"homes"}); err == nil {
		t.Error("homes is a kind")
	}
}

// What two patterns have in common is never missed.
func FuzzMeet(f *testing.F) {
	f.Add("/a/*/c", "/a/b/*")
	f.Add("/a/**/c", "/a/x*y/**")
	f.Add("/**", "/.env")
	f.Fuzz(func(t *testing.T, a, b string) {
		encode := func(s string) []string {
			return namesOf("/" + strings.TrimPrefix(strings.ReplaceAll(strings.ReplaceAll(s, wild, ""), "*", wild), "/"))
		}
		one, other := encode(a), encode(b)
		if len(one)+len(other) > 8 {
			return
		}
		if meet(one, other) != meet(other, one) {
			t.Errorf("%q and %q meet one way", a, b)
		}
		// A path that one has is made of it; if the other has it too, they meet.
		for _, word := range []string{"", "x", ".env", "b"} {
			var path []string
			for _, name := range one {
				if name == anyDepth {
					path = append(path, word, word)
				} else {
					path = append(path, strings.ReplaceAll(name, wild, word))
				}
			}
			if meet(one, path) && meet(other, path) && !meet(one, other) {
				t.Errorf("%q and %q do not meet, and both have %q", a, b, path)
			}
		}
	})
}

func BenchmarkMillionFiles(b *testing.B) {
	var files []*trace.File
	for i := range 1_000_000 {
		files = append(files, used(fmt.Sprintf("/home/me/project/node_modules/m%d/lib/d%d/file%d.js", i%5000, i%7, i), event.Read, "open"))
	}
	d := &trace.Document{Files: files}
	for b.Loop() {
		b.ReportAllocs()
		if paths := Of(d, options); len(paths.Files) > 100 {
			b.Fatalf("%d patterns", len(paths.Files))
		}
	}
}
