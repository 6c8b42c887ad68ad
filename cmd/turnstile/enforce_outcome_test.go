package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/trace"
)

// aDecision is a line of --log.
type aDecision struct {
	Time           time.Time
	PID, TID, PPID int
	Comm, Exe      string
	UID            *int
	Syscall, Op    string
	Targets        []struct {
		Path, Asked string
		PathBase64  []byte `json:"path_base64"`
		AskedBase64 []byte `json:"asked_base64"`
		Classes     []string
	}
	Socket *struct {
		Protocol, Addr string
		Port           int
	}
	Verdict, Rule, Errno string
	Ret                  *int64
	Latency              int64 `json:"latency_ns"`
}

// decisionsIn reads a log. Every line has to be one object.
func decisionsIn(t testing.TB, file string) []aDecision {
	t.Helper()
	text := read(t, file)
	if text != "" && !strings.HasSuffix(text, "\n") {
		t.Errorf("the log ends within a line")
	}
	var all []aDecision
	for line := range strings.Lines(text) {
		var d aDecision
		if err := json.Unmarshal([]byte(line), &d); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		all = append(all, d)
	}
	return all
}

// about are the decisions on one object, by its real name.
func about(all []aDecision, path string) []aDecision {
	var found []aDecision
	for _, d := range all {
		if len(d.Targets) > 0 && cmp.Or(d.Targets[0].Path, string(d.Targets[0].PathBase64)) == path {
			found = append(found, d)
		}
	}
	return found
}

// layOutcome has a few files, and a link to the one that is denied.
func layOutcome(t testing.TB, a *arena) {
	t.Helper()
	a.files = []string{"open=open\n", "denied=secret\n", "hidden=secret\n", "link -> denied", "dir/"}
	a.fresh(t)
}

const outcomeScript = `cat open; cat link; cat hidden; cat missing; echo x >made; mkdir dir/new; rm open; exit 4`

func TestEnforceLog(t *testing.T) {
	eachUser(t, func(t *testing.T, a *arena) {
		layOutcome(t, a)
		started := time.Now()
		denied, hidden := "read:"+a.path("denied"), "read=ENOENT:"+a.path("hidden")
		o := a.finished(t, []string{"--log", "log", "--perform-all", "--deny", denied, "--deny", hidden}, "sh", "-c", outcomeScript)
		o.demandCode(t, "gated", 4)
		if o.stdout != "open\n" {
			t.Errorf("stdout is %q", o.stdout)
		}
		for _, text := range []string{"link: Permission denied", "hidden: No such file or directory", "missing: No such file or directory"} {
			if !strings.Contains(o.stderr, text) {
				t.Errorf("the command was not told %q:\n%s", text, o.stderr)
			}
		}
		all := decisionsIn(t, a.path("log"))
		for _, d := range all {
			if d.Time.Before(started) || d.Time.After(time.Now()) || d.PID <= 0 || d.TID <= 0 || d.PPID <= 0 || d.Comm == "" || !filepath.IsAbs(d.Exe) ||
				d.UID == nil || *d.UID != a.uid || d.Syscall == "" || d.Op == "" || len(d.Targets) == 0 || d.Latency <= 0 || d.Rule == "" {
				t.Fatalf("a line lacks something: %+v", d)
			}
			if d.Verdict != "allow" && d.Verdict != "deny" || d.Verdict == "deny" && d.Errno == "" {
				t.Errorf("a line has no verdict or no errno: %+v", d)
			}
		}
		for _, want := range []struct {
			name, op, class, verdict, rule, errno string
			asked                                 string
		}{
			{"open", "open", "read", "allow", "default", "", "open"},
			{"denied", "open", "read", "deny", "--deny " + denied, "EACCES", "link"},
			{"hidden", "open", "read", "deny", "--deny " + hidden, "ENOENT", "hidden"},
			{"made", "open", "create", "allow", "default", "", "made"},
			{"dir/new", "mkdir", "create", "allow", "default", "", "dir/new"},
			{"open", "unlink", "delete", "allow", "default", "", "open"},
		} {
			if !slices.ContainsFunc(about(all, a.path(want.name)), func(d aDecision) bool {
				return d.Op == want.op && slices.Contains(d.Targets[0].Classes, want.class) && d.Verdict == want.verdict && d.Rule == want.rule &&
					d.Errno == want.errno && d.Targets[0].Asked == want.asked
			}) {
				t.Errorf("no line %+v among %+v", want, about(all, a.path(want.name)))
			}
		}
		// What does not exist is nobody's.
		if found := about(all, a.path("missing")); len(found) > 0 {
			t.Errorf("lines about what does not exist: %+v", found)
		}
		if strings.Contains(o.stderr, "missing\"") {
			t.Errorf("the summary has what does not exist:\n%s", o.stderr)
		}
		var st syscall.Stat_t
		if err := syscall.Stat(a.path("log"), &st); err != nil || st.Mode&0o777 != 0o600 {
			t.Errorf("the log has mode %o, %v", st.Mode&0o777, err)
		}
	})
}

func TestEnforceTrace(t *testing.T) {
	eachUser(t, func(t *testing.T, a *arena) {
		layOutcome(t, a)
		denied := "read:" + a.path("denied")
		o := a.finished(t, []string{"-o", "trace", "--perform-all", "-q", "--deny", denied}, "sh", "-c", outcomeScript)
		o.demandCode(t, "gated", 4)
		f, err := os.Open(a.path("trace"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		doc, err := trace.Decode(f)
		if err != nil {
			t.Fatal(err)
		}
		if s := doc.Target.Status; s == nil || *s != 4 || doc.Target.UID != uint32(a.uid) || !slices.Equal(doc.Target.Argv, []string{"sh", "-c", outcomeScript}) || doc.Target.Dir != a.dir { //nolint:gosec // it is small
			t.Errorf("the target is %s", asJSON(t, doc.Target))
		}
		found := 0
		for _, file := range doc.Files {
			want, ok := map[string]string{a.path("made"): `{"allow":1} default`, a.path("denied"): `{"deny":1} --deny ` + denied}[file.Path]
			if !ok {
				continue
			}
			found++
			if got := asJSON(t, file.Verdicts) + " " + file.Rule; got != want {
				t.Errorf("%s: %s, want %s", file.Path, got, want)
			}
		}
		if found != 2 {
			t.Errorf("the trace has %d of 2 files: %s", found, asJSON(t, doc.Files))
		}
		var st syscall.Stat_t
		if err := syscall.Stat(a.path("trace"), &st); err != nil || st.Mode&0o777 != 0o600 {
			t.Errorf("the trace has mode %o, %v", st.Mode&0o777, err)
		}

		// On stdout it comes after all that the command writes there.
		o = a.finished(t, []string{"-o", "-", "-q"}, "sh", "-c", "echo first; (sleep 0.05; echo last) & exit 0")
		before, after, ok := strings.Cut(o.stdout, "last\n")
		if doc, err := trace.Decode(strings.NewReader(after)); !ok || before != "first\n" || err != nil || doc.Target.Status == nil {
			t.Errorf("stdout is %q: %v", o.stdout, err)
		}
		// A command that dies leaves a whole trace.
		a.finished(t, []string{"-o", "trace", "-q"}, "sh", "-c", "kill -KILL $$")
		f, err = os.Open(a.path("trace"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if doc, err := trace.Decode(f); err != nil || doc.Target.Signal == nil || *doc.Target.Signal != "SIGKILL" {
			t.Errorf("the target is %s, %v", asJSON(t, doc.Target), err)
		}
	})
}

// Live lines say what is decided when it is, and go to stderr.
func TestEnforceVerbose(t *testing.T) {
	eachUser(t, func(t *testing.T, a *arena) {
		layDaemon(t, a)
		r := begin(t, a.enforce([]string{"-v", "--perform-all", "--deny", "read:" + a.path("secret")}, "sh", "-c", "cat open secret; read x <go"))
		for _, want := range []*regexp.Regexp{
			regexp.MustCompile(`(?m)^\S+\[\d+\] open \S+ "` + a.path("open") + `" = \d+`),
			regexp.MustCompile(`(?m)^\S+\[\d+\] open \S+ "` + a.path("secret") + `" = -EACCES`),
		} {
			eventually(t, fmt.Sprintf("there is a line %s in %s", want, r.err), func() bool { return want.MatchString(r.stderr()) || r.ended() })
			if !want.MatchString(r.stderr()) {
				t.Errorf("no line %s:\n%s", want, r.stderr())
			}
		}
		if r.ended() {
			t.Errorf("the lines came when the command had ended\n%s", r.stderr())
		}
		letGo(t, a)
		r.demandExit(0)
		if r.stdout() != "open\n" {
			t.Errorf("stdout is %q", r.stdout())
		}
	})
}

// With -q both streams are the command's.
func TestEnforceQuiet(t *testing.T) {
	eachUser(t, func(t *testing.T, a *arena) {
		layOutcome(t, a)
		o := a.finished(t, []string{"-q", "--deny", "read:" + a.path("denied")}, "sh", "-c", "exec 3<denied; echo unreachable")
		if o.code != 2 || o.stdout != "" || o.stderr != "sh: 1: cannot open denied: Permission denied\n" {
			t.Errorf("%+v", o)
		}
	})
}

// The summary names each object and the rule that would allow it. That rule, as it is
// printed and in a shell, does.
func TestEnforceSummaryRuleWorks(t *testing.T) {
	eachUser(t, func(t *testing.T, a *arena) {
		names := []string{"plain", "with space", "it's", `back\slash`, "star*", "a,b", "[x]", "{y}", "dollar$HOME", "-dash", "ünï", "new\nline", "esc\x1b[31m", "bad\xff\xfe", "question?", "~", "a:b", "a=b"}
		for _, name := range names {
			if err := os.Mkdir(a.path(name), 0o755); err != nil { //nolint:gosec // the user nobody has to reach it
				t.Fatal(err)
			}
			write(t, filepath.Join(a.dir, name, "f"), "content\n")
			chown(t, filepath.Join(a.dir, name, "f"), a.uid)
		}
		self, err := exec.LookPath(a.turnstile)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			t.Run(fmt.Sprintf("%q", name), func(t *testing.T) {
				run := func(allow string) outcome {
					script := fmt.Sprintf(`exec '%s' enforce --allow 'read,list,exec:/{usr,etc,lib,lib64,proc,dev}/**' --allow 'read,list,write:/dev/**' %s -- cat -- "$1"`, self, allow)
					cmd := a.bareCommand("bash", "-c", script, "-", a.path(name+"/f"))
					r := begin(t, cmd)
					r.wait()
					return outcome{r.ProcessState.ExitCode(), r.stdout(), r.stderr()}
				}
				o := run("")
				if o.code != 1 || o.stdout != "" {
					t.Fatalf("by default: %+v", o)
				}
				for _, r := range o.stderr {
					if r != '\n' && r < ' ' || r == 0xfffd {
						t.Errorf("raw bytes in %q", o.stderr)
						break
					}
				}
				found := regexp.MustCompile(`(?m)^  read "(.*)": by default; (--allow .*) would allow it$`).FindAllStringSubmatch(o.stderr, -1)
				if len(found) != 1 || !strings.Contains(o.stderr, "turnstile: denied 1 access\n") {
					t.Fatalf("the summary is\n%s", o.stderr)
				}
				if o := run(found[0][2]); o.code != 0 || o.stdout != "content\n" || o.stderr != "" {
					t.Errorf("with %s: %+v", found[0][2], o)
				}
			})
		}
	})
}

// Names of the target survive in the log, and never reach the terminal as they are.
func TestEnforceHostileNames(t *testing.T) {
	eachUser(t, func(t *testing.T, a *arena) {
		a.files = []string{"secret="}
		a.fresh(t)
		names := []string{"new\nline", "escape\x1b]0;title\x07", "bad\xff\xfeutf-8", "turnstile: the command runs as root\n", "\u202egnp"}
		for _, name := range names {
			if err := os.WriteFile(a.path(name), nil, 0o644); err != nil { //nolint:gosec // the user nobody reads it
				t.Fatal(err)
			}
		}
		hostile := filepath.Join(filepath.Dir(a.dir), "co\x1b[31mm")
		if out, err := exec.Command("install", "-m", "755", "/bin/cat", hostile).CombinedOutput(); err != nil {
			t.Fatalf("install: %v\n%s", err, out)
		}
		argv := []string{hostile}
		for _, name := range names {
			argv = append(argv, a.path(name))
		}
		cmd := a.enforce([]string{"-v", "--log", "log", "--deny", "read:" + a.dir + "/**"}, argv...)
		cmd.Env = append(cmd.Env, "NO_COLOR=1")
		s := onStage(t, cmd)
		screen := s.rest()
		// What cat says of its own is cat's business: it quotes for a terminal too.
		for _, raw := range []string{"\x1b]0;", "co\x1b[31mm", "\xff", "\n: by", "\u202e"} {
			for line := range strings.Lines(screen) {
				if strings.Contains(line, raw) && !strings.HasPrefix(line, hostile+":") {
					t.Errorf("the terminal got %q in %q", raw, line)
				}
			}
		}
		if regexp.MustCompile(`(?m)^turnstile: the command runs as root`).MatchString(screen) {
			t.Errorf("the target speaks as turnstile:\n%q", screen)
		}
		all := decisionsIn(t, a.path("log"))
		for _, name := range names {
			if found := about(all, a.path(name)); len(found) != 1 || found[0].Verdict != "deny" || cmp.Or(found[0].Targets[0].Asked, string(found[0].Targets[0].AskedBase64), a.path(name)) != a.path(name) {
				t.Errorf("%q: the log has %+v", name, found)
			}
		}
	})
}

// Where there is no terminal a rule that asks denies, and the summary says what would
// allow it.
func TestEnforceAskWithoutTerminal(t *testing.T) {
	eachUser(t, func(t *testing.T, a *arena) {
		layOutcome(t, a)
		ask := "read:" + a.path("denied")
		o := a.finished(t, []string{"--log", "log", "--ask", ask}, "sh", "-c", "cat open denied; cat denied-and-missing")
		if o.code != 1 || o.stdout != "open\n" || strings.Count(o.stderr, "Permission denied") != 1 {
			t.Errorf("%+v", o)
		}
		rule := "--allow " + ask
		if !strings.Contains(o.stderr, "turnstile: denied 1 access\n") || !strings.Contains(o.stderr, a.path("denied")) || !strings.Contains(o.stderr, rule+" would allow it") {
			t.Errorf("the summary does not say what would allow it:\n%s", o.stderr)
		}
		if found := about(decisionsIn(t, a.path("log")), a.path("denied")); len(found) != 1 || found[0].Verdict != "deny" || !strings.Contains(found[0].Rule, "no terminal") {
			t.Errorf("the log has %+v", found)
		}
	})
}

// The keys that answer a question, with the whole program around it.
func TestEnforceAskOnTerminal(t *testing.T) {
	eachUser(t, func(t *testing.T, a *arena) {
		a.files = []string{"1=one\n", "2=two\n", "3=three\n", "4=four\n", "5=five\n"}
		a.fresh(t)
		script := `for i in 1 1 2 2 3 4 4 5; do echo "[$i $(cat $i 2>/dev/null || echo denied)]"; done; exit 5`
		cmd := a.enforce([]string{"--log", "log", "--ask", "read:" + a.dir + "/**"}, "sh", "-c", script)
		cmd.Env = append(cmd.Env, "NO_COLOR=1")
		s := onStage(t, cmd)
		const prompt = "[a]llow once, [A]llow this run, [d]eny once (Enter), [D]eny this run, [?]: "
		for _, step := range []struct{ file, key, confirmed, said string }{
			{"1", "a", "allowed once", "[1 one]"},
			{"1", "a", "allowed once", "[1 one]"},
			{"2", "A", "allowed for this run", "[2 two]"},
			{"2", "", "", "[2 two]"},
			{"3", "d", "denied once", "[3 denied]"},
			{"4", "D", "denied for this run", "[4 denied]"},
			{"4", "", "", "[4 denied]"},
			{"5", "\r", "denied once", "[5 denied]"},
		} {
			if step.key != "" {
				if before := s.sees(prompt); !strings.Contains(before, `wants to open "`+a.path(step.file)+`" (read)`) {
					t.Fatalf("the question is %q", before)
				}
				s.types(step.key)
				s.sees(step.confirmed)
			}
			if before := s.sees(step.said); strings.Contains(before, "wants to") {
				t.Fatalf("asked again: %q", before)
			}
		}
		s.demandExit(5)
		var got []string
		for _, d := range decisionsIn(t, a.path("log")) {
			if d.Op == "open" && strings.HasPrefix(d.Targets[0].Path, a.dir+"/") {
				got = append(got, filepath.Base(d.Targets[0].Path)+" "+d.Verdict+" "+d.Rule)
			}
		}
		want := []string{"1 allow user", "1 allow user", "2 allow user", "2 allow user", "3 deny user", "4 deny user", "4 deny user", "5 deny user"}
		if !slices.Equal(got, want) {
			t.Errorf("the log says %q, want %q", got, want)
		}
	})
}

// A Ctrl-C while a question waits ends the command as ever.
func TestEnforceAskInterrupted(t *testing.T) {
	eachUser(t, func(t *testing.T, a *arena) {
		a.files = []string{"1=one\n"}
		a.fresh(t)
		s := onStage(t, a.enforce([]string{"-q", "--ask", "read:" + a.path("1")}, "cat", "1"))
		s.sees("[?]: ")
		s.types(ctrlC)
		if status := s.wait(); !status.Signaled() || status.Signal() != unix.SIGINT {
			t.Errorf("turnstile ended with %s, want signal SIGINT", ending(status))
		}
	})
}
