package launch

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/launch/birth"
	"github.com/turnstile-project/turnstile/internal/testenv"
)

// needEarly skips a test of what the Go runtime makes us forget, in a build
// that does not look before the runtime does.
func needEarly(t *testing.T) {
	t.Helper()
	if !birth.Early() {
		testenv.Lack(t, "this build does not look before the Go runtime (package birth says which do): what was inherited is forgotten")
	}
}

// The target has to find what it would find without Turnstile.
func TestTargetInherits(t *testing.T) {
	// Executed in the shell's place, so that no shell changes anything.
	in := func(script string) []string {
		return []string{"sh", "-c", script + `; exec "$@"`, "-"}
	}
	for _, test := range []struct {
		name   string
		before []string
		early  bool
		root   bool
		// What is there only if the case is what it says.
		proof string
	}{
		{name: "nothing special", before: []string{"env"}},
		{name: "nohup", before: []string{"nohup"}, proof: "SigIgn:\t0000000000000001"},
		{name: "ignored SIGINT", before: []string{"env", "--ignore-signal=INT"}, proof: "SigIgn:\t0000000000000002"},
		{name: "ignored stops", before: []string{"env", "--ignore-signal=TSTP,TTIN,TTOU"}, proof: "SigIgn:\t0000000000380000"},
		{name: "ignored SIGPIPE", before: []string{"env", "--ignore-signal=PIPE"}, early: true, proof: "SigIgn:\t0000000000001000"},
		{name: "ignored as in a background list", before: []string{"env", "--ignore-signal=INT,QUIT"}, early: true, proof: "SigIgn:\t0000000000000006"},
		{name: "all that can be kept ignored", before: []string{"env",
			"--ignore-signal=HUP,INT,QUIT,ABRT,USR1,USR2,PIPE,ALRM,TERM,CONT,TSTP,TTIN,TTOU,XCPU,XFSZ,VTALRM,WINCH,POLL,PWR,RTMAX"},
			early: true, proof: "SigIgn:\t800000003bba7a27"},
		{name: "blocked signals", before: []string{"env", "--block-signal=HUP,TERM,USR1,CHLD,PIPE"}, early: true, proof: "SigBlk:\t0000000000015201"},
		{name: "no standard input", before: in("exec <&-"), early: true},
		{name: "no standard error", before: in("exec 2>&-"), early: true},
		{name: "more descriptors", before: in("exec 5</dev/null 7</dev/null")},
		{name: "soft descriptor limit", before: in("ulimit -S -n 177"), proof: "Max open files            177 "},
		{name: "hard descriptor limit", before: in("ulimit -n 177"), proof: "Max open files            177                  177 "},
		{name: "other limits", before: in("ulimit -c 0; ulimit -v 9000000; ulimit -f 1000")},
		{name: "umask", before: in("umask 027"), proof: "Umask:\t0027"},
		{name: "nice", before: []string{"nice", "-n", "3"}},
		{name: "fewer capabilities", before: []string{"setpriv", "--bounding-set", "-sys_admin", "--no-new-privs"}, root: true, proof: "NoNewPrivs:\t1"},
		{name: "another user", before: []string{"setpriv", "--reuid=65534", "--regid=65533", "--groups=65532,65531"}, root: true, proof: "65534"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.early {
				needEarly(t)
			}
			if test.root {
				testenv.Root(t)
			}
			for _, look := range [][]string{
				{"cat", "/proc/self/status", "/proc/self/limits", "/proc/self/oom_score_adj", "/proc/self/cgroup"},
				{"ls", "-1", "/proc/self/fd"},
				{"nice"},
				{"env"},
				{"cut", "-d ", "-f5-8", "/proc/self/stat"}, // group, session, terminal and its group
				{"pwd"},
			} {
				t.Run(look[0], func(t *testing.T) {
					bare := exec.Command(test.before[0], slices.Concat(test.before[1:], look)...)
					want := visible(t, bare)
					if look[0] == "cat" && !strings.Contains(withoutThreadSignals(want), test.proof) {
						t.Fatalf("%q does not do what it is for, namely %q:\n%s", test.before, test.proof, want)
					}
					if diff := cmp.Diff(want, visible(t, turnstile(test.before, look...))); diff != "" {
						t.Errorf("the target notices (-without +with Turnstile):\n%s", diff)
					}
				})
			}
		})
	}
}

// withoutThreadSignals clears the signals 32 and 33 in sets of signals. The C library
// uses them for its threads; make(1) starts its commands with them ignored.
func withoutThreadSignals(status string) string {
	return signalSet.ReplaceAllStringFunc(status, func(line string) string {
		name, set, _ := strings.Cut(line, "\t")
		n, err := strconv.ParseUint(set, 16, 64)
		mustDo(err)
		return fmt.Sprintf("%s\t%016x", name, n&^(1<<31|1<<32))
	})
}

var signalSet = regexp.MustCompile(`(?m)^Sig(Ign|Blk):\t[0-9a-f]{16}`)

// visible is the output of a command without what differs at each run.
func visible(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("running %q: %v", cmd.Args, err)
	}
	return volatile.ReplaceAllString(string(output), "")
}

var volatile = regexp.MustCompile(`(?m)^(FDSize|Pid|Tgid|Ngid|PPid|NStgid|NSpid|NSpgid|Vm\w+|Rss\w+|SigQ|Threads|SigCgt|Cpus_allowed\w*|Mems_allowed\w*|\w*ctxt_switches|THP_enabled|HugetlbPages|untag_mask|x86_Thread\w+):.*\n`)

// Bytes reach the target by the descriptors that Turnstile was given.
func TestStandardDescriptors(t *testing.T) {
	cmd := turnstile(nil, "sh", "-c", "cat; echo error >&2")
	cmd.Stdin = strings.NewReader("input\n")
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	if stdout.String() != "input\n" || stderr.String() != "error\n" {
		t.Errorf("stdout %q, stderr %q", stdout.String(), stderr.String())
	}
}

// Nobody reads the target's output: the target ends of it, as without
// Turnstile.
func TestTargetWritesToBrokenPipe(t *testing.T) {
	cmd := turnstile(nil, "yes")
	cmd.Stdout = brokenPipe(t)
	cmd.Run()
	if status := cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != unix.SIGPIPE {
		t.Errorf("`yes` into a broken pipe: %v, want SIGPIPE", cmd.ProcessState)
	}
}

// Nobody reads Turnstile's messages: it goes on for the sake of the target.
func TestTurnstileWritesToBrokenPipe(t *testing.T) {
	cmd := turnstile(nil, "sh", "-c", "read line; exit 7")
	cmd.Env = append(cmd.Env, roleVariable+"=turnstile that writes")
	stdin, err := cmd.StdinPipe()
	mustDo(err)
	stdout, err := cmd.StdoutPipe()
	mustDo(err)
	cmd.Stderr = brokenPipe(t)
	mustDo(cmd.Start())
	stdout.Read(make([]byte, 1)) // it has written by now
	stdin.Close()
	cmd.Wait()
	if cmd.ProcessState.ExitCode() != 7 {
		t.Errorf("Turnstile ended with %v, want exit status 7", cmd.ProcessState)
	}
}

func brokenPipe(t *testing.T) *os.File {
	t.Helper()
	r, w := mustPipe(t)
	r.Close()
	return w
}
