package resolve

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// byKernel is what open(2) with O_PATH says about a lookup.
func byKernel(l Lookup) (stat unix.Stat_t, err error) {
	flags := unix.O_PATH | unix.O_CLOEXEC
	if !l.Follow {
		flags |= unix.O_NOFOLLOW
	}
	var fd int
	if l.Resolve == 0 {
		fd, err = unix.Openat(l.Dir, l.Name, flags, 0)
	} else {
		fd, err = unix.Openat2(l.Dir, l.Name, &unix.OpenHow{Flags: uint64(flags), Resolve: l.Resolve})
	}
	if err != nil {
		return stat, err
	}
	defer unix.Close(fd)
	return stat, unix.Fstat(fd, &stat)
}

// compare looks a path up by this package and by the kernel, and says how they differ.
func compare(t testing.TB, target *Target, l Lookup) {
	t.Helper()
	o, err := target.File(l)
	defer func() { o.Close() }()
	want, wantErr := byKernel(l)
	what := fmt.Sprintf("%q (follow %v, resolve %#x)", l.Name, l.Follow, l.Resolve)
	switch {
	case errors.Is(wantErr, unix.ENOENT):
		if err == nil && o.Exists() {
			t.Errorf("%s: found %q, the kernel says ENOENT", what, o.Path)
		} else if err != nil && errnoOf(t, err) != unix.ENOENT {
			t.Errorf("%s: %v, the kernel says ENOENT", what, err)
		} else if l.Resolve == 0 && l.Follow {
			compareCreated(t, what, l, &o)
		}
		return
	case err == nil && !o.Exists():
		t.Errorf("%s: missing in %q, the kernel says %v", what, o.Path, wantErr)
		return
	case errnoOf(t, err) != errnoOf(t, wantErr):
		t.Errorf("%s: error %v, the kernel says %v", what, err, wantErr)
		return
	case wantErr != nil:
		if o.FD != -1 || o.Dir != -1 {
			t.Errorf("%s: %v and descriptors %d, %d", what, err, o.FD, o.Dir)
		}
		return
	}
	var pinned, named unix.Stat_t
	if err := unix.Fstat(o.FD, &pinned); err != nil || !sameFile(&pinned, &want) || !sameFile(&o.Stat, &want) {
		t.Errorf("%s: it is not the object that the kernel finds (%v)", what, err)
	}
	if !o.Named() {
		t.Errorf("%s: %q is no name", what, o.Path)
	} else if err := unix.Lstat(o.Path, &named); err != nil || !sameFile(&named, &want) {
		t.Errorf("%s: %q does not name it (%v)", what, o.Path, err)
	}
}

// compareCreated makes the file that does not exist by the kernel, and looks whether it
// came where the place is.
func compareCreated(t testing.TB, what string, l Lookup, o *Object) {
	t.Helper()
	fd, err := unix.Openat(l.Dir, l.Name, unix.O_CREAT|unix.O_WRONLY|unix.O_CLOEXEC, 0o600)
	switch {
	case err == nil:
		defer unix.Close(fd)
	case errors.Is(err, unix.EISDIR): // a slash at the end, which the place has to tell of
		if o.Dir >= 0 && !strings.HasSuffix(o.Name, "/") {
			t.Errorf("%s: could be created as %q, the kernel says EISDIR", what, o.Path)
		}
		return
	default:
		if o.Dir >= 0 {
			t.Errorf("%s: could be created as %q, the kernel says %v", what, o.Path, err)
		}
		return
	}
	var made, found unix.Stat_t
	if err := unix.Fstat(fd, &made); err != nil {
		t.Fatal(err)
	}
	if o.Dir < 0 {
		t.Errorf("%s: the kernel can create it, and there is no place for it", what)
		if link, err := NameOf(fd); err == nil {
			unix.Unlink(link)
		}
		return
	}
	if err := unix.Fstatat(o.Dir, o.Name, &found, unix.AT_SYMLINK_NOFOLLOW); err != nil || !sameFile(&made, &found) {
		t.Errorf("%s: not created as %q of its place (%v)", what, o.Name, err)
	}
	if err := unix.Lstat(o.Path, &found); err != nil || !sameFile(&made, &found) {
		t.Errorf("%s: not created as %q (%v)", what, o.Path, err)
	}
	name, err := NameOf(fd)
	if err == nil {
		err = unix.Unlink(name)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// plant makes files below a directory: "name/" is a directory, "name -> text" a link,
// "name = old" a hard link, "name |" a FIFO, "name @" a socket, all others are files.
func plant(t testing.TB, root string, entries ...string) {
	t.Helper()
	for _, e := range entries {
		var err error
		name, old, isHard := strings.Cut(e, " = ")
		link, text, isLink := strings.Cut(e, " -> ")
		switch {
		case isHard:
			err = os.Link(root+"/"+old, root+"/"+name)
		case isLink:
			err = os.Symlink(strings.ReplaceAll(text, "ROOT", root), root+"/"+link)
		case strings.HasSuffix(e, "/"):
			err = os.MkdirAll(root+"/"+e, 0o755)
		case strings.HasSuffix(e, " |"):
			err = unix.Mkfifo(root+"/"+strings.TrimSuffix(e, " |"), 0o600)
		case strings.HasSuffix(e, " @"):
			err = unix.Mknod(root+"/"+strings.TrimSuffix(e, " @"), unix.S_IFSOCK|0o600, 0)
		default:
			err = os.WriteFile(root+"/"+e, []byte(e), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func realTempDir(t testing.TB) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestLikeTheKernel looks up all kinds of paths, and compares what comes of it with what
// open(2) does.
func TestLikeTheKernel(t *testing.T) {
	noLeak(t)
	root := realTempDir(t)
	plant(t, root,
		"d/", "d/e/", "d/e/f/", "other/", "empty/",
		"file", "d/file", "d/e/f/deep", "hard = file", "d/hard = d/e/f/deep",
		"fifo |", "socket @",
		"x (deleted)", "new\nline", "not \xff\xfe utf-8", " ", "-", "back\\slash", "*", "größe",
		"link -> file", "absolute -> ROOT/d/e", "relative -> d/e", "d/up -> ../file", "d/e/upup -> ../../other",
		"chain1 -> chain2", "chain2 -> d/chain3", "d/chain3 -> ../chain4", "chain4 -> ROOT/d/e/f",
		"dangling -> nowhere", "d/dangling -> ../other/nowhere", "chain to nothing -> d/dangling",
		"dangling far -> no/where", "dangling slash -> nowhere/", "dangling dots -> nowhere/..", "dangling dot -> nowhere/.",
		"dangling absolute -> ROOT/other/none", "dangling through a file -> file/x", "dangling (deleted) -> gone (deleted)",
		"self -> self", "ping -> pong", "pong -> ping", "to self below -> self/x",
		"to dir -> d", "to dir slash -> d/", "to file slash -> file/", "to dots -> d/e/..", "to dot -> .", "to root -> /",
		"to fifo -> fifo", "to socket -> socket", "with newline -> new\nline", "to deleted -> x (deleted)",
	)
	long := strings.Repeat("n", 255)
	plant(t, root, long, "to long -> "+long)
	names := []string{
		".", "..", "/", "//", "./", "../", "./.", "d", "d/", "d//", "d/.", "d/..", "d/../", "d/./e", "d//e", "d/e/../e/./f",
		"file", "./file", "file/", "file/.", "file/..", "file/x", "file//", "d/file/", "d/e/f/deep", "d/e/f/deep/..",
		"hard", "d/hard", "fifo", "fifo/", "fifo/x", "socket", "socket/",
		"x (deleted)", "new\nline", "not \xff\xfe utf-8", " ", "-", "back\\slash", "*", "größe", long, "to long",
		"link", "link/", "link/x", "link/..", "link/.", "absolute", "absolute/", "absolute/f", "absolute/..", "absolute/../file", "absolute/f/deep",
		"relative", "relative/", "relative/..", "relative/f/deep", "d/up", "d/up/", "d/e/upup", "d/e/upup/", "d/e/upup/x",
		"chain1", "chain1/", "chain1/deep", "chain1/deep/", "chain1/missing", "chain1/..",
		"dangling", "dangling/", "dangling//", "dangling/x", "dangling/.", "dangling/..", "d/dangling", "d/dangling/", "chain to nothing", "chain to nothing/",
		"dangling far", "dangling far/", "dangling slash", "dangling slash/", "dangling dots", "dangling dot",
		"dangling absolute", "dangling absolute/", "dangling through a file", "dangling (deleted)",
		"self", "self/", "self/x", "self/..", "ping", "ping/", "to self below",
		"to dir", "to dir/", "to dir/file", "to dir/..", "to dir slash", "to dir slash/", "to file slash", "to dots", "to dots/", "to dot", "to dot/", "to dot/to dot/file", "to root", "to root/",
		"to fifo", "to fifo/", "to socket", "with newline", "to deleted",
		"missing", "missing/", "missing//", "missing/x", "missing/.", "missing/..", "missing/../file", "d/missing", "d/e/../missing", "d/missing/x/y",
		"d/e/upup/missing", "missing (deleted)", "missing\nline", "missing \xff", strings.Repeat("m", 255), strings.Repeat("m", 256), strings.Repeat("m", 256) + "/x", "d/" + strings.Repeat("m", 300),
		strings.Repeat("./", 2000) + "file", strings.Repeat("./", 2045) + "file", strings.Repeat("d/../", 800) + "missing",
		"empty/", "empty/x",
	}
	target := us(t)
	dir := pinned(t, root)
	fileAsDir := pinned(t, root+"/file")
	for _, name := range names {
		for _, follow := range []bool{true, false} {
			compare(t, target, Lookup{Dir: dir, Name: name, Follow: follow})
			compare(t, target, Lookup{Dir: fileAsDir, Name: name, Follow: follow})
			compare(t, target, Lookup{Dir: -1, Name: root + "/" + name, Follow: follow})
			compare(t, target, Lookup{Dir: -1, Name: "/" + root + "//" + name, Follow: follow})
			if !strings.HasPrefix(name, "/") {
				compare(t, target, Lookup{Dir: -1, Name: name, Follow: follow}) // EBADF
			}
		}
	}
	if _, err := target.File(Lookup{Dir: dir, Name: ""}); !errors.Is(err, unix.ENOENT) {
		t.Errorf("no name: %v, want ENOENT (path_resolution(7))", err)
	}
}

// TestLinksAreCounted: 40 links are followed, and not one more.
func TestLinksAreCounted(t *testing.T) {
	noLeak(t)
	root := realTempDir(t)
	plant(t, root, "d/", "d/file", "0 -> d")
	for i := 1; i <= 90; i++ {
		plant(t, root, fmt.Sprintf("%d -> %d", i, i-1))
	}
	plant(t, root, "gone0 -> gone")
	for i := 1; i <= 45; i++ {
		plant(t, root, fmt.Sprintf("gone%d -> gone%d", i, i-1))
	}
	target, dir := us(t), pinned(t, root)
	for _, i := range []int{0, 1, 37, 38, 39, 40, 41, 42, 60, 79, 80, 81, 90} {
		for _, name := range []string{"%d", "%d/", "%d/file", "%d/missing", "%d/..", "0/../%d/file"} {
			for _, follow := range []bool{true, false} {
				compare(t, target, Lookup{Dir: dir, Name: fmt.Sprintf(name, i), Follow: follow})
			}
		}
	}
	for i := range 46 {
		compare(t, target, Lookup{Dir: dir, Name: fmt.Sprintf("gone%d", i), Follow: true})
	}
}

// TestUnlinked: what is open and has no name any more is told from what is called so.
func TestUnlinked(t *testing.T) {
	noLeak(t)
	root := realTempDir(t)
	plant(t, root, "gone", "both", "both (deleted)", "kept", "other name = kept", "trick", "trick (deleted) = trick", "d/", "x (deleted)", "d (deleted)/")
	target := us(t)
	var fds []int
	for _, name := range []string{"gone", "both", "kept", "trick", "d"} {
		fd := pinned(t, root+"/"+name)
		fds = append(fds, fd)
		if err := os.Remove(root + "/" + name); err != nil {
			t.Fatal(err)
		}
	}
	for i, want := range []struct {
		path     string
		unlinked bool
		hasOther bool
	}{
		{"gone", true, false}, {"both", true, false}, {"kept", true, true}, {"trick (deleted)", false, true}, {"d", true, false},
	} {
		o, err := target.Descriptor(fds[i])
		if err != nil {
			t.Fatal(err)
		}
		if o.Path != root+"/"+want.path || o.Unlinked != want.unlinked || o.Named() == want.unlinked || o.Stat.Nlink > 0 != want.hasOther {
			t.Errorf("%q, unlinked %v, %d links, want %q, %v, another: %v", o.Path, o.Unlinked, o.Stat.Nlink, want.path, want.unlinked, want.hasOther)
		}
		if o.FD == fds[i] {
			t.Error("the object has no descriptor of its own")
		}
		o.Close()
	}
	// A new file by the name of one that is still open.
	plant(t, root, "gone")
	o, err := target.Descriptor(fds[0])
	if err != nil || !o.Unlinked || o.Path != root+"/gone" {
		t.Errorf("%q, unlinked %v, %v: it is not the new file", o.Path, o.Unlinked, err)
	}
	o.Close()
	// Below a directory that is gone, nothing can be made or found but what it is.
	gone := fds[4]
	for _, name := range []string{".", "x", "x/", "x/y"} {
		o, err := target.File(Lookup{Dir: gone, Name: name, Follow: true})
		_, wantErr := byKernel(Lookup{Dir: gone, Name: name, Follow: true})
		if errnoOf(t, wantErr) == 0 != o.Exists() {
			t.Errorf("%q of a directory that is gone: %v, the kernel says %v", name, err, wantErr)
		}
		if o.Exists() && (!o.Unlinked || o.Named()) {
			t.Errorf("%q of a directory that is gone has the name %q", name, o.Path)
		}
		o.Close()
	}
	for _, name := range []string{"x (deleted)", "d (deleted)", "both (deleted)"} {
		compare(t, target, Lookup{Dir: pinned(t, root), Name: name})
	}
}

func TestNameless(t *testing.T) {
	noLeak(t)
	target := us(t)
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pipe[0])
	defer unix.Close(pipe[1])
	memory, err := unix.MemfdCreate("a name", unix.MFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(memory)
	tmpfile, err := unix.Open(t.TempDir(), unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(tmpfile)
	for _, fd := range []int{pipe[0], memory, tmpfile} {
		o, err := target.Descriptor(fd)
		if err != nil {
			t.Fatal(err)
		}
		if o.Named() {
			t.Errorf("%q is no name", o.Path)
		}
		o.Close()
	}
	if _, err := target.Descriptor(-1); errnoOf(t, err) != unix.EBADF {
		t.Errorf("no descriptor: %v", err)
	}
}

// TestDeepDirectory: where the name of a directory is longer than PATH_MAX, relative paths
// work, and what they lead to has an unknown name, but one.
func TestDeepDirectory(t *testing.T) {
	noLeak(t)
	at := pinned(t, t.TempDir())
	top := at
	name := strings.Repeat("d", 250)
	depth := 0
	for ; depth < 18; depth++ {
		if err := unix.Mkdirat(at, name, 0o755); err != nil {
			t.Fatal(err)
		}
		fd, err := unix.Openat(at, name, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		if at != top {
			defer unix.Close(at)
		}
		at = fd
	}
	defer unix.Close(at)
	target := us(t)
	if err := unix.Mknodat(at, "file", unix.S_IFREG|0o600, 0); err != nil {
		t.Fatal(err)
	}
	for name, exists := range map[string]bool{".": true, "file": true, "missing": false} {
		o, err := target.File(Lookup{Dir: at, Name: name})
		if err != nil || o.Exists() != exists || o.Path != "" || o.Named() || !o.HadName() {
			t.Errorf("%q: exists %v, %q, %v", name, o.Exists(), o.Path, err)
		}
		o.Close()
		p, err := target.Place(at, name)
		if err != nil || p.Path != "" || !p.Fixed && p.Name != name {
			t.Errorf("the place of %q: %q, %q, %v", name, p.Name, p.Path, err)
		}
		p.Close()
	}
	// Where the names are short again they are known again.
	o, err := target.File(Lookup{Dir: at, Name: strings.Repeat("../", depth) + "."})
	if err != nil || !o.Named() {
		t.Errorf("the top: %q, %v", o.Path, err)
	}
	o.Close()
}

func TestRestrictedLookups(t *testing.T) {
	noLeak(t)
	root := realTempDir(t)
	plant(t, root, "d/", "d/e/", "d/file", "file", "d/in -> e", "d/out -> ../file", "d/absolute -> ROOT/file", "d/rooted -> /e", "d/up -> ..",
		"d/dangling -> nothing", "d/dangling out -> ../nothing", "d/dangling rooted -> /nothing", "d/loop -> loop")
	target, dir := us(t), pinned(t, root+"/d")
	names := []string{
		".", "..", "file", "e", "e/", "e/..", "e/../..", "in", "in/", "in/..", "in/../..", "out", "absolute", "rooted", "rooted/", "up", "up/file", "../d/file",
		"/", "/file", "/e/../../file", root + "/file", "missing", "missing/", "missing/x", "e/missing", "in/missing", "../missing", "/missing",
		"dangling", "dangling/", "dangling out", "dangling rooted", "loop", "loop/x", "file/x", "file/",
	}
	for _, flags := range []uint64{
		unix.RESOLVE_NO_SYMLINKS, unix.RESOLVE_BENEATH, unix.RESOLVE_IN_ROOT, unix.RESOLVE_NO_XDEV, unix.RESOLVE_NO_MAGICLINKS,
		unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS, unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_SYMLINKS, unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_XDEV | unix.RESOLVE_NO_MAGICLINKS,
	} {
		for _, name := range names {
			for _, follow := range []bool{true, false} {
				compare(t, target, Lookup{Dir: dir, Name: name, Follow: follow, Resolve: flags})
			}
		}
	}
}

// TestRandomTrees compares lookups of random paths in random trees full of links.
func TestRandomTrees(t *testing.T) {
	noLeak(t)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	target := us(t)
	names := []string{"a", "b", "c", "a (deleted)", "x\ny", "\xff"}
	some := func() string { return names[random.IntN(len(names))] }
	root := ""
	path := func() string {
		b := ""
		if random.IntN(5) == 0 {
			b = root + "/"
		}
		for i := range 1 + random.IntN(5) {
			if i > 0 {
				b += "/"
				if random.IntN(12) == 0 {
					b += "/"
				}
			}
			switch random.IntN(8) {
			case 0:
				b += ".."
			case 1:
				b += "."
			default:
				b += some()
			}
		}
		if random.IntN(6) == 0 {
			b += "/"
		}
		return b
	}
	trees, lookups := 30, 120
	if testing.Short() {
		trees = 10
	}
	for range trees {
		// Two levels down, so that ".." leads to directories that are known.
		top := realTempDir(t)
		root = top + "/a/b"
		plant(t, top, "a/b/")
		dirs := []string{root}
		for range 14 {
			at := dirs[random.IntN(len(dirs))] + "/" + some()
			switch random.IntN(5) {
			case 0, 1:
				if os.Mkdir(at, 0o755) == nil {
					dirs = append(dirs, at)
				}
			case 2:
				os.WriteFile(at, nil, 0o644)
			default:
				os.Symlink(path(), at)
			}
		}
		dir := pinned(t, dirs[random.IntN(len(dirs))])
		for range lookups {
			compare(t, target, Lookup{Dir: dir, Name: path(), Follow: random.IntN(2) == 0})
			if t.Failed() {
				t.Fatalf("in the tree:\n%s", tree(top))
			}
		}
	}
}

// tree lists what is below a directory.
func tree(root string) string {
	var b strings.Builder
	filepath.WalkDir(root, func(name string, e os.DirEntry, _ error) error {
		text, _ := os.Readlink(name)
		fmt.Fprintf(&b, "%q %v %q\n", name, e.Type(), text)
		return nil
	})
	return b.String()
}
