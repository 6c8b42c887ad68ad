package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/kernel"
	"github.com/turnstile-project/turnstile/internal/testenv"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// prepare makes files in dir: names that end with / are directories, "a -> b" are
// symbolic links.
func prepare(t *testing.T, dir string, names ...string) {
	t.Helper()
	for _, name := range names {
		path := filepath.Join(dir, name)
		switch link, text, found := strings.Cut(name, " -> "); {
		case found:
			if err := os.Symlink(text, filepath.Join(dir, link)); err != nil {
				t.Fatal(err)
			}
		case strings.HasSuffix(name, "/"):
			if err := os.MkdirAll(path, 0o755); err != nil {
				t.Fatal(err)
			}
		default:
			write(t, path, "")
		}
	}
}

// inodeName is the name of a file without a name.
var inodeName = regexp.MustCompile(`#\d+`)

// One program does one thing of each kind, and the files section has that and no
// more.
func TestFiles(t *testing.T) {
	needObserve(t)
	program := target(t, "files")
	for _, mode := range [][]string{
		{"-q", "--files", "--"},
		{"-q", "--files", "--net", "--errors", "--args", "--"},
		{"-q", "--all", "--"},
		// The shell has the only slot, so that the program gets none of its own.
		{"-q", "--files", "--max-tasks", "1", "--", "sh", "-c", `"$@"; exit $?`, "sh"},
	} {
		t.Run(strings.Join(mode, " "), func(t *testing.T) {
			dir := workDir(t)
			prepare(t, dir,
				"read", "write", "both", "was_there", "exclusive", "truncated", "path", "dir_flag/", "dir_plain/",
				"link_target", "link -> link_target", "dir/", "dir/inside", "link_to_dir -> dir", "dangling -> nothing_there",
				"not_followed -> read", "by_magic", "spelling", "dots",
				"tmpfiles/",
				"rename_old", "rename_new", "exchange_a", "exchange_b", "noreplace_old", "link_old", "unlink", "unlink_dir/",
				"removedir/", "rmdir/", "rmdir_full/", "rmdir_full/x", "mkdir_exists/",
				"chmod", "fchmod", "fchmodat", "chown", "lchown", "fchown", "fchownat", "utimensat", "futimens",
				"setxattr", "fsetxattr", "truncate", "ftruncate",
				"stat", "lstat", "fstat", "statx", "access", "faccessat", "readlink -> x", "statfs", "getxattr", "listxattr", "watched",
				"not_executable")
			write(t, filepath.Join(dir, "mapped"), "content")
			write(t, filepath.Join(dir, "mapped_data"), "content")

			r := watched(t, append(mode, program, dir)...)
			demandExit(t, r, 0)
			demandComplete(t, r)
			got := fileLines(r.doc, dir)
			for i := range got {
				got[i] = inodeName.ReplaceAllString(got[i], "#N")
			}
			demandLines(t, got, []string{
				`. fd stat ops{chdir 1}`,

				`./read fd read ops{open 3} asked ["read"]`,
				`./write fd write ops{open 1} asked ["write"]`,
				`./both fd read,write ops{open 1} asked ["both"]`,
				`./missing joined read ops{open 2} errors{ENOENT 2} asked ["missing"]`,
				`./read/below joined read ops{open 1} errors{ENOTDIR 1} asked ["read/below"]`,
				`./created fd write,create ops{open 1} asked ["created"]`,
				`./was_there fd read,write ops{open 1} asked ["was_there"]`,
				`./exclusive joined write ops{open 1} errors{EEXIST 1} asked ["exclusive"]`,
				`./truncated fd read,write ops{open 1} asked ["truncated"]`,
				`./path fd stat ops{open 1} asked ["path"]`,
				`./dir_flag fd list ops{open 1} asked ["dir_flag"]`,
				`./dir_plain fd list ops{open 1} asked ["dir_plain"]`,
				`./creat fd write,create ops{open 1} asked ["creat"]`,
				`./link_target fd read ops{open 1} asked ["link"]`,
				`./dir/inside fd read ops{open 2} asked ["inside" "link_to_dir/inside"]`,
				`./dangling joined read ops{open 1} errors{ENOENT 1} asked ["dangling"]`,
				`./not_followed joined read ops{open 1} errors{ELOOP 1} asked ["not_followed"]`,
				`./by_magic fd read,write ops{open 2} asked ["/proc/self/fd/100" "by_magic"]`,
				`./spelling fd read ops{open 1} asked [".//./spelling"]`,
				`./dots fd read ops{open 1} asked ["dir/../dots"]`,
				`./dir/nothing joined read ops{open 1} errors{ENOENT 1} asked ["./dir//./nothing"]`,
				`./how fd read,write,create ops{open 1} asked ["how"]`,
				`./dir fd stat ops{open 1} asked ["dir"]`,
				`./dir/../read joined read ops{open 1} errors{EXDEV 1} asked ["../read"]`,
				`./dir/none joined read ops{open 1} errors{ENOENT 1} asked ["none"]`,

				`./tmpfiles fd create ops{open 1} asked ["tmpfiles"]`,
				`./tmpfiles/#N joined read ops{link 1} asked [""]`,
				`./from_tmpfile joined create ops{link 1} asked ["from_tmpfile"]`,

				`./rename_old joined delete ops{rename 1} asked ["rename_old"]`,
				`./rename_new joined create,delete ops{rename 1} asked ["rename_new"]`,
				`./rename_none joined delete ops{rename 1} errors{ENOENT 1} asked ["rename_none"]`,
				`./rename_nowhere joined create,delete ops{rename 1} errors{ENOENT 1} asked ["rename_nowhere"]`,
				`./exchange_a joined create,delete ops{rename 1} asked ["exchange_a"]`,
				`./exchange_b joined create,delete ops{rename 1} asked ["exchange_b"]`,
				`./noreplace_old joined delete ops{rename 1} asked ["noreplace_old"]`,
				`./noreplace_new joined create ops{rename 1} asked ["noreplace_new"]`,
				`./link_old joined read ops{link 1} asked ["link_old"]`,
				`./link_new joined create ops{link 1} asked ["link_new"]`,
				`./symlink joined create ops{symlink 1} asked ["symlink"]`,
				`./unlink joined delete ops{unlink 1} asked ["unlink"]`,
				`./unlink_dir joined delete ops{unlink 1} errors{EISDIR 1} asked ["unlink_dir"]`,
				`./removedir joined delete ops{rmdir 1} asked ["removedir"]`,
				`./rmdir joined delete ops{rmdir 1} asked ["rmdir"]`,
				`./rmdir_full joined delete ops{rmdir 1} errors{ENOTEMPTY 1} asked ["rmdir_full"]`,
				`./mkdir joined create ops{mkdir 1} asked ["mkdir"]`,
				`./mkdir_exists joined create ops{mkdir 1} errors{EEXIST 1} asked ["mkdir_exists"]`,
				`./mknod joined create ops{mknod 1} asked ["mknod"]`,

				`./chmod joined attr ops{chmod 1} asked ["chmod"]`,
				`./fchmod fd read,attr ops{chmod 1, open 1} asked ["fchmod"]`,
				`./fchmodat joined attr ops{chmod 1} asked ["fchmodat"]`,
				`./chown joined attr ops{chown 1} asked ["chown"]`,
				`./lchown joined attr ops{chown 1} asked ["lchown"]`,
				`./fchown fd read,attr ops{chown 1, open 1} asked ["fchown"]`,
				`./fchownat fd stat,attr ops{chown 1, open 1} asked ["" "fchownat"]`,
				`./utimensat joined attr ops{utime 1} asked ["utimensat"]`,
				`./futimens fd read,attr ops{open 1, utime 1} asked ["futimens"]`,
				`./setxattr joined attr ops{removexattr 1, setxattr 1} asked ["setxattr"]`,
				`./fsetxattr fd read,attr ops{open 1, setxattr 1} asked ["fsetxattr"]`,
				`./truncate joined write ops{truncate 1} asked ["truncate"]`,
				`./ftruncate fd write ops{open 1, truncate 1} asked ["ftruncate"]`,

				`./stat joined stat ops{stat 1} asked ["stat"]`,
				`./lstat joined stat ops{stat 1} asked ["lstat"]`,
				`./fstat fd read ops{open 1} asked ["fstat"]`,
				`./statx joined stat ops{stat 1} asked ["statx"]`,
				`./access joined stat ops{access 1} asked ["access"]`,
				`./faccessat joined stat ops{access 1} asked ["faccessat"]`,
				`./readlink joined stat ops{readlink 1} asked ["readlink"]`,
				`./statfs joined stat ops{statfs 1} asked ["statfs"]`,
				`./getxattr joined stat ops{getxattr 1} errors{ENODATA 1} asked ["getxattr"]`,
				`./listxattr joined stat ops{listxattr 1} asked ["listxattr"]`,
				`./watched joined list ops{watch 1} asked ["watched"]`,

				`./not_executable joined exec ops{exec 1} errors{EACCES 1} asked ["not_executable"]`,
				`./no_program joined exec ops{exec 1} errors{ENOENT 1} asked ["no_program"]`,
				`./mapped fd read,exec ops{map_exec 1, open 1} asked ["mapped"]`,
				`./mapped_data fd read ops{open 1} asked ["mapped_data"]`,
			})
			// A path below a descriptor that is not open starts nowhere.
			if !slices.ContainsFunc(fileLines(r.doc, "nowhere"), func(line string) bool { return line == `. unknown read ops{open 1} errors{EBADF 1}` }) {
				t.Errorf("no entry for the path below a descriptor that is not open")
			}
		})
	}
}

// Where a name begins can change with the very call that names it. The lines have
// what the paths lead to, so that it does not matter whether Turnstile resolved them.
func TestPlaces(t *testing.T) {
	needObserve(t)
	program := target(t, "places")
	for _, tt := range []struct {
		how  string
		want []string
	}{
		{"chdir", []string{
			`. list,stat ops{chdir 2, open 1} asked [".."]`,
			`./down stat ops{chdir 2} asked ["./down" "down"]`,
			`./down/file read ops{open 1} asked ["file"]`,
			`./other stat ops{chdir 1} asked ["../link_to_other"]`,
			`./other/file read ops{open 1} asked ["file"]`,
			`./other/nowhere stat ops{chdir 1} errors{ENOENT 1} asked ["nowhere"]`,
		}},
		{"deleted", []string{
			`. stat ops{chdir 1}`,
			`./gone create,list,stat ops{chdir 1, mkdir 1, open 1} asked ["." "gone"]`,
			`./gone/../gone delete ops{rmdir 1} asked ["../gone"]`,
			`./gone/file write ops{open 1} errors{ENOENT 1} asked ["file"]`,
		}},
		{"chroot", []string{
			`. stat ops{chdir 1, chroot 1}`,
			`./down stat ops{chdir 1, chroot 1} asked ["." "/down"]`,
			`./down/file read ops{open 3} asked ["/down/file" "/file" "file"]`,
			`./missing read ops{open 1} errors{ENOENT 1} asked ["/missing"]`,
			`./down/none stat ops{chroot 1} errors{ENOENT 1} asked ["/none"]`,
		}},
		{"mount", []string{
			`. stat ops{chdir 1}`,
			`./mnt  ops{mount 1} asked ["mnt"]`,
			`./mnt/on_tmpfs write,create ops{open 1} asked ["mnt/on_tmpfs"]`,
			`./bound  ops{mount 2} asked ["bound"]`,
			`./bound/file read ops{open 1} asked ["bound/file"]`,
			`./bound/none read ops{open 1} errors{ENOENT 1} asked ["bound/none"]`,
		}},
	} {
		t.Run(tt.how, func(t *testing.T) {
			dir := workDir(t)
			preparePlaces(t, dir)
			r := watched(t, "-q", "--files", "--", program, tt.how, dir)
			demandExit(t, r, 0)
			demandComplete(t, r)
			var got []string
			for _, f := range r.doc.Files {
				if resolved, err := filepath.EvalSymlinks(f.Path); err == nil {
					f.Path = resolved
				}
			}
			for _, line := range fileLines(r.doc, dir) {
				path, rest, _ := strings.Cut(line, " ")
				_, rest, _ = strings.Cut(rest, " ") // without how it is known
				got = append(got, path+" "+rest)
			}
			demandLines(t, got, tt.want)
		})
	}
}

func preparePlaces(t *testing.T, dir string) {
	t.Helper()
	prepare(t, dir, "down/", "down/file", "other/", "other/file", "link_to_other -> other", "mnt/", "bound/")
}

// A file of a mount that is attached nowhere has no path. The trace may say so in
// any way but by the path of another file.
func TestNoPathIsInvented(t *testing.T) {
	needObserve(t)
	dir := workDir(t)
	preparePlaces(t, dir)
	r := watched(t, "-q", "--files", "--", target(t, "places"), "detached", dir)
	demandExit(t, r, 0)
	for _, name := range []string{"file", "none"} {
		ops := 0
		for _, f := range r.doc.Files {
			if slices.Contains(f.Asked, name) || f.Path == name {
				ops += int(f.Ops.Total())
			}
			if f.Path == "/"+name {
				t.Errorf("%s: there is no such file", asJSON(t, f))
			}
		}
		if ops != 2 {
			t.Errorf("%q was asked for %d times, want 2", name, ops)
		}
	}
}

// A page that nobody has touched cannot be read when the call begins, because the
// hook may not wait for it. The kernel makes it present during the call.
func TestColdPages(t *testing.T) {
	needObserve(t)
	dir := workDir(t)
	prepare(t, dir, "cold_path", "cold_how", "cold_old")
	r := watched(t, "-q", "--files", "--net", "--args", "--", target(t, "cold"), dir)
	demandExit(t, r, 0)
	demandComplete(t, r)
	demandLines(t, fileLines(r.doc, dir), []string{
		`. fd stat ops{chdir 1}`,
		`./pages fd read,write,create ops{open 1, truncate 1} asked ["pages"]`,
		`./cold_path fd read ops{open 1} asked ["cold_path"]`,
		`./cold_missing joined read ops{open 1} errors{ENOENT 1} asked ["cold_missing"]`,
		`./cold_how fd read,write ops{open 1} asked ["cold_how"]`,
		`./cold_old joined delete ops{rename 1} asked ["cold_old"]`,
		`./cold_renamed joined create,delete ops{rename 1} asked ["cold_renamed"]`,
	})
	demandLines(t, socketLines(r.doc), []string{
		`send inet dgram udp 127.0.0.1:11 count 1`,
		`send inet dgram udp 127.0.0.1:12 count 1`,
		`send inet dgram udp 127.0.0.1:13 count 2`,
	})
	if a := argumentOf(r.doc, "clone3", 0); a == nil || !slices.Equal(a.Values, []uint64{unix.CLONE_CLEAR_SIGHAND}) {
		t.Errorf("the flags of clone3 are %s, want %#x", asJSON(t, a), unix.CLONE_CLEAR_SIGHAND)
	}
}

// Paths are recorded whole as long as the kernel takes them. What cannot be told
// is counted, and the section says that it is incomplete.
func TestLongPaths(t *testing.T) {
	needObserve(t)
	dir := workDir(t)
	r := watched(t, "-q", "--files", "--", target(t, "long_paths"), dir)
	demandExit(t, r, 0)

	longest := strings.Repeat(strings.Repeat("l", 200)+"/", 20) + strings.Repeat("f", 75)
	if f := askedFor(t, r.doc, longest); f.Path != dir+"/"+longest || f.Classes != event.Read || f.Ops.Get("open") != 1 {
		t.Errorf("the path of 4,095 bytes is, with %d bytes, %s", len(f.Path), asJSON(t, f))
	}

	// Of a path that the kernel refuses for its length, the beginning is enough.
	tooLong := askedFor(t, r.doc, strings.Repeat("x", 4095))
	if tooLong.Errors.Get("ENAMETOOLONG") != 1 || tooLong.Ops.Total() != 1 {
		t.Errorf("the path of 5,000 bytes is %s", asJSON(t, tooLong))
	}

	cwd := dir + strings.Repeat("/d", 1000)
	for asked, op := range map[string]string{strings.Repeat("e/", 999) + "file": "open", "e/new": "mkdir", "missing": "open"} {
		f := askedFor(t, r.doc, asked)
		if f.Ops.Get(op) != 1 {
			t.Errorf("%.20q is %s", asked, asJSON(t, f))
		}
		// How deep Turnstile can look depends on the kernel.
		lost := f.How == event.HowUnknown && f.Path == asked && r.doc.Lost["deep_path"] > 0
		if f.Path != cwd+"/"+asked && !lost {
			t.Errorf("%.20q is neither right nor said to be unknown: %d bytes, %s, %d lost", asked, len(f.Path), f.How, r.doc.Lost["deep_path"])
		}
	}
	// The dentries of some of these files make up more than a path may be long.
	if *r.doc.Complete.Files != (r.doc.Lost["deep_path"] == 0) {
		t.Errorf("complete.files is %v, but lost is %v", *r.doc.Complete.Files, r.doc.Lost)
	}
}

// askedFor is the only file that was asked for by this path.
func askedFor(t testing.TB, d *trace.Document, path string) *trace.File {
	t.Helper()
	var found []*trace.File
	for _, f := range d.Files {
		if slices.Contains(f.Asked, path) {
			found = append(found, f)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d files were asked for by a path of %d bytes", len(found), len(path))
	}
	return found[0]
}

// Names are bytes. Every byte survives in the files that programs read, and none
// that a terminal obeys reaches the terminal.
func TestOddNames(t *testing.T) {
	needObserve(t)
	dir := workDir(t)
	events := filepath.Join(t.TempDir(), "events")
	r := watched(t, "--files", "--events", events, "--", target(t, "odd_names"), dir, "argument \xfe")
	demandExit(t, r, 0)
	demandComplete(t, r)
	names := []string{
		"bytes \xff\xfe\x80 \xc3",
		"\xed\xa0\x80 surrogate",
		"newline\nturnstile: forged",
		"quote\" = 3",
		"\x1b]0;title\x07\x1b[2J\x9b",
		"\u009b csi in utf-8 \u202e right to left",
		"directory \xff",
		"directory \xff/inside",
	}
	var seen []jsonTarget
	renamed := 0
	for _, e := range readEvents(t, events) {
		seen = append(seen, e.Targets...)
		if string(e.CommBase64) == "\x1b[31m\n\xff\"x" {
			renamed++
		}
		if e.Op == "exec" && !slices.Equal(e.argv(), []string{e.argv()[0], dir, "argument \xfe"}) {
			t.Errorf("argv of the exec event is %q", e.argv())
		}
	}
	for _, name := range names {
		path := filepath.Join(dir, name)
		f := askedFor(t, r.doc, name)
		if f.Path != path {
			t.Errorf("%q is in the trace as %q", path, f.Path)
		}
		if !slices.ContainsFunc(seen, func(x jsonTarget) bool { return x.path() == path && x.asked() == name }) {
			t.Errorf("%q is not in the events", path)
		}
		// What is not UTF-8 is not in plain fields, where readers would
		// replace it.
		raw := asJSON(t, f)
		if utf8.ValidString(path) != strings.Contains(raw, `"path":`) || utf8.ValidString(path) == strings.Contains(raw, `"path_base64":`) {
			t.Errorf("%q is written as %s", path, raw)
		}
	}
	if renamed < len(names) {
		t.Errorf("%d events have the thread's name, want at least %d", renamed, len(names))
	}
	if argv := r.doc.Execs[0].Argv; len(argv) != 3 || argv[2] != "argument \xfe" {
		t.Errorf("argv is %q", argv)
	}
	for line := range strings.Lines(r.stderr) {
		for _, c := range strings.TrimSuffix(line, "\n") {
			if c == utf8.RuneError || !unicode.IsPrint(c) {
				t.Errorf("stderr has %q in the line %q", c, line)
			}
		}
		if strings.HasPrefix(line, "turnstile: forged") {
			t.Errorf("the target forged a line of turnstile")
		}
	}
	for _, name := range names {
		if quoted := strconv.Quote(filepath.Join(dir, name)); !strings.Contains(r.stderr, quoted) {
			t.Errorf("no live line has %s", quoted)
		}
	}
}

// Calls through io_uring are no system calls. When a program uses it, the trace
// says that files and sockets may be missing.
func TestIOUring(t *testing.T) {
	needObserve(t)
	program := target(t, "uring")
	dir := workDir(t)
	prepare(t, dir, "file")
	if unwatched(t, program, dir+"/file") != 0 {
		testenv.Lack(t, "io_uring is not allowed here")
	}
	for _, tt := range []struct {
		name     string
		args     []string
		complete bool
		code     int
	}{
		{"used", []string{"--", program, dir + "/file"}, false, 0},
		{"used, strict", []string{"--strict", "--", program, dir + "/file"}, false, 3},
		{"refused", []string{"--strict", "--", program}, true, 0},
		{"not used", []string{"--strict", "--", "true"}, true, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := watched(t, append([]string{"--files", "--net"}, tt.args...)...)
			if r.code != tt.code {
				t.Errorf("exit code %d, want %d\n%s", r.code, tt.code, r.stderr)
			}
			c := r.doc.Complete
			if *c.Files != tt.complete || *c.Sockets != tt.complete || !c.Syscalls || !c.Processes {
				t.Errorf("complete is %s", asJSON(t, c))
			}
			if (r.doc.Lost["io_uring"] == 0) != tt.complete {
				t.Errorf("lost is %v", r.doc.Lost)
			}
			if strings.Contains(r.stderr, "what io_uring did") == tt.complete {
				t.Errorf("what the user is told:\n%s", r.stderr)
			}
		})
	}
	// Where programs can be attached to functions, what it opens is told.
	for _, who := range []string{"the process", "a worker"} {
		t.Run("opened by "+who, func(t *testing.T) {
			args := []string{"-q", "--files", "--", program, dir + "/file"}
			if who == "a worker" {
				args = append(args, "async")
			}
			r := watched(t, args...)
			demandExit(t, r, 0)
			var want []string
			if kernel.Probe(kernel.Fentry).Has(kernel.Fentry) {
				want = []string{`./file fd read ops{open 1}`}
			}
			demandLines(t, fileLines(r.doc, dir), want)
		})
	}
	// Counts of calls are complete with io_uring as without.
	r := watched(t, "-q", "--strict", "--", program, dir+"/file")
	demandExit(t, r, 0)
	demandComplete(t, r)
	demandTotals(t, r.doc, map[string]int{"io_uring_setup": 1, "io_uring_enter": 1})
}

// A path that is NULL, and one that points nowhere, is nothing that was lost.
func TestNullPaths(t *testing.T) {
	needObserve(t)
	dir := workDir(t)
	prepare(t, dir, "file")
	r := watched(t, "-q", "--files", "--", target(t, "null_paths"), dir+"/file")
	demandExit(t, r, 0)
	demandComplete(t, r)
	demandLines(t, fileLines(r.doc, dir), []string{
		// The read is that of link, which looks at the old name first.
		`./file fd read,write,list,attr ops{link 1, open 1, utime 1, watch 1} errors{EFAULT 1}`,
	})
}

// A file can be opened without a name.
func TestOpenByHandle(t *testing.T) {
	needObserve(t)
	dir := workDir(t)
	prepare(t, dir, "file")
	r := watched(t, "-q", "--files", "--", target(t, "handles"), dir, "file")
	demandExit(t, r, 0)
	demandComplete(t, r)
	demandLines(t, fileLines(r.doc, dir), []string{
		`. fd list ops{open 1}`,
		`./file fd read,stat ops{handle 1, open 1} asked ["file"]`,
	})
}

// Attributes can be changed through a descriptor that may only read.
func TestFileFlagsAreAttributes(t *testing.T) {
	needObserve(t)
	dir := workDir(t)
	prepare(t, dir, "file")
	r := watched(t, "-q", "--files", "--", target(t, "file_flags"), dir+"/file")
	demandExit(t, r, 0)
	demandComplete(t, r)
	i := slices.IndexFunc(r.doc.Files, func(f *trace.File) bool { return f.Path == dir+"/file" })
	if i < 0 || r.doc.Files[i].Classes != event.Read|event.Attr {
		t.Errorf("files below %s: %q", dir, fileLines(r.doc, dir))
	}
}
