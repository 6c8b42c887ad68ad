package lang

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/policy"
)

var vars = Variables{"CWD": "/srv/pro[j]", "HOME": "/home/me", "TMPDIR": "/tmp", "EXE": "/usr/bin/make"}

const design = `version: 1
default: deny                    # allow | deny | ask, for every class but stat
rules:
  - allow: [read, list, exec]
    paths: [/usr/**, "/etc/ld.so.*", "${EXE}"]
  - allow: [read, write, create, delete, list, attr]
    paths: ["${CWD}/**", "/tmp/**"]
  - deny: [read, write]          # a deny always wins; its exceptions stand in the rule
    paths: ["${CWD}/.git/hooks/**", "${HOME}/.ssh/**"]
    except: ["${HOME}/.ssh/known_hosts"]
    errno: ENOENT
  - ask: [write]
    paths: ["${HOME}/**"]
  - allow: [connect]
    sockets: ["unix:/run/dbus/**", "tcp:10.0.0.0/8:5432"]
    exe: [/usr/bin/psql]         # optional condition
open: []                         # side doors
syscalls:
  deny: ["@swap", ptrace]
`

func TestParse(t *testing.T) {
	f, err := Parse("p.yaml", []byte(design), vars)
	if err != nil {
		t.Fatal(err)
	}
	p := &f.Policy
	for _, tt := range []struct {
		class     event.Class
		path, exe string
		want      event.VerdictKind
		by        string
	}{
		{event.Read, "/usr/lib/libc.so", "/bin/x", event.VerdictAllow, "p.yaml:4"},
		{event.Exec, "/usr/bin/make", "/bin/x", event.VerdictAllow, "p.yaml:4"},
		{event.Write, "/srv/pro[j]/a", "/bin/x", event.VerdictAllow, "p.yaml:6"},
		{event.Write, "/srv/proj/a", "/bin/x", event.VerdictDeny, "default"},
		{event.Write, "/srv/pro[j]/.git/hooks/x", "/bin/x", event.VerdictDeny, "p.yaml:8"},
		{event.Read, "/home/me/.ssh/id", "/bin/x", event.VerdictDeny, "p.yaml:8"},
		{event.Write, "/home/me/.ssh/known_hosts", "/bin/x", event.VerdictAsk, "p.yaml:12"},
		{event.Connect, "/run/dbus/system", "/usr/bin/psql", event.VerdictAllow, "p.yaml:14"},
		{event.Connect, "/run/dbus/system", "/usr/bin/psq", event.VerdictDeny, "default"},
		{event.Connect, "/run/dbus/system", "", event.VerdictDeny, "default"},
	} {
		if d := p.Decide(tt.class, policy.Path{Name: tt.path, Exe: tt.exe}); d.Verdict != tt.want || d.By() != tt.by {
			t.Errorf("%v of %s by %q: %v by %s, want %v by %s", tt.class, tt.path, tt.exe, d.Verdict, d.By(), tt.want, tt.by)
		}
	}
	if d := p.Decide(event.Read, policy.Path{Name: "/home/me/.ssh/id"}); d.Denied() != unix.ENOENT {
		t.Errorf("errno %v", d.Denied())
	}
	if len(f.Places) != len(p.Rules) || f.Places[1] != (Place{5, 22}) {
		t.Errorf("places %v of %d rules", f.Places, len(p.Rules))
	}
	if len(p.Calls) != 1 || strings.Join(p.Calls[0].Calls, " ") != "swapoff swapon ptrace" || p.Calls[0].Name != "p.yaml:18" {
		t.Errorf("calls: %+v", p.Calls)
	}
}

// Each line of want is one problem: where, and what it says.
func TestErrors(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"nothing":           {"", `1:1: expected a policy, and the file is empty`},
		"a comment":         {"# none\n", `1:1: expected a policy, and the file is empty`},
		"no YAML":           {"version: 1\nrules: [a\n", `3:1: this is no YAML: did not find expected ',' or ']', parsing a flow sequence that begins at 2:8`},
		"a tab":             {"version: 1\nrules:\n\t- x\n", `3:1: this is no YAML: found character that cannot start any token`},
		"an at sign":        {"version: 1\nsyscalls:\n  deny: [@mount]\n", `3:10: this is no YAML: found character that cannot start any token`},
		"no UTF-8":          {"version: 1\ndéf\xffault: deny\n", `2:4: expected UTF-8 text`},
		"an escape":         {"version: 1\n# \x1b[2J\n", `2:3: expected UTF-8 text`},
		"no mapping":        {"- a\n", `1:1: expected the keys of a policy (default, open, rules, syscalls, version), found a list`},
		"too large":         {strings.Repeat("#", MaxSize+1), `1:1: a policy has at most 1048576 bytes`},
		"too deep":          {"version: " + strings.Repeat("[", 100), `1:26: this is no YAML: exceeded max depth of 16`},
		"two documents":     {"version: 1\n---\nversion: 1\n", `3:1: a second document begins here`},
		"junk behind":       {"version: 1\n---\n[", `4:1: this is no YAML`},
		"no version":        {"default: allow\n", `1:1: expected the key "version"`},
		"a later version":   {"version: 2\n", `1:10: version "2" is not known; this Turnstile reads version 1`},
		"twice":             {"version: 1\ndefault: deny\ndefault: allow\n", `3:1: the key "default" stands here a second time; the first is in line 2`},
		"a typo":            {"version: 1\ndefautl: deny\n", `2:1: "defautl" is no key of a policy; did you mean "default"?`},
		"unlike any":        {"version: 1\nxyz: deny\n", `2:1: "xyz" is no key of a policy; they are default, open, rules, syscalls, version`},
		"no key":            {"version: 1\n? [a]\n: b\n", `2:3: expected a key of a policy (default, open, rules, syscalls, version), found a list`},
		"a default":         {"version: 1\ndefault: alow\n", `2:10: "alow" is no verdict; did you mean "allow"?`},
		"no default":        {"version: 1\ndefault:\n", `2:9: expected verdict (allow, deny, ask), found nothing`},
		"no rules":          {"version: 1\nrules: []\n", `2:8: the list is empty; write what "rules" is about`},
		"rules":             {"version: 1\nrules: x\n", `2:8: expected a list, such as rules: [{allow`},
		"an anchor":         {"version: 1\nrules: &a\n  - allow: [read]\n    paths: [/x]\n", `2:8: an anchor (&) has no place in a policy`},
		"an alias":          {"version: 1\nrules:\n  - allow: &c [read]\n    paths: [/x]\n  - allow: *c\n    paths: [/y]\n", "3:12: an anchor\n5:12: an alias (*) has no place"},
		"a bomb":            {"version: 1\nrules:\n - &a [x,x,x]\n - &b [*a,*a,*a]\n - [*b,*b,*b]\n", "3:4: an anchor\n3:4: expected the keys of a rule\n4:4: an anchor\n4:4: expected the keys\n4:8: an alias\n4:11: an alias\n4:14: an alias\n5:4: expected the keys\n5:5: an alias\n5:8: an alias\n5:11: an alias"},
		"a tag":             {"version: 1\ndefault: !!str deny\n", `2:10: a tag (!) has no place`},
		"a merge":           {"version: 1\n<<: {default: deny}\n", `2:1: "<<" is no key of a policy`},
		"a class":           {ruleOf("allow: [reed]"), `3:13: "reed" is no class; did you mean "read"?`},
		"a class twice":     {ruleOf("allow: [read, read]"), `3:19: the class "read" stands here a second time`},
		"no classes":        {ruleOf("allow: []"), `3:12: the list is empty; write what "allow" is about, such as [read, list], or leave the key out`},
		"one class":         {ruleOf("allow: read"), `3:12: expected a list, such as allow: [read, list], found "read"`},
		"two verdicts":      {ruleOf("allow: [read]\n    deny: [write]"), `4:5: a rule has one verdict; "allow" is that of this one already`},
		"no verdict":        {"version: 1\nrules:\n  - paths: [/x]\n", `3:5: expected a verdict: allow, deny or ask`},
		"no paths":          {"version: 1\nrules:\n  - allow: [read]\n", `3:5: expected the key "paths" or "sockets"`},
		"a key of a rule":   {ruleOf("allow: [read]\n    path: [/y]"), `4:5: "path" is no key of a rule; did you mean "paths"?`},
		"an errno":          {ruleOf("deny: [read]\n    errno: ENOPE"), `4:12: "ENOPE" is no errno`},
		"errno of an allow": {ruleOf("allow: [read]\n    errno: ENOENT"), `4:5: only a deny has an errno`},
		"except what":       {"version: 1\nrules:\n  - deny: [connect]\n    sockets: [\"tcp:*\"]\n    except: [/x]\n", `5:5: "except" leaves out some of "paths", and there are none`},
		"a relative path":   {pathOf("src/**"), `4:13: "src/**" is no absolute path; for one below the working directory write "${CWD}/src/**"`},
		"a home":            {pathOf("~/.ssh"), `4:13: "~/.ssh" is for a shell; write "${HOME}/.ssh"`},
		"a glob":            {pathOf("/a/[b"), `4:13: pattern "/a/[b" has a bracket`},
		"no path":           {pathOf(""), `4:13: expected a path, found ""`},
		"a variable":        {pathOf("${HOM}/x"), `4:13: "HOM" is no variable; did you mean "HOME"?`},
		"inside":            {pathOf("/a/${HOME}"), `4:13: "/a/${HOME}": a variable is an absolute path, and stands at the beginning`},
		"twice inside":      {pathOf("${HOME}/${CWD}"), `4:13: "${HOME}/${CWD}": a variable is an absolute path`},
		"unclosed":          {pathOf("${HOME/x"), `4:13: "${HOME/x": a variable ends with }`},
		"glued":             {pathOf("${HOME}x"), `4:13: "${HOME}x": behind a variable comes a "/"`},
		"hostile":           {pathOf(`/\e[2J\u202e[`), `4:13: pattern "/\x1b[2J\u202e[" has a bracket`},
		"a socket":          {"version: 1\nrules:\n  - allow: [connect]\n    sockets: [\"tcp:example.com:80\"]\n", `4:15: socket "tcp:example.com:80": "example.com" is no address`},
		"a socket read":     {"version: 1\nrules:\n  - allow: [read]\n    sockets: [\"tcp:*\", \"udp:*\"]\n", `4:15: nothing but connect and bind is done with sockets, and the rule is about read`},
		"a door":            {"version: 1\nopen: [io_urin]\n", `2:8: "io_urin" is no side door; did you mean "io_uring"?`},
		"a door twice":      {"version: 1\nopen: [bpf, bpf]\n", `2:13: the side door "bpf" stands here a second time`},
		"a call":            {"version: 1\nsyscalls: {deny: [ptrase]}\n", `2:19: "ptrase" is no system call; did you mean "ptrace"?`},
		"a group":           {"version: 1\nsyscalls:\n  deny: [\"@mounts\"]\n", `3:10: "@mounts" is no group of system calls; did you mean "@mount"?`},
		"no calls":          {"version: 1\nsyscalls: {errno: ENOSYS}\n", `2:11: expected the key "deny" with a list of system calls`},
		"kill and errno":    {"version: 1\nsyscalls: {deny: [bpf], errno: ENOSYS, kill: true}\n", `2:40: a call that kills returns no errno`},
		"kill what":         {"version: 1\nsyscalls: {deny: [bpf], kill: maybe}\n", `2:31: "maybe" is no yes or no`},
		"all at once": {"version: 1\ndefault: dney\nrules:\n  - allow: [red]\n    paths: [x]\n  - deny: [read]\n    paths: [\"${FOO}\"]\nopen: [door]\n",
			"2:10: \"dney\"\n4:13: \"red\"\n5:13: \"x\"\n7:13: \"FOO\" is no variable\n8:8: \"door\""},
	} {
		f, err := Parse("p.yaml", []byte(tt.text), vars)
		if err == nil {
			t.Errorf("%s: no error: %+v", name, f)
			continue
		}
		lines, want := strings.Split(err.Error(), "\n"), strings.Split(tt.want, "\n")
		ok := len(lines) == len(want)
		for i := 0; ok && i < len(want); i++ {
			ok = strings.HasPrefix(lines[i], "p.yaml:"+want[i])
		}
		if !ok {
			t.Errorf("%s:\n%v\nwant\n%s", name, err, tt.want)
		}
	}
}

// ruleOf is a policy whose rule has some lines.
func ruleOf(text string) string {
	return "version: 1\nrules:\n  - " + text + "\n    paths: [/x]\n"
}

// pathOf is a policy about a path.
func pathOf(text string) string {
	return "version: 1\nrules:\n  - allow: [read]\n    paths: [\"" + text + "\"]\n"
}

func TestUnsetVariables(t *testing.T) {
	for _, name := range variableNames {
		text := pathOf("${" + name + "}/x")
		for value, want := range map[string]string{"": "is not set: ", "x/y": `is "x/y", which is no absolute path`} {
			_, err := Parse("p.yaml", []byte(text), Variables{name: value})
			if err == nil || !strings.Contains(err.Error(), "p.yaml:4:13: the variable ${"+name+"} "+want) {
				t.Errorf("%s=%q: %v", name, value, err)
			}
		}
	}
	f, err := Parse("p.yaml", []byte(pathOf("${HOME}")), Variables{"HOME": "/"})
	if err != nil || f.Policy.Rules[0].Patterns[0].Prefix() != "/" {
		t.Errorf("the root as a home: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(design))
	f.Add([]byte("version: 1\nrules: [{allow: [all], paths: [/**], except: [/a], exe: [/b]}]\n"))
	f.Add([]byte("a: &a [*a]\n---\n"))
	f.Add([]byte("\"0\r\r"))
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := Parse("p", text, vars)
		if err == nil {
			if len(file.Places) != len(file.Policy.Rules) {
				t.Errorf("%d rules in %d places", len(file.Policy.Rules), len(file.Places))
			}
			file.Policy.Compile().Decide(policy.Files, policy.Path{Name: "/usr/bin/make", Exe: "/usr/bin/psql"})
			return
		}
		lines := 1
		for _, lineBreak := range []string{"\n", "\r", "\u0085", "\u2028", "\u2029"} { // those of YAML
			lines += strings.Count(string(text), lineBreak)
		}
		for _, p := range err.(*Error).Problems { //nolint:errorlint // it is not wrapped
			if p.Line < 1 || p.Line > lines+1 || p.Column < 1 {
				t.Errorf("%q: %v at %v", text, p.Text, p.Place)
			}
		}
		for _, c := range err.Error() {
			if c < ' ' && c != '\n' || c == 0x7f || c == 0x9b || c == 0x202e {
				t.Errorf("%q: the error has %q", text, c)
			}
		}
	})
}
