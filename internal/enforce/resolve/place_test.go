package resolve

import (
	"errors"
	"os"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/testenv"
)

func TestSplit(t *testing.T) {
	for _, tt := range []struct{ name, before, last string }{
		{"a", ".", "a"}, {"a/", ".", "a"}, {"a//", ".", "a"}, {"a/b", "a", "b"}, {"a//b", "a/", "b"}, {"a/b/", "a", "b"},
		{"/a", "/", "a"}, {"//a", "/", "a"}, {"/a/", "/", "a"}, {"/a/b", "/a", "b"}, {"/", "/", ""}, {"//", "/", ""},
		{".", ".", "."}, {"..", ".", ".."}, {"a/.", "a", "."}, {"a/..", "a", ".."}, {"/..", "/", ".."}, {"./a", ".", "a"}, {"../a", "..", "a"},
		{"a\n/b\n", "a\n", "b\n"}, {"\xff/\xfe", "\xff", "\xfe"},
	} {
		if before, last := Split(tt.name); before != tt.before || last != tt.last {
			t.Errorf("%q: %q and %q, want %q and %q", tt.name, before, last, tt.before, tt.last)
		}
	}
}

func TestPlace(t *testing.T) {
	noLeak(t)
	root := realTempDir(t)
	plant(t, root, "d/", "d/e/", "d/file", "file", "link -> d", "dangling -> none", "loop -> loop", "to file -> file")
	target, dir := us(t), pinned(t, root)
	for _, tt := range []struct {
		name, path, last string
		fixed            bool
		err              unix.Errno
	}{
		{name: "x", path: "/x", last: "x"},
		{name: "x/", path: "/x", last: "x/"},
		{name: "x//", path: "/x", last: "x/"},
		{name: "./x", path: "/x", last: "x"},
		{name: "d/x", path: "/d/x", last: "x"},
		{name: "d//x", path: "/d/x", last: "x"},
		{name: "d/e/../x", path: "/d/x", last: "x"},
		{name: "link/x", path: "/d/x", last: "x"},
		{name: "link/e/x\n\xff", path: "/d/e/x\n\xff", last: "x\n\xff"},
		{name: "file", path: "/file", last: "file"},
		{name: "file/", path: "/file", last: "file/"},
		{name: "link", path: "/link", last: "link"},
		{name: "link/", path: "/link", last: "link/"},
		{name: "dangling", path: "/dangling", last: "dangling"},
		{name: "dangling/", path: "/dangling", last: "dangling/"},
		{name: ".", last: ".", fixed: true},
		{name: "..", last: "..", fixed: true},
		{name: "d/.", last: ".", fixed: true},
		{name: "d/..", last: "..", fixed: true},
		{name: "d/../", last: "..", fixed: true},
		{name: "d/./", last: ".", fixed: true},
		{name: "/", last: "/", fixed: true},
		{name: "//", last: "/", fixed: true},
		{name: "", err: unix.ENOENT},
		{name: "none/x", err: unix.ENOENT},
		{name: "dangling/x", err: unix.ENOENT},
		{name: "none/..", err: unix.ENOENT},
		{name: "file/x", err: unix.ENOTDIR},
		{name: "to file/x", err: unix.ENOTDIR},
		{name: "file/.", err: unix.ENOTDIR},
		{name: "loop/x", err: unix.ELOOP},
	} {
		for _, absolute := range []bool{false, true} {
			at, name := dir, tt.name
			if absolute && name != "" && name[0] != '/' {
				at, name = -1, root+"/"+name
			} else if name != "" && name[0] == '/' {
				at = -1 // as for every absolute path of a call
			}
			p, err := target.Place(at, name)
			switch {
			case errnoOf(t, err) != tt.err:
				t.Errorf("%q: %v, want %v", name, err, tt.err)
			case err != nil && p.Dir != -1:
				t.Errorf("%q: a descriptor with %v", name, err)
			case err == nil && (p.Fixed != tt.fixed || p.Name != tt.last || !tt.fixed && p.Path != root+tt.path):
				t.Errorf("%q: %q in %q, fixed %v, want %q, %q, %v", name, p.Name, p.Path, p.Fixed, tt.last, tt.path, tt.fixed)
			}
			p.Close()
		}
	}
}

// TestPlaceIsActedOn makes, removes and renames by a place, and by the kernel in a tree
// of the same shape, and compares what comes of it.
func TestPlaceIsActedOn(t *testing.T) {
	noLeak(t)
	acts := map[string]func(dir int, name string, top int) error{
		"mkdir":   func(dir int, name string, _ int) error { return unix.Mkdirat(dir, name, 0o755) },
		"mknod":   func(dir int, name string, _ int) error { return unix.Mknodat(dir, name, unix.S_IFREG|0o644, 0) },
		"symlink": func(dir int, name string, _ int) error { return unix.Symlinkat("text", dir, name) },
		"unlink":  func(dir int, name string, _ int) error { return unix.Unlinkat(dir, name, 0) },
		"rmdir":   func(dir int, name string, _ int) error { return unix.Unlinkat(dir, name, unix.AT_REMOVEDIR) },
		"rename":  func(dir int, name string, top int) error { return unix.Renameat2(dir, name, top, "renamed", 0) },
		"replace": func(dir int, name string, top int) error { return unix.Renameat2(top, "file", dir, name, 0) },
	}
	names := []string{
		"x", "x/", "d/x", "d/x/", "file", "file/", "file/.", "file/..", "file/x", "d", "d/", "d/.", "d/..", "d/e", "d/e/", "d/e/.", "d/e/..", ".", "..", "./", "../",
		"link", "link/", "link/.", "link/x", "link/e", "link/..", "dangling", "dangling/", "dangling/x", "loop", "loop/", "loop/x", "none/x", "none/", "none/.", "none/..", "/", "//", "/.", "/..",
	}
	target := us(t)
	parent := t.TempDir()
	shape := []string{"a/", "a/d/", "a/d/e/", "a/file", "a/link -> d", "a/dangling -> none", "a/loop -> loop"}
	// A tree is made anew if something has happened to it.
	top, planted := parent+"/top", ""
	in := func(f func(dir int) error) (string, error) {
		if planted == "" {
			if err := os.Mkdir(top, 0o755); err != nil {
				t.Fatal(err)
			}
			plant(t, top, shape...)
			planted = tree(top)
		}
		dir, err := unix.Open(top+"/a", unix.O_PATH|unix.O_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(dir)
		err = f(dir)
		after := tree(top)
		if after != planted {
			planted = ""
			if err := os.RemoveAll(top); err != nil {
				t.Fatal(err)
			}
		}
		return after, err
	}
	for what, act := range acts {
		for _, name := range names {
			gotTree, got := in(func(dir int) error {
				at := dir
				if name[0] == '/' {
					at = -1 // as for every absolute path of a call
				}
				p, err := target.Place(at, name)
				if err != nil {
					return err
				}
				defer p.Close()
				return act(p.Dir, p.Name, dir)
			})
			wantTree, want := in(func(dir int) error { return act(dir, name, dir) })
			if errnoOf(t, got) != errnoOf(t, want) {
				t.Errorf("%s %q: %v, the kernel says %v", what, name, got, want)
			}
			if gotTree != wantTree {
				t.Errorf("%s %q made\n%s, the kernel\n%s", what, name, gotTree, wantTree)
			}
		}
	}
}

func TestAt(t *testing.T) {
	noLeak(t)
	root := realTempDir(t)
	plant(t, root, "d/", "file", "link -> d", "dangling -> none")
	target, dir := us(t), pinned(t, root)
	for name, kind := range map[string]uint32{"d": unix.S_IFDIR, "d/": unix.S_IFDIR, "file": unix.S_IFREG, "link": unix.S_IFLNK, "link/": unix.S_IFLNK, "dangling": unix.S_IFLNK, "none": 0} {
		p, err := target.Place(dir, name)
		if err != nil {
			t.Fatal(err)
		}
		o, err := target.At(&p)
		if kind == 0 && !errors.Is(err, unix.ENOENT) || kind != 0 && !o.Is(kind) {
			t.Errorf("%q: type %#o, %v, want %#o", name, o.Stat.Mode, err, kind)
		}
		o.Close()
		p.Close()
	}
}

// TestPlaceInDirectoryThatIsGone: its path is not that of a directory that has come since.
func TestPlaceInDirectoryThatIsGone(t *testing.T) {
	noLeak(t)
	root := realTempDir(t)
	plant(t, root, "d/")
	dir := pinned(t, root+"/d")
	if err := os.Remove(root + "/d"); err != nil {
		t.Fatal(err)
	}
	plant(t, root, "d/", "d/x")
	p, err := us(t).Place(dir, "x")
	if err != nil || p.Path == root+"/d/x" {
		t.Errorf("%q, %v", p.Path, err)
	}
	p.Close()
}

// TestProtectedSymlinks: in a directory like /tmp only links of its owner and of oneself
// are followed, if the host says so (proc_sys_fs(5)). The kernel sees to that where it
// walks; a link that leads through one of procfs is followed here.
func TestProtectedSymlinks(t *testing.T) {
	testenv.Root(t) // it makes links of others
	root := realTempDir(t)
	const owner, other, follower = 61001, 61002, 61003
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	for dir := root; dir != "/tmp" && dir != "/"; dir = dir[:max(1, lastSlash(dir))] {
		os.Chmod(dir, 0o755)
	}
	plant(t, root, "file", "sticky/", "plain/")
	c := startChild(t, root)
	for _, dir := range []string{"sticky", "plain"} {
		for name, uid := range map[string]int{"owner": owner, "other": other, "follower": follower} {
			plant(t, root, dir+"/"+name+" -> /proc/self/root"+root+"/file", dir+"/kernel's "+name+" -> ROOT/file")
			for _, link := range []string{name, "kernel's " + name} {
				if err := os.Lchown(root+"/"+dir+"/"+link, uid, uid); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := os.Chown(root+"/"+dir, owner, owner); err != nil {
			t.Fatal(err)
		}
	}
	if err := unix.Chmod(root+"/sticky", 0o1777); err != nil {
		t.Fatal(err)
	}
	if err := unix.Chmod(root+"/plain", 0o777); err != nil {
		t.Fatal(err)
	}
	c.FSUID = follower
	noLeak(t)
	done := make(chan struct{})
	go func() { // on a thread that ends with it
		defer close(done)
		runtime.LockOSThread()
		unix.Setfsgid(follower)
		unix.Setfsuid(follower)
		c.AsTracer = func(f func()) {
			unix.Setfsuid(0)
			defer unix.Setfsuid(follower)
			f()
		}
		for _, dir := range []string{"sticky", "plain"} {
			for _, name := range []string{"owner", "other", "follower"} {
				_, want := byKernel(Lookup{Dir: -1, Name: root + "/" + dir + "/kernel's " + name, Follow: true})
				for _, kind := range []string{"", "kernel's "} {
					o, err := c.File(Lookup{Dir: -1, Name: root + "/" + dir + "/" + kind + name, Follow: true})
					if errnoOf(t, err) != errnoOf(t, want) {
						t.Errorf("%s/%s%s: %v, the kernel says %v", dir, kind, name, err, want)
					}
					o.Close()
					o, err = c.File(Lookup{Dir: -1, Name: root + "/" + dir + "/" + kind + name})
					if err != nil || !o.Is(unix.S_IFLNK) {
						t.Errorf("%s/%s%s itself: %v", dir, kind, name, err)
					}
					o.Close()
				}
			}
		}
	}()
	<-done
}

func lastSlash(name string) int {
	for i := len(name) - 1; i > 0; i-- {
		if name[i] == '/' {
			return i
		}
	}
	return 0
}
