package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/turnstile-project/turnstile/internal/testenv"
)

// loopedWork are what people hold to what was seen of it. Each is a script of bash in a
// project below a home directory, and uses what is planted there if PLANTED is set.
var loopedWork = []looped{
	{
		name: "curl", programs: []string{"curl"},
		run:  `curl -sS -o page.html "http://127.0.0.1:$SERVER/page"; cat page.html; curl -sS "http://localhost:$SERVER/x" | wc -c`,
		want: "served /page\n",
	},
	{
		name: "git", programs: []string{"git"},
		prepare: `git init -q -b main ../source; cd ../source; git config user.name Me; git config user.email me@localhost
			for i in 1 2 3 4 5; do echo "$i$RANDOM" >file$i; mkdir -p dir$i; echo $i >dir$i/x; git add .; git commit -qm "commit $i"; done; git tag v1`,
		run:  `git clone -q ../source copy; git -C copy log --format=%s; cat copy/dir3/x; git -C copy status --short`,
		want: "commit 5\ncommit 4\ncommit 3\ncommit 2\ncommit 1\n3\n",
	},
	{
		name: "go", programs: []string{"go"}, cached: true,
		prepare: `printf 'module small\n\ngo 1.21\n' >go.mod; mkdir inner
			printf 'package inner\n\nfunc Text() string { return "built %d" }\n' $RANDOM >inner/inner.go
			printf 'package main\n\nimport ("os"; "small/inner")\n\nfunc main() { os.Stdout.WriteString(inner.Text()[:5] + "\\n") }\n' >main.go`,
		run:  `go build -o small . && ./small`,
		want: "built\n",
	},
	{
		name: "python", programs: []string{"/usr/bin/python3"},
		prepare: `cat >work.py <<'end'
import csv, json, os, subprocess, tempfile, xml.dom.minidom
import helper
with tempfile.TemporaryDirectory() as d:
    with open(os.path.join(d, "rows.csv"), "w") as f:
        csv.writer(f).writerow([1, 2])
    os.rename(os.path.join(d, "rows.csv"), "rows.csv")
with tempfile.NamedTemporaryFile("w", suffix=".json") as f:
    json.dump(helper.rows(), f)
os.makedirs("out/deep", exist_ok=True)
open("out/deep/result.txt", "w").write("done\n")
print(open("rows.csv").read().strip(), sorted(os.listdir("out")), subprocess.check_output(["id", "-un"]) != b"")
end
			echo 'def rows(): return [1, 2, 3]' >helper.py`,
		run:  `/usr/bin/python3 work.py`,
		want: "1,2 ['deep'] True\n",
	},
	{
		name: "sqlite", programs: []string{"sqlite3"},
		run: `sqlite3 data.db 'create table t(a, b); insert into t values (1, "x"), (2, "y"); select * from t order by a;'
			sqlite3 data.db 'begin; update t set b = "z"; commit; select count(*) from t where b = "z"; vacuum;'`,
		want: "1|x\n2|y\n2\n",
	},
}

type looped struct {
	name     string
	programs []string
	cached   bool   // it needs what the go command keeps
	prepare  string // a script that makes what the other needs
	run      string
	want     string // on stdout
}

// plant is at the end of each looped: what has no business in it.
const plant = `
if [ -n "$PLANTED" ]; then
	if read -r line <"$HOME/.ssh/id_ed25519"; then echo "planted: key"; fi
	if echo evil >"$HOME/project/.git/hooks/pre-commit"; then echo "planted: hook"; fi
	if [ ! -d copy/.git/hooks ] || echo evil >copy/.git/hooks/post-checkout; then echo "planted: hook of a copy"; fi
	if (exec 3<>"/dev/tcp/127.0.0.1/$UNKNOWN"); then echo "planted: socket"; fi
fi 2>/dev/null
true
`

// What was seen of a program is what it may do: it does the same again in other directories,
// with other names of temporary files and at another port, and nothing is denied. What is
// planted in it is denied, and works where nobody holds it.
func TestReportLoop(t *testing.T) {
	needObserve(t)
	warm := sync.OnceValue(func() string { return warmCache(t, reachable(t)) })
	for _, w := range loopedWork {
		t.Run(w.name, func(t *testing.T) {
			testenv.Program(t, append(w.programs, "bash", "git")...)
			asEach(t, nil, func(t *testing.T, a *arena) {
				l := loop{looped: w, t: t}
				if w.cached {
					l.cache = warm()
				}
				t.Parallel()
				l.play(a, newArena(t, a.uid))
			})
		})
	}
}

// loop plays one looped as one user.
type loop struct {
	looped
	t     *testing.T
	cache string
}

func (l *loop) play(first, second *arena) {
	t := l.t
	trace, policy, log := first.path("trace.json"), filepath.Join(filepath.Dir(second.dir), "policy.yaml"), second.path("log.json")

	observe := []string{"turnstile", "observe", "-q", "--files", "--net", "--args", "-o", trace}
	watcher := *first
	watcher.uid = 0
	if first.uid != 0 {
		observe = append(observe, "--user", "nobody")
	}
	l.lay(first)
	seen := l.start(first, &watcher, false, append(observe, "--")...)
	l.demand(seen, "observed", "")

	tmp := first.path("tmp")
	r := watcher.run(t, "turnstile", "report", "-f", "policy", "-o", policy, "--home", first.path("home"), "--tmp", tmp, trace)
	r.demandCode(t, "report", 0)
	if err := os.Chmod(policy, 0o644); err != nil { //nolint:gosec // the other user reads it
		t.Fatal(err)
	}

	l.lay(second)
	check := second.command(t, second.turnstile, "policy", "check", policy)
	check.Dir, check.Env = second.path("home/project"), l.environ(second)
	if o := ended(t, check); o.code != 0 {
		t.Errorf("policy check says %d: %s%s\n%s", o.code, o.stdout, o.stderr, read(t, policy))
	}
	gate := []string{second.turnstile, "enforce", "-q", "-p", policy, "--log", log, "--"}
	held := l.start(second, second, false, gate...)
	l.demand(held, "held", "")
	if denied := denials(t, log); len(denied) > 0 {
		t.Errorf("denied:\n%s\nby\n%s", strings.Join(denied, "\n"), read(t, policy))
	}

	l.lay(second)
	l.demand(l.start(second, second, true), "bare, with the plant", "planted: key\nplanted: hook\nplanted: hook of a copy\nplanted: socket\n")
	l.lay(second)
	planted := l.start(second, second, true, gate...)
	want := ""
	if _, err := os.Stat(second.path("home/project/copy/.git")); err != nil {
		want = "planted: hook of a copy\n" // there is none
	}
	l.demand(planted, "held, with the plant", want)
	if denied := denials(t, log); len(denied) < 3 {
		t.Errorf("of the plant only this was denied: %q", denied)
	}
}

// lay makes the home of a user anew.
func (l *loop) lay(a *arena) {
	a.attr = nobodyToAsk
	a.files = []string{
		"tmp/", "home/", "home/.ssh/", "home/.ssh/id_ed25519=KEY\n", "home/.config/", "home/project/", "home/project/.git/", "home/project/.git/hooks/",
	}
	a.fresh(l.t)
	prepare := l.prepare
	if l.cache != "" {
		prepare = "cp -r " + l.cache + " $TMPDIR/go-cache\n" + prepare
	}
	cmd := a.command(l.t, "bash", "-ec", prepare)
	cmd.Dir, cmd.Env = a.path("home/project"), l.environ(a)
	ended(l.t, cmd).demandCode(l.t, "preparing", 0)
}

func (l *loop) environ(a *arena, more ...string) []string {
	return append([]string{
		"PATH=/usr/local/go/bin:/usr/bin:/bin", "LC_ALL=C", "HOME=" + a.path("home"), "TMPDIR=" + a.path("tmp"),
		"CGO_ENABLED=0", "GOTOOLCHAIN=local", "GOPROXY=off", "GOTELEMETRY=off", "GOFLAGS=-buildvcs=false", "GOCACHE=" + a.path("tmp/go-cache"),
	}, more...)
}

// start runs the looped behind a gate, by whom.
func (l *loop) start(a, whom *arena, planted bool, gate ...string) outcome {
	t := l.t
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "served %s\n", r.URL.Path) }))
	defer server.Close()
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_, unknown := listenLow(t)
	env := l.environ(a, "SERVER="+port, "UNKNOWN="+unknown)
	if planted {
		env = append(env, "PLANTED=1")
	}
	// observe --user has an environment of its own for the command.
	cmd := whom.command(t, slices.Concat(gate, []string{"env", "-i"}, env, []string{"bash", "-c", l.run + plant})...)
	cmd.Dir, cmd.Env = a.path("home/project"), env
	return ended(t, cmd)
}

func (l *loop) demand(o outcome, what, planted string) {
	l.t.Helper()
	o.demandCode(l.t, what, 0)
	rest, is := strings.CutPrefix(o.stdout, l.want)
	if at := strings.Index(rest, "planted: "); at >= 0 {
		rest = rest[at:]
	} else {
		rest = ""
	}
	if !is || rest != planted {
		l.t.Errorf("%s: stdout is %q, want %q and %q\n%s", what, o.stdout, l.want, planted, o.stderr)
	}
}

// denials are the lines of a log about what was denied.
func denials(t testing.TB, log string) []string {
	t.Helper()
	f, err := os.Open(log)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var denied []string
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var line struct{ Verdict string }
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		if line.Verdict == "deny" {
			denied = append(denied, lines.Text())
		}
	}
	return denied
}
