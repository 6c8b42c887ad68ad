package launch

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func TestStartErrors(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string, mode os.FileMode) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(dir, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	write("plain", "echo no\n", 0o644)
	write("orphan", "#!/no/such/interpreter\n", 0o755)
	write("scripted-dir", "#!/tmp\n", 0o755)
	write("foreign", "\x7fELF\x02\x01\x01\x00not for this machine\n", 0o755)
	mustDo(os.Mkdir(filepath.Join(dir, "directory"), 0o755))
	mustDo(os.Symlink("loop", filepath.Join(dir, "loop")))

	busy, err := os.OpenFile(filepath.Join(dir, "busy"), os.O_CREATE|os.O_WRONLY, 0o755)
	mustDo(err)
	defer busy.Close()
	_, err = busy.WriteString("#!/bin/sh\n")
	mustDo(err)

	for _, test := range []struct {
		name string
		argv []string
		is   error
		err  syscall.Errno
		code int
		path string
	}{
		{"missing in PATH", []string{"no-such-command"}, ErrNotFound, syscall.ENOENT, 127, "no-such-command"},
		{"empty name", []string{""}, ErrNotFound, syscall.ENOENT, 127, ""},
		{"missing file", []string{dir + "/missing"}, ErrNotFound, syscall.ENOENT, 127, dir + "/missing"},
		{"missing interpreter", []string{"orphan"}, ErrNotFound, syscall.ENOENT, 127, dir + "/orphan"},
		{"directory", []string{dir + "/directory"}, ErrNotExecutable, syscall.EISDIR, 126, dir + "/directory"},
		{"directory in PATH", []string{"directory"}, ErrNotExecutable, syscall.EISDIR, 126, dir + "/directory"},
		{"not executable", []string{dir + "/plain"}, ErrNotExecutable, syscall.EACCES, 126, dir + "/plain"},
		{"not executable in PATH", []string{"plain"}, ErrNotExecutable, syscall.EACCES, 126, dir + "/plain"},
		{"below a file", []string{dir + "/plain/x"}, ErrNotExecutable, syscall.ENOTDIR, 126, dir + "/plain/x"},
		{"symbolic link to itself", []string{dir + "/loop"}, ErrNotExecutable, syscall.ELOOP, 126, dir + "/loop"},
		{"directory as interpreter", []string{"scripted-dir"}, ErrNotExecutable, syscall.EACCES, 126, dir + "/scripted-dir"},
		{"program for another machine", []string{"foreign"}, ErrNotExecutable, syscall.ENOEXEC, 126, dir + "/foreign"},
		{"open for writing", []string{"busy"}, ErrNotExecutable, syscall.ETXTBSY, 126, dir + "/busy"},
		{"arguments too long", []string{"true", strings.Repeat("x", 1<<18)}, ErrNotExecutable, syscall.E2BIG, 126, "/bin/true"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Start(Command{Argv: test.argv, Env: []string{"PATH=/no/such/directory:" + dir + ":/bin"}})
			var failed *ExecError
			if !errors.As(err, &failed) {
				t.Fatalf("Start() = %v, want an *ExecError", err)
			}
			if !errors.Is(err, test.is) || !errors.Is(err, test.err) || failed.ExitCode() != test.code || failed.Path != test.path {
				t.Errorf("Start() = %v (path %q, exit code %d), want %v, %v, path %q, exit code %d",
					err, failed.Path, failed.ExitCode(), test.is, test.err, test.path, test.code)
			}
			if errors.Is(err, ErrNotFound) == errors.Is(err, ErrNotExecutable) {
				t.Errorf("%v is both or neither of ErrNotFound and ErrNotExecutable", err)
			}
		})
	}
	noChildren(t)
}

func TestStartErrorsThatAreOurs(t *testing.T) {
	for _, test := range []struct {
		name    string
		command Command
	}{
		{"no program", Command{}},
		{"missing directory", Command{Argv: []string{"true"}, Dir: "/no/such/directory"}},
		{"file as directory", Command{Argv: []string{"true"}, Dir: "/etc/passwd"}},
		{"hook that does nothing", Command{Argv: []string{"true"}, Fork: func(func() error) error { return nil }}},
		{"hook that fails", Command{Argv: []string{"true"}, Fork: func(func() error) error { return errors.New("no") }}},
		{"hook that fails afterwards", Command{Argv: []string{"sleep", "1000"}, Fork: func(start func() error) error {
			return errors.Join(start(), errors.New("no"))
		}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Start(test.command)
			var failed *ExecError
			if err == nil || errors.As(err, &failed) {
				t.Errorf("Start() = %v, want an error that is no *ExecError", err)
			}
		})
	}
	noChildren(t)
}

// A hook that forgets the error of start does not hide it.
func TestForkHookKeepsError(t *testing.T) {
	_, err := Start(Command{Argv: []string{"/etc/passwd"}, Fork: func(start func() error) error {
		start()
		return nil
	}})
	if !errors.Is(err, ErrNotExecutable) {
		t.Errorf("Start() = %v, want %v", err, ErrNotExecutable)
	}
}

func TestResolve(t *testing.T) {
	dir := t.TempDir()
	for _, sub := range []string{"first", "second", "cwd"} {
		mustDo(os.Mkdir(filepath.Join(dir, sub), 0o755))
	}
	script := func(name, line string, mode os.FileMode) {
		mustDo(os.WriteFile(filepath.Join(dir, name), []byte(line), mode))
	}
	script("first/tool", "", 0o644)
	script("second/tool", "#!/bin/sh\necho second $0\n", 0o755)
	script("cwd/here", "#!/bin/sh\necho here $0\n", 0o755)
	script("cwd/bare", "echo bare $1 \"$0\"\n", 0o755) // no #! line
	script("cwd/empty", "", 0o755)

	for _, test := range []struct {
		name string
		argv []string
		path string
		want string
	}{
		{"past a file without x", []string{"tool"}, dir + "/first:" + dir + "/second", "second " + dir + "/second/tool\n"},
		{"relative to the directory", []string{"./here"}, "/bin", "here ./here\n"},
		{"relative PATH", []string{"tool"}, "../second", "second ../second/tool\n"},
		{"empty PATH element", []string{"here"}, "/bin::/usr/bin", "here ./here\n"},
		{"script without #!", []string{"./bare", "arg"}, "/bin", "bare arg ./bare\n"},
		{"empty file", []string{"./empty"}, "/bin", ""},
		{"echo", []string{"echo", "a", ""}, "/bin", "a \n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := run(t, Command{Argv: test.argv, Dir: dir + "/cwd", Env: []string{"PATH=" + test.path}}); got != test.want {
				t.Errorf("output %q, want %q", got, test.want)
			}
		})
	}
	t.Run("no PATH", func(t *testing.T) {
		if got := run(t, Command{Argv: []string{"env"}, Env: []string{"A=1"}}); got != "A=1\n" {
			t.Errorf("output %q, want %q", got, "A=1\n")
		}
	})
}

// The hook runs on the thread that forks: the child inherits what the hook has
// changed for that thread alone, here its niceness.
func TestForkHookRunsOnForkingThread(t *testing.T) {
	calls := 0
	got := run(t, Command{
		Argv: []string{"nice"},
		Fork: func(start func() error) error {
			calls++
			thread := unix.Gettid()
			mustDo(unix.Setpriority(unix.PRIO_PROCESS, thread, 7))
			err := start()
			if unix.Gettid() != thread {
				t.Errorf("the hook moved from thread %d to %d", thread, unix.Gettid())
			}
			return err
		},
	})
	if got != "7\n" || calls != 1 {
		t.Errorf("niceness of target %q after %d calls of the hook, want 7 after 1", got, calls)
	}
}

func TestWaitLeavesNoZombie(t *testing.T) {
	target, err := Start(Command{Argv: []string{"sh", "-c", "exit 3"}})
	if err != nil {
		t.Fatal(err)
	}
	status, err := target.Wait()
	if err != nil || status.ExitStatus() != 3 {
		t.Errorf("Wait() = %v, %v, want exit status 3", status, err)
	}
	noChildren(t)
	if _, err := target.Wait(); !errors.Is(err, syscall.ECHILD) {
		t.Errorf("second Wait() = %v, want %v", err, syscall.ECHILD)
	}
}

// Wait takes no notice of other children.
func TestWaitLeavesOthers(t *testing.T) {
	other := exec.Command("sleep", "1000")
	mustDo(other.Start())
	target, err := Start(Command{Argv: []string{"true"}})
	if err != nil {
		t.Fatal(err)
	}
	if status, err := target.Wait(); err != nil || status != 0 {
		t.Errorf("Wait() = %v, %v, want 0", status, err)
	}
	mustDo(other.Process.Kill())
	if state, err := other.Process.Wait(); err != nil || state.Sys().(syscall.WaitStatus).Signal() != unix.SIGKILL {
		t.Errorf("the other child ended with %v, %v", state, err)
	}
}

// run is the standard output of a command that succeeds. It puts a pipe in the
// place of this process's own standard output for as long as Start takes.
func run(t *testing.T, c Command) string {
	t.Helper()
	r, w := mustPipe(t)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	saved, err := unix.FcntlInt(1, unix.F_DUPFD_CLOEXEC, 3)
	mustDo(err)
	mustDo(unix.Dup3(int(w.Fd()), 1, 0))
	target, err := Start(c)
	mustDo(unix.Dup3(saved, 1, 0))
	mustDo(unix.Close(saved))
	if err != nil {
		t.Fatal(err)
	}
	w.Close()
	output := readAll(t, r)
	if status, err := target.Wait(); err != nil || status != 0 {
		t.Fatalf("running %q: %v, %v", c.Argv, status, err)
	}
	return output
}

func readAll(t *testing.T, r *os.File) string {
	t.Helper()
	var all strings.Builder
	if _, err := r.WriteTo(&all); err != nil {
		t.Fatal(err)
	}
	return all.String()
}

// noChildren checks that this process has no child, alive or dead.
func noChildren(t *testing.T) {
	t.Helper()
	if pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil); err != unix.ECHILD {
		t.Errorf("there is a child left (wait4: %d, %v)", pid, err)
	}
}
