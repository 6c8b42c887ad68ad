package procstat

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

func TestParse(t *testing.T) {
	// Fields 8 to 21 of proc_pid_stat(5).
	const between = " -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 "
	for content, want := range map[string]Stat{
		"7 (cat) R 3 7 2 34816" + between + "123456 8 9\n":                      {State: 'R', PPID: 3, Group: 7, Session: 2, TTY: 34816, Start: 123456},
		"7 (a) Z 9 (b) c) S 1 7 3 0" + between + "42":                           {State: 'S', PPID: 1, Group: 7, Session: 3, Start: 42},
		"7 (new\nline) Z 0 0 0 0" + between + "18446744073709551615":            {State: 'Z', Start: 1<<64 - 1},
		"7 () D 1 1 1 -2147483648" + between + "1":                              {State: 'D', PPID: 1, Group: 1, Session: 1, TTY: 1 << 31, Start: 1},
		"7 (\xff (x) R 1 1 1 1 1 1 1 1 1 1 1 1 1 1) T 5 6 7 8" + between + "10": {State: 'T', PPID: 5, Group: 6, Session: 7, TTY: 8, Start: 10},
	} {
		if got, err := parse([]byte(content)); err != nil || got != want {
			t.Errorf("%q: %+v, %v, want %+v", content, got, err, want)
		}
	}
	for _, content := range []string{
		"", "7 (cat)", "7 (cat) R", "7 (cat) R x", "7 (cat) R 3 7 2 34816", "7 (cat R 3 7 2 34816" + between + "1",
		"7 (cat) R x 7 2 34816" + between + "1", "7 (cat) R 3 7 x 34816" + between + "1", "7 (cat) R 3 x 2 34816" + between + "1", "7 (cat) R 3 7 2 x" + between + "1",
		"7 (cat) R 3 7 2 34816" + between + "-1", "7 (cat) R 3 7 2 34816" + between + "18446744073709551616", "7 (cat) R 3 7 2 34816" + between,
	} {
		if s, err := parse([]byte(content)); err == nil {
			t.Errorf("%q: %+v", content, s)
		}
	}
}

func TestGone(t *testing.T) {
	for state, want := range map[byte]bool{'R': false, 'S': false, 'D': false, 'T': false, 't': false, 'I': false, 'Z': true, 'X': true} {
		if got := (Stat{State: state}).Gone(); got != want {
			t.Errorf("%c: %v", state, got)
		}
	}
}

func TestReadSelf(t *testing.T) {
	s, err := Read("/proc/self/stat")
	session, sessionErr := unix.Getsid(0)
	if err != nil || sessionErr != nil || s.PPID != os.Getppid() || s.Session != session || s.Group != unix.Getpgrp() || s.Start == 0 || s.Gone() {
		t.Errorf("%+v, %v", s, err)
	}
	thread, err := Read("/proc/thread-self/stat")
	if err != nil || thread.PPID != s.PPID || thread.Session != s.Session || thread.TTY != s.TTY || thread.Start < s.Start {
		t.Errorf("the thread is %+v, %v, the process %+v", thread, err, s)
	}
	if _, err := Read("/proc/self/no-such-file"); !os.IsNotExist(err) {
		t.Errorf("%v, want that it does not exist", err)
	}
}

// FuzzParse: whatever a process calls itself, the fields are those behind its name.
func FuzzParse(f *testing.F) {
	own, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(own)
	f.Add([]byte("7 (a) Z 9 (b) c) S 1 7 3 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 42"))
	f.Add([]byte(")"))
	f.Fuzz(func(t *testing.T, content []byte) {
		s, err := parse(content)
		if err != nil {
			return
		}
		renamed, err := parse(append([]byte("1 (x) R 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 ) ("), content...))
		if err != nil || renamed != s {
			t.Errorf("%q: %+v, and behind another name %+v, %v", content, s, renamed, err)
		}
	})
}
