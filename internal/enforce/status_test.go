package enforce

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestOwnStatus(t *testing.T) {
	s, err := readStatus("/proc/self/status", make([]byte, 8192))
	if err != nil {
		t.Fatal(err)
	}
	groups, err := os.Getgroups()
	if err != nil {
		t.Fatal(err)
	}
	var got []int
	for _, g := range s.groups {
		got = append(got, int(g))
	}
	slices.Sort(groups)
	slices.Sort(got)
	umask := unix.Umask(0)
	unix.Umask(umask)
	if s.tgid != os.Getpid() || int(s.uid) != os.Getuid() || int(s.gid) != os.Getgid() || int(s.fsuid) != os.Geteuid() || int(s.fsgid) != os.Getegid() || s.umask != umask || !slices.Equal(got, groups) {
		t.Errorf("%+v", s)
	}
	if _, err := readStatus("/proc/self/no such file", make([]byte, 8192)); err == nil {
		t.Error("no error")
	}
	// Cut off, it is no status.
	if s, err := readStatus("/proc/self/status", make([]byte, 100)); err == nil {
		t.Errorf("of 100 bytes: %+v", s)
	}
}

// TestLimits: to ask for limits and to read them gives the same.
func TestLimits(t *testing.T) {
	asked, err := askLimits(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	read, err := readLimits("/proc/self/limits")
	if err != nil || read != asked {
		t.Errorf("read %+v, %v, asked %+v", read, err, asked)
	}
	if l, err := askLimits(1 << 30); err == nil {
		t.Errorf("of nobody: %+v", l)
	}
}

func TestParseStatus(t *testing.T) {
	good := "Name:\tx\nUmask:\t0027\nState:\tR (running)\nTgid:\t42\nPid:\t43\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nGroups:\t9 10 11 \n" +
		"CapInh:\t0000000000000000\nCapPrm:\t000001ffffffffff\nCapEff:\t0000000000000003\nCapBnd:\t000001fffffffffe\nThreads:\t1\n"
	s, err := parseStatus([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	if s.umask != 0o27 || s.tgid != 42 || s.uid != 1 || s.fsuid != 4 || s.gid != 5 || s.fsgid != 8 || !slices.Equal(s.groups, []uint32{9, 10, 11}) ||
		s.permitted != 0x1ffffffffff || s.effective != 3 || s.bounding != 0x1fffffffffe || s.uniform {
		t.Errorf("%+v", s)
	}
	for _, missing := range []string{"Umask", "Tgid", "Uid", "Gid", "Groups", "CapPrm", "CapEff", "CapBnd"} {
		if s, err := parseStatus([]byte(strings.Replace(good, missing+":", "Other:", 1))); err == nil {
			t.Errorf("without %s: %+v", missing, s)
		}
	}
	for _, wrong := range [][2]string{
		{"Tgid:\t42", "Tgid:\t-1"}, {"Tgid:\t42", "Tgid:\tx"}, {"Tgid:\t42", "Tgid:\t4294967296"}, {"Tgid:\t42", "Tgid:"}, {"Umask:\t0027", "Umask:\t0888"},
		{"Uid:\t1\t2\t3\t4", "Uid:\t1\t2\t3"}, {"Uid:\t1\t2\t3\t4", "Uid:\t1\t2\t3\t4\t5"}, {"Uid:\t1\t2\t3\t4", "Uid:\t1\t2\t3\t4294967296"},
		{"Gid:\t5", "Gid:\t-5"}, {"Groups:\t9", "Groups:\tx"}, {"CapEff:\t0", "CapEff:\tg"}, {"CapPrm:\t0", "CapPrm:\tffffffffffffffff0"},
	} {
		text := strings.Replace(good, wrong[0], wrong[1], 1)
		if text == good {
			t.Fatalf("%q is not there", wrong[0])
		}
		if s, err := parseStatus([]byte(text)); err == nil {
			t.Errorf("%q: %+v", wrong[1], s)
		}
	}
	for text, uniform := range map[string]bool{"Uid:\t1\t1\t1\t1\nGid:\t2\t2\t2\t2": true, "Uid:\t1\t1\t1\t1\nGid:\t2\t2\t3\t2": false, "Uid:\t1\t1\t2\t1\nGid:\t2\t2\t2\t2": false} {
		s, err := parseStatus([]byte(strings.Replace(good, "Uid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8", text, 1)))
		if err != nil || s.uniform != uniform {
			t.Errorf("%q: uniform %v, %v", text, s.uniform, err)
		}
	}
}

// TestStatusOfHostileName: a thread may be called anything, and nothing of that is taken
// for a line. The kernel escapes the name.
func TestStatusOfHostileName(t *testing.T) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		// The thread ends with the goroutine, and its name.
		name := []byte("\nUid:\t0\t0\t0\t0\x00")
		lockForGood()
		if err := unix.Prctl(unix.PR_SET_NAME, addressOfBytes(name), 0, 0, 0); err != nil {
			t.Error(err)
			return
		}
		s, err := readStatus("/proc/thread-self/status", make([]byte, 8192))
		if err != nil || int(s.uid) != os.Getuid() || s.tgid != os.Getpid() {
			t.Errorf("%+v, %v", s, err)
		}
	}()
	<-done
}

func FuzzStatus(f *testing.F) {
	own, err := os.ReadFile("/proc/self/status")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(own)
	for _, text := range []string{"", "Uid:", "Uid:\t1\t2\t3\t4\n", "Groups:\t\n", "Umask:\t0022\nTgid:\t1\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nGroups:\t\nCapPrm:\t0\nCapEff:\t0\nCapBnd:\t0\n"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := parseStatus(text)
		if err != nil {
			return
		}
		if s.tgid < 0 || s.umask < 0 || s.umask > 0xffff {
			t.Errorf("%+v", s)
		}
		// What was understood is what would be said again.
		again := fmt.Sprintf("Umask:\t%o\nTgid:\t%d\nUid:\t%d\t%d\t%d\t%d\nGid:\t%d\t%d\t%d\t%d\nGroups:\t%s\nCapPrm:\t%x\nCapEff:\t%x\nCapBnd:\t%x\n",
			s.umask, s.tgid, s.uid, s.euid, s.uid, s.fsuid, s.gid, s.egid, s.gid, s.fsgid, strings.Trim(fmt.Sprint(s.groups), "[]"), s.permitted, s.effective, s.bounding)
		back, err := parseStatus([]byte(again))
		if err != nil || back.tgid != s.tgid || back.umask != s.umask || back.uid != s.uid || back.gid != s.gid || back.bounding != s.bounding || back.permitted != s.permitted || !back.is(&s.identity) {
			t.Errorf("%+v is %+v, %v", s, back, err)
		}
		if bytes.Count(text, []byte("\n")) < 7 {
			t.Errorf("eight lines out of %q", text)
		}
	})
}

func TestParsePending(t *testing.T) {
	bit := func(signals ...unix.Signal) (set uint64) {
		for _, s := range signals {
			set |= 1 << (s - 1)
		}
		return set
	}
	for _, tt := range []struct {
		what                                  string
		own, shared, blocked, ignored, caught uint64
		wantOwn, wantShared                   uint64
		threads                               int
	}{
		{what: "nothing", threads: 1},
		{what: "for itself", own: bit(unix.SIGTERM), wantOwn: bit(unix.SIGTERM), threads: 1},
		{what: "for the process", shared: bit(unix.SIGINT), wantShared: bit(unix.SIGINT), threads: 3},
		{what: "blocked", own: bit(unix.SIGTERM, unix.SIGHUP), blocked: bit(unix.SIGTERM), wantOwn: bit(unix.SIGHUP), threads: 1},
		{what: "ignored", shared: bit(unix.SIGTERM), ignored: bit(unix.SIGTERM), threads: 1},
		{what: "harmless", own: bit(unix.SIGCHLD, unix.SIGWINCH), shared: bit(unix.SIGURG, unix.SIGCONT), threads: 1},
		{what: "harmless with a handler", own: bit(unix.SIGCHLD), shared: bit(unix.SIGURG), caught: bit(unix.SIGCHLD, unix.SIGURG), wantOwn: bit(unix.SIGCHLD), wantShared: bit(unix.SIGURG), threads: 1},
		{what: "harmless, with a handler and blocked", own: bit(unix.SIGCHLD), blocked: bit(unix.SIGCHLD), caught: bit(unix.SIGCHLD), threads: 1},
		{what: "the last", own: 1 << 63, wantOwn: 1 << 63, threads: 1},
		{what: "killed", own: bit(unix.SIGKILL), wantOwn: bit(unix.SIGKILL), threads: 1},
		{what: "stopped", shared: bit(unix.SIGTSTP), wantShared: bit(unix.SIGTSTP), threads: 1},
	} {
		text := fmt.Sprintf("Name:\tx\nThreads:\t%d\nSigQ:\t1/2\nSigPnd:\t%016x\nShdPnd:\t%016x\nSigBlk:\t%016x\nSigIgn:\t%016x\nSigCgt:\t%016x\n", tt.threads, tt.own, tt.shared, tt.blocked, tt.ignored, tt.caught)
		if got, want := parsePending([]byte(text)), (pending{tt.wantOwn, tt.wantShared, tt.threads}); got != want {
			t.Errorf("%s: %+v, want %+v", tt.what, got, want)
		}
	}
}

func TestReadPending(t *testing.T) {
	p, err := readPending("/proc/self/status", make([]byte, 8192))
	if err != nil || p.threads < 1 {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err := readPending("/proc/self/no such file", make([]byte, 8192)); err == nil {
		t.Error("no error")
	}
}

func FuzzPending(f *testing.F) {
	own, err := os.ReadFile("/proc/self/status")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(own)
	f.Add([]byte("SigPnd:\tffffffffffffffff\nShdPnd:\t1\nSigBlk:\t0\nSigIgn:\t0\nSigCgt:\t0\nThreads:\t-1\n"))
	f.Add([]byte("SigPnd"))
	f.Fuzz(func(t *testing.T, text []byte) {
		p := parsePending(text)
		// With everything blocked there is nothing to deal with.
		deaf := parsePending(append(bytes.Clone(text), "\nSigBlk:\tffffffffffffffff\n"...))
		if deaf.own != 0 || deaf.shared != 0 || bytes.HasSuffix(text, []byte("\n")) && deaf.threads != p.threads {
			t.Errorf("%+v, and with all blocked %+v", p, deaf)
		}
	})
}
