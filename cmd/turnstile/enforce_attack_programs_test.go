package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/turnstile-project/turnstile/internal/testenv"
)

// What a rule with a condition allows to one program no other gets: not by its name, and
// not while it becomes that program.
func TestAttackPrograms(t *testing.T) {
	testenv.Program(t, "sh", "ln", "rm")
	shell, err := filepath.EvalSymlinks("/bin/sh")
	if err != nil {
		t.Fatal(err)
	}
	becomes := attack(t, "becomes")
	eachUser(t, func(t *testing.T, a *arena) {
		a.attr = nobodyToAsk
		a.files = []string{"secret=s\n", "bin/", "link -> bin/reader", "open=o\n"}
		a.more = func(t testing.TB, dir string) {
			for _, name := range []string{"bin/reader", "other"} {
				copyProgram(t, shell, filepath.Join(dir, name))
				chown(t, filepath.Join(dir, name), a.uid)
			}
		}
		policy := filepath.Join(filepath.Dir(a.dir), "policy.yaml")
		text := `version: 1
default: allow
rules:
  - ask: [read]
    paths: ["DIR/secret"]
  - allow: [read]
    paths: ["DIR/secret"]
    exe: ["DIR/link"]
  - deny: [read]
    paths: ["DIR/open"]
    exe: ["DIR/other"]
`
		a.fresh(t)
		if err := os.WriteFile(policy, []byte(strings.ReplaceAll(text, "DIR", a.dir)), 0o644); err != nil { //nolint:gosec // see reachable
			t.Fatal(err)
		}
		const read = `read x <"$0" && echo won`
		reader, other, secret := a.path("bin/reader"), a.path("other"), a.path("secret")
		for _, tt := range []struct {
			name  string
			argv  []string
			gated string // what is printed
		}{
			{"the program", []string{reader, "-c", read, secret}, "won\n"},
			{"by a link", []string{a.path("link"), "-c", read, secret}, "won\n"},
			{"another", []string{other, "-c", read, secret}, ""},
			{"its child", []string{other, "-c", `"$1" -c 'read x <"$0" && echo won' "$0"`, secret, reader}, "won\n"},
			{"the child of it", []string{reader, "-c", `"$1" -c 'read x <"$0" && echo won' "$0"; :`, secret, other}, ""},
			{"called like it", []string{other, "-c", `cd "$1" && ln -s other reader && ./reader -c 'read x <"$0" && echo won' "$0"`, secret, a.dir}, ""},
			{"a program that is gone", []string{reader, "-c", `rm "$1"; read x <"$0" && echo won`, secret, reader}, ""},
			{"who is denied", []string{other, "-c", read, a.path("open")}, ""},
			{"who is not denied", []string{reader, "-c", read, a.path("open")}, "won\n"},
			{"who was denied, and is gone", []string{other, "-c", `rm "$1"; read x <"$0" && echo won`, a.path("open"), other}, ""},
		} {
			t.Run(tt.name, func(t *testing.T) {
				a.fresh(t)
				if bare := a.run(t, tt.argv...); bare.stdout != "won\n" {
					t.Fatalf("bare: %q\n%s", bare.stdout, bare.stderr)
				}
				a.fresh(t)
				gated := a.run(t, append([]string{a.turnstile, "enforce", "-q", "-p", policy, "--"}, tt.argv...)...)
				if gated.stdout != tt.gated {
					t.Errorf("gated: %q, want %q\n%s", gated.stdout, tt.gated, gated.stderr)
				}
			})
		}
		t.Run("while it becomes it", func(t *testing.T) {
			tries := 200
			if stress() {
				tries = 5000
			}
			argv := []string{becomes, strconv.Itoa(tries), secret, reader}
			if bare := a.bare(t, argv...); bare.code != 0 {
				t.Fatalf("bare: exit code %d\n%s", bare.code, bare.stderr)
			}
			a.fresh(t)
			gated := a.run(t, append([]string{a.turnstile, "enforce", "-q", "-p", policy, "--"}, argv...)...)
			if gated.code != 1 {
				t.Errorf("gated: exit code %d\n%s", gated.code, gated.stderr)
			}
		})
	})
}
