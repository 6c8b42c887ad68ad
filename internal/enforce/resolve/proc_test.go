package resolve

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/testenv"
)

// onThread runs f on one thread: /proc/thread-self is that of who looks.
func onThread(f func()) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	f()
}

// scene is a child with descriptors of all kinds.
type scene struct {
	*child
	root  string
	other *os.File
}

const (
	theirFile = 3 + iota
	theirDir
	theirPipe
	theirGone
	theirSocket
	theirMemory
)

func newScene(t *testing.T) *scene {
	t.Helper()
	root := realTempDir(t)
	plant(t, root, "home/", "home/in home", "file", "gone", "dir/", "dir/in dir", "dir/up -> ../file", "dir/dangling -> made")
	var files []*os.File
	for _, name := range []string{"file", "dir"} {
		f, err := os.Open(root + "/" + name)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	gone, err := os.Open(root + "/gone")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(root + "/gone"); err != nil {
		t.Fatal(err)
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	memory, err := unix.MemfdCreate("memory", unix.MFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	files = append(files, r, gone, os.NewFile(uintptr(pair[0]), "socket"), os.NewFile(uintptr(memory), "memory"))
	t.Cleanup(func() {
		w.Close()
		unix.Close(pair[1])
		for _, f := range files {
			f.Close()
		}
	})
	s := &scene{child: startChild(t, root+"/home", files...), root: root, other: w}
	s.AsTracer = nil
	return s
}

// TestProcSelf: what the target calls /proc/self is its own, whoever looks.
func TestProcSelf(t *testing.T) {
	s := newScene(t)
	noLeak(t)
	onThread(func() {
		pid := s.cmd.Process.Pid
		task := "/proc/" + strconv.Itoa(pid) + "/task/" + strconv.Itoa(pid)
		dir := pinned(t, s.root)
		plant(t, s.root, "self -> /proc/self", "to fd -> /proc/self/fd/"+strconv.Itoa(theirFile), "to dir -> /proc/self/fd/"+strconv.Itoa(theirDir), "to cwd -> self/cwd")
		follow := []struct{ name, same string }{
			{"/proc/self", s.proc("")}, {"/proc/self/", s.proc("")}, {"/proc/self/.", s.proc("")}, {"/proc//self//status", s.proc("status")},
			{"/proc/thread-self", task}, {"/proc/thread-self/status", task + "/status"}, {"/proc/thread-self/fd/3", s.proc("fd/3")},
			{"/proc/self/task/" + strconv.Itoa(pid), task}, {"/proc/self/task/" + strconv.Itoa(pid) + "/status", task + "/status"},
			{"/proc/self/environ", s.proc("environ")}, {"/proc/self/maps", s.proc("maps")}, {"/proc/self/fdinfo", s.proc("fdinfo")},
			{"/proc/mounts", s.proc("mounts")}, {"/proc/net/dev", s.proc("net/dev")},
			{"/proc/self/exe", s.proc("exe")}, {"/proc/self/cwd", s.root + "/home"}, {"/proc/self/cwd/", s.root + "/home"}, {"/proc/self/cwd/in home", s.root + "/home/in home"},
			{"/proc/self/cwd/../file", s.root + "/file"}, {"/proc/self/cwd/..", s.root}, {"/proc/self/root", "/"}, {"/proc/self/root/", "/"},
			{"/proc/self/root" + s.root + "/file", s.root + "/file"}, {"/proc/self/root/..", "/"},
			{"/proc/self/fd/3", s.root + "/file"}, {"/proc/self/fd/4", s.root + "/dir"}, {"/proc/self/fd/4/", s.root + "/dir"}, {"/proc/self/fd/4/in dir", s.root + "/dir/in dir"},
			{"/proc/self/fd/4/up", s.root + "/file"}, {"/proc/self/fd/4/..", s.root}, {"/proc/self/fd/4/.", s.root + "/dir"}, {"/dev/fd/3", s.root + "/file"},
			{"/proc/self/fd/5", s.proc("fd/5")}, {"/proc/self/fd/6", s.proc("fd/6")}, {"/proc/self/fd/7", s.proc("fd/7")}, {"/proc/self/fd/8", s.proc("fd/8")},
			{"/dev/stdin", s.proc("fd/0")}, {"/proc/self/ns/mnt", s.proc("ns/mnt")}, {"/proc/self/../self/fd/3", s.root + "/file"},
			{s.proc("fd/5"), s.proc("fd/5")}, {s.proc("cwd/in home"), s.root + "/home/in home"}, {s.proc("environ"), s.proc("environ")},
			{"self/environ", s.proc("environ")}, {"self/fd/3", s.root + "/file"}, {"to fd", s.root + "/file"}, {"to dir/in dir", s.root + "/dir/in dir"}, {"to dir/up", s.root + "/file"},
			{"to cwd/in home", s.root + "/home/in home"}, {"to cwd", s.root + "/home"}, {"self/../self/status", s.proc("status")},
			{"/proc/self/task/" + strconv.Itoa(pid) + "/../../status", s.proc("status")},
		}
		for _, tt := range follow {
			o, err := s.File(Lookup{Dir: dir, Name: tt.name, Follow: true})
			var want unix.Stat_t
			if err := unix.Stat(tt.same, &want); err != nil {
				t.Fatal(err)
			}
			switch {
			case err != nil:
				t.Errorf("%q: %v", tt.name, err)
			case !o.Exists():
				t.Errorf("%q: missing in %q", tt.name, o.Path)
			case strings.HasPrefix(tt.same, "/proc/") && strings.HasPrefix(o.Path, "/proc/"):
				// Two numbers of one file of procfs may differ.
				if o.Path != strings.TrimSuffix(tt.same, "/") {
					t.Errorf("%q is %q, want %q", tt.name, o.Path, tt.same)
				}
			case !sameFile(&o.Stat, &want):
				t.Errorf("%q is %q, not what %q is", tt.name, o.Path, tt.same)
			}
			o.Close()
		}
		for _, name := range []string{"/proc/self/fd/3", "/proc/self/cwd", "/proc/self/exe", "/proc/self/root", "/dev/fd/3", "self/fd/5"} {
			o, err := s.File(Lookup{Dir: dir, Name: name})
			if err != nil || !o.Is(unix.S_IFLNK) || !strings.HasPrefix(o.Path, s.proc("")) {
				t.Errorf("the link %q is %q, %v", name, o.Path, err)
			}
			o.Close()
		}
		for name, want := range map[string]unix.Errno{
			"/proc/self/fd/99": unix.ENOENT, "/proc/self/fd/99/x": unix.ENOENT, "/proc/self/fd/x": unix.ENOENT, "/proc/self/fd/3/": unix.ENOTDIR, "/proc/self/fd/3/x": unix.ENOTDIR, "/proc/self/fd/3/..": unix.ENOTDIR,
			"/proc/self/fd/5/": unix.ENOTDIR, "/proc/self/status/x": unix.ENOTDIR, "/proc/self/task/1": unix.ENOENT, "/proc/self/none": unix.ENOENT, "/proc/self/cwd/none/x": unix.ENOENT,
		} {
			o, err := s.File(Lookup{Dir: dir, Name: name, Follow: true})
			if err == nil && !o.Exists() {
				err = unix.ENOENT
			}
			if errnoOf(t, err) != want {
				t.Errorf("%q: %q, %v, want %v", name, o.Path, err, want)
			}
			o.Close()
		}
	})
}

// TestProcSelfIsNotOurs: no descriptor, directory or environment of this process is
// reached by a name that the target may use for its own.
func TestProcSelfIsNotOurs(t *testing.T) {
	s := newScene(t)
	secret, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer secret.Close()
	// One number that the child has not.
	number, err := unix.FcntlInt(secret.Fd(), unix.F_DUPFD_CLOEXEC, 200)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(number)
	noLeak(t)
	ours := "/proc/" + strconv.Itoa(os.Getpid())
	onThread(func() {
		for _, base := range []string{"/proc/self", "/proc/thread-self", ours, ours + "/task/" + strconv.Itoa(unix.Gettid()), "/proc/self/../" + strconv.Itoa(os.Getpid()), "/proc/self/root" + ours} {
			for _, rest := range []string{fmt.Sprint("/fd/", number), fmt.Sprint("/fdinfo/", number)} {
				for _, follow := range []bool{true, false} {
					o, err := s.File(Lookup{Dir: -1, Name: base + rest, Follow: follow})
					if err == nil && o.Exists() {
						t.Errorf("%q is %q", base+rest, o.Path)
					}
					o.Close()
				}
			}
			// What anybody may read of anybody is ours if it is called by our number.
			public := []string{"", "/status", "/stat", "/cmdline"}
			for _, rest := range append(public, "/environ", "/mem", "/maps", "/fd", "/fdinfo", "/cwd", "/root", "/exe", "/ns/mnt", "/task", "/map_files") {
				o, err := s.File(Lookup{Dir: -1, Name: base + rest, Follow: true})
				isOurs := isBelow(o.Path, ours)
				if err == nil && isOurs && (strings.HasSuffix(base, "self") || !slices.Contains(public, rest)) {
					t.Errorf("%q is %q", base+rest, o.Path)
				}
				o.Close()
			}
		}
		// Nor by a directory that is ours.
		for _, base := range []string{ours, ours + "/task", ours + "/task/" + strconv.Itoa(unix.Gettid()), ours + "/fd"} {
			dir := pinned(t, base)
			for _, rest := range []string{"environ", "mem", "./mem", "fd/" + strconv.Itoa(number), strconv.Itoa(number), "task/" + strconv.Itoa(os.Getpid()) + "/mem", "../mem", "../" + strconv.Itoa(os.Getpid()) + "/mem", "../environ", "../fd/" + strconv.Itoa(number)} {
				for _, follow := range []bool{true, false} {
					o, err := s.File(Lookup{Dir: dir, Name: rest, Follow: follow})
					if err == nil && o.Exists() && (isBelow(o.Path, ours) || o.Path == os.DevNull) {
						t.Errorf("%q from %q is %q", rest, base, o.Path)
					}
					o.Close()
				}
			}
		}
		o, err := s.File(Lookup{Dir: -1, Name: "/proc/self/environ", Follow: true})
		if err != nil {
			t.Fatal(err)
		}
		defer o.Close()
		fd, err := Reopen(o.FD, unix.O_RDONLY|unix.O_CLOEXEC)
		if err != nil {
			t.Fatal(err)
		}
		f := os.NewFile(uintptr(fd), "environ")
		defer f.Close()
		b := make([]byte, 1<<16)
		n, _ := f.Read(b)
		if !bytes.Contains(b[:n], []byte(childVariable+"=a child of the test\x00")) {
			t.Errorf("not the environment of the child: %q", b[:n])
		}
	})
}

// TestRestrictedMagicLinks: a program that forbids links of procfs is told so.
func TestRestrictedMagicLinks(t *testing.T) {
	s := newScene(t)
	noLeak(t)
	for _, flags := range []uint64{unix.RESOLVE_NO_MAGICLINKS, unix.RESOLVE_NO_SYMLINKS, unix.RESOLVE_NO_MAGICLINKS | unix.RESOLVE_NO_XDEV} {
		for _, name := range []string{"/proc/self/fd/3", "/proc/self/cwd/in home", "/proc/self/root/etc", "/proc/self/exe"} {
			o, err := s.File(Lookup{Dir: -1, Name: name, Follow: true, Resolve: flags})
			if want := unix.ELOOP; flags&unix.RESOLVE_NO_XDEV == 0 && errnoOf(t, err) != want || err == nil {
				t.Errorf("%q with %#x is %q, %v, want %v", name, flags, o.Path, err, want)
			}
			o.Close()
		}
	}
	o, err := s.File(Lookup{Dir: -1, Name: "/proc/self/status", Follow: true, Resolve: unix.RESOLVE_NO_MAGICLINKS})
	if err != nil || o.Path != s.proc("status") {
		t.Errorf("a link of procfs that is none of those: %q, %v", o.Path, err)
	}
	o.Close()
}

// TestBehindMagicLink: paths behind a link of procfs may be as long as others.
func TestBehindMagicLink(t *testing.T) {
	s := newScene(t)
	noLeak(t)
	deep := strings.Repeat("/d", 60)
	if err := os.MkdirAll(s.root+"/home"+deep, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, rest := range []string{deep, strings.Repeat("/.", 100), strings.Repeat("/d/..", 50)} {
		o, err := s.File(Lookup{Dir: -1, Name: "/proc/self/cwd" + rest, Follow: true})
		if err != nil || !o.Is(unix.S_IFDIR) {
			t.Errorf("%d names behind a link: %v", strings.Count(rest, "/"), err)
		}
		o.Close()
	}
}

// TestFilesOfOthers: through the links of another process only what has a name is found.
func TestFilesOfOthers(t *testing.T) {
	other := newScene(t)
	c := startChild(t, other.root)
	noLeak(t)
	for number, want := range map[int]unix.Errno{theirFile: 0, theirDir: 0, theirPipe: unix.EACCES, theirGone: unix.EACCES, theirSocket: unix.EACCES, theirMemory: unix.EACCES} {
		name := other.proc("fd/" + strconv.Itoa(number))
		o, err := c.File(Lookup{Dir: -1, Name: name, Follow: true})
		if errnoOf(t, err) != want {
			t.Errorf("%q: %q, %v, want %v", name, o.Path, err, want)
		}
		o.Close()
	}
	for name, want := range map[string]string{"cwd": other.root + "/home", "cwd/in home": other.root + "/home/in home", "root" + other.root + "/file": other.root + "/file", "fd/4/in dir": other.root + "/dir/in dir", "fd/4/..": other.root} {
		o, err := c.File(Lookup{Dir: -1, Name: other.proc(name), Follow: true})
		if err != nil || o.Path != want {
			t.Errorf("%q: %q, %v, want %q", name, o.Path, err, want)
		}
		o.Close()
	}
	// Nor is a thing without a name reached by a way around.
	plant(t, other.root, "link -> "+other.proc("fd/5"), "link to fd -> "+other.proc("fd"))
	dir := pinned(t, other.root)
	for _, name := range []string{"link", "link to fd/5", "link to fd/6", "/proc/self/root" + other.proc("fd/5")} {
		o, err := c.File(Lookup{Dir: dir, Name: name, Follow: true})
		if errnoOf(t, err) != unix.EACCES {
			t.Errorf("%q: %q, %v", name, o.Path, err)
		}
		o.Close()
	}
}

func TestSelf(t *testing.T) {
	target := Target{TID: 43, TGID: func() int { return 42 }}
	for name, want := range map[string]string{
		"/proc/42": "/proc/self", "/proc/42/fd/3": "/proc/self/fd/3", "/proc/42/task/43/stat": "/proc/self/task/43/stat",
		"/proc/43/stat": "", "/proc/421/stat": "", "/proc/4": "", "/proc": "", "/proc/self": "", "/proc/42x": "", "/tmp/proc/42": "", "": "",
	} {
		if got := target.Self(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
	// Nobody has to be asked who the target is.
	target.TGID = nil
	for _, name := range []string{"/proc", "/proc/", "/proc/meminfo", "/proc/sys/42", "/proc/042", "/tmp/42"} {
		if got := target.Self(name); got != "" {
			t.Errorf("%q: %q", name, got)
		}
	}
}

// TestSecondProcfs: procfs may be mounted twice, and this process is not to be reached by
// the other one either.
func TestSecondProcfs(t *testing.T) {
	testenv.Root(t) // it mounts
	if at := os.Getenv(mountsVariable); at != "" {
		if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			t.Fatal(err)
		}
		plant(t, at, "proc/", "bound/")
		if err := unix.Mount("proc", at+"/proc", "proc", 0, ""); err != nil {
			testenv.Lack(t, "mounting procfs: "+err.Error())
		}
		if err := unix.Mount("/proc", at+"/bound", "", unix.MS_BIND, ""); err != nil {
			t.Fatal(err)
		}
		c := startChild(t, at)
		onThread(func() {
			for _, proc := range []string{at + "/proc", at + "/bound"} {
				for _, who := range []string{"/self", "/thread-self", "/" + strconv.Itoa(os.Getpid()), "/" + strconv.Itoa(os.Getpid()) + "/task/" + strconv.Itoa(unix.Gettid())} {
					for _, rest := range []string{"/mem", "/environ", "/fd/0", "/fd"} {
						o, err := c.File(Lookup{Dir: -1, Name: proc + who + rest, Follow: true})
						if err == nil && o.Exists() && strings.Contains(o.Path, "/"+strconv.Itoa(os.Getpid())+"/") {
							t.Errorf("%q is %q, which is this process", proc+who+rest, o.Path)
						}
						o.Close()
					}
				}
			}
		})
		return
	}
	cmd := exec.Command("/proc/self/exe", "-test.run", "^TestSecondProcfs$", "-test.v")
	cmd.Env = append(os.Environ(), mountsVariable+"="+realTempDir(t))
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
