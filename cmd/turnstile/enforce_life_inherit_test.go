package main

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/turnstile-project/turnstile/internal/launch/birth"
	"github.com/turnstile-project/turnstile/internal/testenv"
)

// TestEnforceInherits: the command has to find what it would find without Turnstile.
func TestEnforceInherits(t *testing.T) {
	// Executed in the shell's place, so that no shell changes anything.
	in := func(script string) []string {
		return []string{"sh", "-c", script + `; exec "$@"`, "-"}
	}
	keepDescriptors(t)
	for _, test := range []struct {
		name   string
		before []string
		look   string
		early  bool
		proof  string // what is there only if the case is what it says
	}{
		{name: "nothing special", before: []string{"env"}},
		{name: "nohup", before: []string{"nohup"}, proof: "SigIgn:\t0000000000000001"},
		{name: "ignored SIGINT", before: []string{"env", "--ignore-signal=INT"}, proof: "SigIgn:\t0000000000000002"},
		{name: "ignored stops", before: []string{"env", "--ignore-signal=TSTP,TTIN,TTOU"}, proof: "SigIgn:\t0000000000380000"},
		{name: "more ignored signals", before: []string{"env", "--ignore-signal=INT,QUIT,PIPE,TERM,USR1"}, early: true, proof: "SigIgn:\t0000000000005206"},
		{name: "blocked signals", before: []string{"env", "--block-signal=HUP,TERM,USR1,CHLD,PIPE"}, early: true, proof: "SigBlk:\t0000000000015201"},
		{name: "no standard input", before: in("exec <&-"), look: "ls -1 /proc/self/fd", early: true},
		{name: "no standard error", before: in("exec 2>&-"), look: "ls -1 /proc/self/fd", early: true},
		{name: "limits", before: in("ulimit -S -n 177; ulimit -c 0; ulimit -f 1000"), proof: "Max open files            177 "},
		{name: "umask", before: in("umask 027"), proof: "Umask:\t0027"},
		{name: "nice", before: []string{"nice", "-n", "3"}, look: "nice", proof: "3\n"},
		{name: "timers", before: in("echo 123456 >/proc/self/timerslack_ns"), look: "cat /proc/self/timerslack_ns", proof: "123456\n"},
		{name: "environment", before: []string{"env", "A=b c"}, look: "env", proof: "A=b c"},
		{name: "directory", before: []string{"env", "-C", "/usr/bin"}, look: "pwd -P", proof: "/usr/bin"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.early && !birth.Early() {
				testenv.Lack(t, "this build does not look before the Go runtime: what was inherited is forgotten")
			}
			eachUser(t, func(t *testing.T, a *arena) {
				look := strings.Fields(cmp.Or(test.look, "cat /proc/self/status /proc/self/limits /proc/self/oom_score_adj /proc/self/cgroup"))
				gated := a.enforce([]string{"-q"}, look...)
				gated.Stdin = emptyStdin(t)
				bare := exec.Command(test.before[0], slices.Concat(test.before[1:], look)...)
				bare.Stdin, bare.Dir, bare.Env, bare.SysProcAttr = gated.Stdin, gated.Dir, gated.Env, gated.SysProcAttr
				want := noticed(t, bare)
				if !strings.Contains(want, test.proof) {
					t.Fatalf("%q does not do what it is for, namely %q:\n%s", test.before, test.proof, want)
				}
				before(t, gated, test.before)
				if diff := gocmp.Diff(want, noticed(t, gated)); diff != "" {
					t.Errorf("the command notices (-without +with Turnstile):\n%s", diff)
				}
			})
		})
	}
}

// before puts a program before a command, which executes it.
func before(t testing.TB, cmd *exec.Cmd, argv []string) {
	t.Helper()
	self, err := exec.LookPath(cmd.Path)
	if err != nil {
		t.Fatal(err)
	}
	path, err := exec.LookPath(argv[0])
	if err != nil {
		t.Fatal(err)
	}
	cmd.Path, cmd.Args = path, slices.Concat(argv, []string{self}, cmd.Args[1:])
}

// emptyStdin is a file, which is the same with and without Turnstile.
func emptyStdin(t testing.TB) *os.File {
	t.Helper()
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// What turnstile was given beside the standard descriptors reaches the command only if
// somebody says so, and what it has opened itself never does.
func TestEnforceDescriptors(t *testing.T) {
	keepDescriptors(t)
	list := []string{"sh", "-c", "ls -1 /proc/self/fd | tr '\\n' ' '"}
	eachUser(t, func(t *testing.T, a *arena) {
		for _, test := range []struct {
			name  string
			flags []string
			want  string
		}{
			{"none", nil, "0 1 2 3 "},
			{"one", []string{"--keep-fd", "7"}, "0 1 2 3 7 "},
			{"two", []string{"--keep-fd", "5", "--keep-fd", "7"}, "0 1 2 3 5 7 "},
			{"with files to write", []string{"--log", "log", "-o", "trace", "--keep-fd", "5"}, "0 1 2 3 5 "},
		} {
			cmd := a.enforce(append(test.flags, "-q"), list...)
			before(t, cmd, []string{"sh", "-c", `exec 5</dev/null 7</dev/null; exec "$@"`, "-"})
			r := begin(t, cmd)
			r.demandExit(0)
			if got := r.stdout(); got != test.want {
				t.Errorf("%s: the command has %q, want %q\n%s", test.name, got, test.want, r.stderr())
			}
		}
	})
}

// noticed is the output of a command without what differs at each run, and without what
// the gate is: a filter, which takes the way to new privileges.
func noticed(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	r := begin(t, cmd)
	if status := r.wait(); status != 0 {
		t.Fatalf("%q ended with %s\n%s", cmd.Args, ending(status), r.stderr())
	}
	text := differing.ReplaceAllString(r.stdout(), "")
	return signalSets.ReplaceAllStringFunc(text, func(line string) string {
		name, set, _ := strings.Cut(line, "\t")
		n, err := strconv.ParseUint(set, 16, 64)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%s\t%016x", name, n&^(1<<31|1<<32)) // the C library's own, which make(1) ignores
	})
}

var (
	differing = regexp.MustCompile(`(?m)^(FDSize|Pid|Tgid|Ngid|PPid|NStgid|NSpid|NSpgid|NSsid|Vm\w+|Rss\w+|SigQ|Threads|SigCgt|Cpus_allowed\w*|Mems_allowed\w*|` +
		`\w*ctxt_switches|THP_enabled|HugetlbPages|untag_mask|x86_Thread\w+|Seccomp\w*|NoNewPrivs|Speculation\w*):.*\n`)
	signalSets = regexp.MustCompile(`(?m)^Sig(Ign|Blk):\t[0-9a-f]{16}`)
)
