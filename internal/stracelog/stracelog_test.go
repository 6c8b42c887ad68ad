package stracelog

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestParse(t *testing.T) {
	const text = `10 execve("/bin/x", ["x"], 0x7ffe /* 9 vars */) = 0
10 clone3({flags=CLONE_VM|CLONE_THREAD, child_tid=0x7f}, 88) = 11
11 futex(0x7f, FUTEX_WAIT, 0, NULL <unfinished ...>
10 clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD <unfinished ...>
12 getpid() = 12
10 <... clone resumed>, child_tidptr=0x7f) = 12
10 clone3({flags=CLONE_VM|CLONE_THREAD, child_tid=0x7f} <unfinished ...>
13 rseq(0x7f, 0x20, 0, 0x53053053) = 0
10 <... clone3 resumed>, 88) = 13
13 read(3, "a = 5) = 7", 10) = 10
12 exit_group(0) = ?
12 +++ exited with 0 +++
10 --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=12} ---
10 exit_group(1) = ?
11 <... futex resumed>) = ?
13 write(1, "x", 1 <unfinished ...>
13 +++ exited with 1 +++
11 +++ exited with 1 +++
10 +++ exited with 1 +++
`
	log, err := Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	want := Log{
		10: {
			Leader: 10,
			Calls: map[string]int{
				"execve": 1, "clone3": 2, "clone": 1, "futex": 1, "rseq": 1, "read": 1, "write": 1, "exit_group": 1,
			},
			Cut: map[string]int{"write": 1, "futex": 1},
		},
		12: {Leader: 12, Calls: map[string]int{"getpid": 1, "exit_group": 1}},
	}
	if diff := cmp.Diff(want, log.Processes(), cmpopts.IgnoreUnexported(Thread{}), cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
}

func TestParseSupersededThread(t *testing.T) {
	const text = `10 execve("/bin/x", ["x"], 0x7ffe /* 9 vars */) = 0
10 clone3({flags=CLONE_VM|CLONE_THREAD, child_tid=0x7f}, 88) = 11
10 pause( <unfinished ...>
11 execve("/bin/y", ["y"], 0x7ffe /* 9 vars */ <unfinished ...>
10 <... pause resumed>) = ?
10 +++ superseded by execve in pid 11 +++
10 <... execve resumed>) = 0
10 brk(NULL) = 0x5555
10 +++ exited with 0 +++
`
	log, err := Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	want := Log{10: {
		Leader: 10,
		Calls:  map[string]int{"execve": 2, "clone3": 1, "pause": 1, "brk": 1},
		Cut:    map[string]int{"pause": 1},
	}}
	if diff := cmp.Diff(want, log.Processes(), cmpopts.IgnoreUnexported(Thread{}), cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
}

func TestParseRefusesLineWithoutPid(t *testing.T) {
	if _, err := Parse(strings.NewReader("getpid() = 1\n")); err == nil {
		t.Error("no error for a log that was written without -f")
	}
}
