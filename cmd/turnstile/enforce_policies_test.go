package main

import (
	"errors"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/testenv"
)

// readyPolicies are those of the directory policies, each with real programs that work
// under it. One of these starts $ATTEMPTS, testdata/policies/attempts.sh.
var readyPolicies = []readyPolicy{
	{
		name: "readonly-home",
		run:  `cat notes; wc -l <Makefile; git log --oneline; sh $ATTEMPTS`,
		want: "notes\n",
		lets: []string{"tcp", "env"},
	},
	{
		name: "no-network",
		run: `echo x >made; git add made; git commit -qm made; git log -1 --format=%s
			/usr/bin/python3 -c 'import socket; a, b = socket.socketpair(); a.send(b"pair\n"); print(b.recv(9).decode(), end="")'
			/usr/bin/python3 -c '
import socket
s = socket.socket(socket.AF_UNIX); s.bind("own"); s.listen()
c = socket.socket(socket.AF_UNIX); c.connect("own"); c.send(b"own\n"); print(s.accept()[0].recv(9).decode(), end="")'
			sh $ATTEMPTS`,
		want: "made\npair\nown\n",
		lets: []string{"env", "task", "envrc"},
	},
	{
		name:     "untrusted-download",
		programs: []string{"gcc"},
		prepare: `mkdir ~/Downloads
			printf '#include <stdlib.h>\nint main(void) { return system("sh ./use; sh attempts.sh"); }\n' >~/Downloads/tool.c
			gcc -o ~/Downloads/tool ~/Downloads/tool.c
			cp $ATTEMPTS $SCRATCH/attempts.sh
			printf 'echo x >made; cat made; ls *.sh; cat ~/project/notes; ls ~; echo y >~/project/notes; date >/dev/null; id -u\n' >$SCRATCH/use`,
		tool: "Downloads/tool",
		want: "x\nattempts.sh\n",
	},
	{
		name:     "build",
		programs: []string{"make", "gcc", "go"},
		prepare: `mkdir src
			for i in 1 2 3 4; do echo "int f$i(void) { return $i; }" >src/f$i.c; done
			echo 'int f4(void); int main(void) { return f4(); }' >src/main.c
			printf 'prog: $(patsubst %%.c,%%.o,$(wildcard src/*.c)) gen\n\tgcc -o $@ $(filter %%.o,$^)\ngen:\n\tsh $$ATTEMPTS\n\techo >$@\n' >Makefile
			printf 'module small\n\ngo 1.21\n' >go.mod
			printf 'package main\n\nfunc main() { println("built by go") }\n' >small.go`,
		run:  `go build -o small . && ./small 2>&1; make -s -j2 && { ./prog; echo $?; }`,
		want: "built by go\n4\n",
		lets: []string{"env"},
	},
	{
		name:     "npm-install",
		programs: []string{"npm", "node"},
		prepare: `mkdir dep
			cat >dep/package.json <<'end'
{"name": "dep", "version": "1.0.0", "scripts": {"install": "sh $ATTEMPTS; node build.js"}}
end
			echo 'require("fs").writeFileSync("built", "built")' >dep/build.js
			echo '{"name": "project", "version": "1.0.0", "dependencies": {"dep": "file:dep-1.0.0.tgz"}}' >package.json
			npm pack --silent ./dep >packed`,
		run:  `npm install --silent --offline --no-audit --no-fund; cat node_modules/dep/built`,
		want: "built",
		lets: []string{"env"},
	},
	{
		name:     "pip-install",
		programs: []string{"/usr/bin/python3"},
		prepare: `mkdir -p dep/dep; echo 'print("installed")' >dep/dep/__init__.py
			printf 'import os, setuptools\nos.system("sh $ATTEMPTS")\nsetuptools.setup(name="dep", version="1.0", packages=["dep"])\n' >dep/setup.py
			/usr/bin/python3 -m venv --without-pip --system-site-packages .venv`,
		run:  `.venv/bin/python3 -m pip install -q --no-index --no-build-isolation --no-deps --use-pep517 ./dep; .venv/bin/python3 -c 'import dep'`,
		want: "installed\n",
		lets: []string{"env"},
	},
	{
		name:     "agent",
		programs: []string{"gcc", "/usr/bin/python3"},
		prepare: `printf 'int main(void) { return 3; }\n' >prog.c
			cat >test_small.py <<'end'
import multiprocessing, socket, tempfile, unittest

class Test(unittest.TestCase):
    def test_socket(self):
        with tempfile.TemporaryDirectory(prefix="Test") as dir, socket.socket(socket.AF_UNIX) as s, socket.socket(socket.AF_UNIX) as c:
            s.bind(dir + "/s")
            s.listen()
            c.connect(dir + "/s")
    def test_server(self):
        with socket.create_server(("127.0.0.1", 0)) as s:
            socket.create_connection(s.getsockname()).close()
    def test_processes(self):
        with multiprocessing.Pool(2) as pool:
            self.assertEqual(pool.map(abs, [-1, -2]), [1, 2])
end`,
		run: `git checkout -q -b work; echo x >made; git add made; git commit -qm made; git log -1 --format='%an %s'; git status --short made
			gcc -o prog prog.c; ./prog; echo $?; /usr/bin/python3 -m unittest -q && echo tested
			mkdir sub; mv sub other; f=$(mktemp); mv $f ./moved; ls moved; ps >/dev/null; ls / >/dev/null
			sh $ATTEMPTS`,
		want: "Me made\n3\ntested\nmoved\n",
	},
}

type readyPolicy struct {
	name     string
	programs []string // what it needs besides those that every test does
	prepare  string   // a script in the project that makes what the others need
	run      string   // a script that is run in the project, or else
	tool     string   // a program at home that is run in the scratch directory
	want     string   // how its output begins
	lets     []string // what the policy does not stop
}

// A policy lets its programs work, and stops what they have no business with. Without it
// all of that succeeds.
func TestReadyPolicies(t *testing.T) {
	testenv.Root(t)
	testenv.Program(t, "git", "curl")
	warm := sync.OnceValue(func() string { return warmCache(t, reachable(t)) })
	for _, p := range readyPolicies {
		t.Run(p.name, func(t *testing.T) {
			testenv.Program(t, p.programs...)
			asEach(t, nil, func(t *testing.T, a *arena) {
				s := newScene(t, a, p)
				if slices.Contains(p.programs, "go") {
					s.cache = warm()
				}
				t.Parallel()
				bare := s.play(t)
				for _, x := range attempts {
					if !bare.came[x] {
						t.Errorf("without a policy: %s failed", x)
					}
				}
				held := s.play(t, a.turnstile, "enforce", "-p", s.file, "--")
				for _, x := range attempts {
					if let := slices.Contains(p.lets, x); held.came[x] != let {
						t.Errorf("%s: it is %v that this succeeded, want %v", x, held.came[x], let)
					}
				}
				for _, o := range []played{bare, held} {
					if !strings.HasPrefix(o.stdout, p.want) {
						t.Errorf("stdout is %q, want %q\n%s", o.stdout, p.want, o.stderr)
					}
				}
			})
		})
	}
}

// attempts are what attempts.sh does where nothing stops it.
var attempts = []string{"key", "token", "profile", "new profile", "autostart", "service", "login", "hook", "config", "moved hook", "docker", "agent", "environment", "abstract", "tcp", "env", "task", "envrc", "moved git", "commondir"}

// scene is a user's home with a project in it, and what lies around it.
type scene struct {
	*arena
	ready readyPolicy
	file  string // the policy
	cache string // of the go command
}

func newScene(t *testing.T, a *arena, p readyPolicy) *scene {
	t.Helper()
	s := &scene{arena: a, ready: p, file: filepath.Join(filepath.Dir(a.dir), p.name+".yaml")}
	write(t, s.file, read(t, filepath.Join("..", "..", "policies", p.name+".yaml")))
	a.attr = nobodyToAsk
	a.files = []string{
		"tmp/", "tmp/ssh-1/", "run/", "scratch/",
		"home/", "home/.profile=", "home/.gitconfig=[user]\nname = Me\nemail = me@localhost\n",
		"home/.ssh/", "home/.ssh/id_ed25519=KEY\n", "home/.config/", "home/.config/gh/", "home/.config/gh/hosts.yml=TOKEN\n",
		"home/project/", "home/project/notes=notes\n", "home/project/.env=SECRET\n", "home/project/attempts.sh=" + read(t, filepath.Join("testdata", "policies", "attempts.sh")),
	}
	return s
}

// visitors counts who comes to a listener.
type visitors struct{ atomic.Int32 }

func (v *visitors) came() bool { return v.Load() > 0 }

func countVisitors(t testing.TB, l net.Listener) *visitors {
	var v visitors
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			v.Add(1)
			c.Close()
		}
	}()
	return &v
}

// listenUnix listens at a name that is a file, which then belongs to the user of the
// scene, or an abstract one.
func (s *scene) listenUnix(t testing.TB, name string) *visitors {
	t.Helper()
	l, err := net.Listen("unix", name)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(name, "@") {
		chown(t, name, s.uid)
	}
	return countVisitors(t, l)
}

// listenLow listens at a port below those that the kernel chooses, which tests may use.
func listenLow(t testing.TB) (v *visitors, port string) {
	t.Helper()
	for {
		port = strconv.Itoa(20_000 + rand.IntN(10_000))
		l, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err == nil {
			return countVisitors(t, l), port
		}
		if !errors.Is(err, unix.EADDRINUSE) {
			t.Fatal(err)
		}
	}
}

// played is what came of a run.
type played struct {
	outcome
	came map[string]bool // the attempts
}

// play makes the scene anew and runs its program, behind gate.
func (s *scene) play(t testing.TB, gate ...string) played {
	t.Helper()
	s.fresh(t)
	docker, agent := s.listenUnix(t, s.path("run/docker.sock")), s.listenUnix(t, s.path("tmp/ssh-1/agent.1"))
	tcp, port := listenLow(t)
	name := s.dir + "/" + port
	abstract := s.listenUnix(t, "@"+name)
	home, project, tmp := s.path("home"), s.path("home/project"), s.path("tmp")
	dir, argv := project, []string{"sh", "-c", s.ready.run}
	if s.ready.tool != "" {
		dir, tmp, argv = s.path("scratch"), s.path("scratch"), []string{filepath.Join(home, s.ready.tool)}
	}
	outside := s.command(t, "sleep", "infinity")
	outside.Env = []string{"PATH=" + os.Getenv("PATH"), "TOKEN=SECRET"}
	if err := outside.Start(); err != nil {
		t.Fatal(err)
	}
	defer outside.Wait()
	defer outside.Process.Kill()
	env := []string{
		"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "HOME=" + home, "TMPDIR=" + tmp,
		"PROJECT=" + project, "ATTEMPTS=" + project + "/attempts.sh", "SCRATCH=" + s.path("scratch"),
		"DOCKER=" + s.path("run/docker.sock"), "SSH_AUTH_SOCK=" + s.path("tmp/ssh-1/agent.1"), "ABSTRACT=" + name, "PORT=" + port,
		"OUTSIDE=" + strconv.Itoa(outside.Process.Pid),
		"CGO_ENABLED=0", "GOTOOLCHAIN=local", "GOPROXY=off",
	}
	prepare := "git init -q -b main; git add notes; git commit -qm notes\n" + s.ready.prepare
	if s.cache != "" {
		prepare = "mkdir ~/.cache; cp -r " + s.cache + " ~/.cache/go-build\n" + prepare
	}
	s.runIn(t, project, env, "sh", "-ec", prepare).demandCode(t, "preparing", 0)
	o := s.runIn(t, dir, env, append(gate, argv...)...)
	has := func(file, text string) bool {
		content, err := os.ReadFile(file)
		return err == nil && strings.Contains(string(content), text)
	}
	return played{o, map[string]bool{
		"key":         has(tmp+"/key", "KEY"),
		"token":       has(tmp+"/token", "TOKEN"),
		"profile":     has(home+"/.profile", "evil"),
		"new profile": has(home+"/.bash_profile", ""),
		"autostart":   has(home+"/.config/autostart/evil.desktop", ""),
		"service":     has(home+"/.config/systemd/user/evil.service", ""),
		"login":       has(home+"/.ssh/authorized_keys", ""),
		"hook":        has(project+"/.git/hooks/pre-commit", ""),
		"config":      has(project+"/.git/config", "evil"),
		"moved hook":  has(project+"/nested/.git/hooks/pre-commit", ""),
		"environment": has(tmp+"/environment", "SECRET"),
		"env":         has(tmp+"/env", "SECRET"),
		"task":        has(project+"/.vscode/tasks.json", ""),
		"envrc":       has(project+"/.envrc", ""),
		"moved git":   has(tmp+"/moved", ""),
		"commondir":   has(project+"/.git/commondir", ""),
		"docker":      docker.came(),
		"agent":       agent.came(),
		"abstract":    abstract.came(),
		"tcp":         tcp.came(),
	}}
}

func (s *scene) runIn(t testing.TB, dir string, env []string, argv ...string) outcome {
	t.Helper()
	cmd := s.command(t, argv...)
	cmd.Dir, cmd.Env = dir, env
	return ended(t, cmd)
}

// What stands in the directory policies is all tested, and a check finds nothing.
func TestReadyPoliciesAreClean(t *testing.T) {
	files, err := filepath.Glob("../../policies/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		if !slices.ContainsFunc(readyPolicies, func(p readyPolicy) bool { return p.name == name }) {
			t.Errorf("no test runs %s", file)
		}
	}
	home := t.TempDir()
	project := filepath.Join(home, "project")
	if err := os.Mkdir(project, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, p := range readyPolicies {
		file, err := filepath.Abs("../../policies/" + p.name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("turnstile", "policy", "check", file)
		cmd.Dir, cmd.Env = project, append(os.Environ(), "HOME="+home, "TMPDIR=/var/tmp/none")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", p.name, err, out)
		}
	}
}
