package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A question about an address shows it, and its answer is for that address.
func TestEnforceAskAboutAddress(t *testing.T) {
	eachUser(t, func(t *testing.T, a *arena) {
		one, two := newParty(t, "one"), newParty(t, "two")
		script := fmt.Sprintf(`for p in %[1]s %[1]s %[2]s; do if echo >/dev/tcp/127.0.0.1/$p; then echo "[$p made]"; else echo "[$p denied]"; fi; done 2>/dev/null; exit 5`, one.tcp, two.tcp)
		cmd := a.enforce([]string{"--log", "log", "--ask", "connect:tcp:127.0.0.0/8"}, "bash", "-c", script)
		cmd.Env = append(cmd.Env, "NO_COLOR=1")
		s := onStage(t, cmd)
		for _, step := range []struct{ port, key, said string }{
			{one.tcp, "A", "made"}, {one.tcp, "", "made"}, {two.tcp, "?", ""}, {two.tcp, "d", "denied"},
		} {
			if step.key != "" {
				before := s.sees("[?]: ")
				if want := `wants to connect "tcp:127.0.0.1:` + step.port + `" (connect)`; step.key != "d" && !strings.Contains(before, want) {
					t.Fatalf("the question is %q, want %q", before, want)
				}
				if want := "--allow connect:tcp:127.0.0.1:" + step.port; step.key == "d" && !strings.Contains(before, want) {
					t.Errorf("the explanation is %q, want %q", before, want)
				}
				s.types(step.key)
			}
			if step.said != "" {
				s.sees("[" + step.port + " " + step.said + "]")
			}
		}
		s.demandExit(5)
		if conns, _ := one.saw(); conns != 2 {
			t.Errorf("the one peer saw %d connections", conns)
		}
		if conns, _ := two.saw(); conns != 0 {
			t.Errorf("the other peer saw %d connections", conns)
		}
		var got []string
		for _, d := range decisionsIn(t, a.path("log")) {
			if d.Op == "connect" && d.Socket != nil && d.Socket.Addr == "127.0.0.1" {
				got = append(got, fmt.Sprint(d.Socket.Protocol, " ", d.Socket.Port, " ", d.Verdict, " ", d.Rule, " ", d.Errno))
			}
		}
		want := []string{"tcp " + one.tcp + " allow user ", "tcp " + one.tcp + " allow user ", "tcp " + two.tcp + " deny user EACCES"}
		if !slices.Equal(got, want) {
			t.Errorf("the log says %q, want %q", got, want)
		}
	})
}

// The rule that the summary says would allow an address does.
func TestEnforceSummaryAddressWorks(t *testing.T) {
	eachUser(t, func(t *testing.T, a *arena) {
		p := newParty(t, "summary")
		defer p.shut()
		for _, to := range []string{"tcp/127.0.0.1/" + p.tcp, "tcp/::1/" + p.tcp, "tcp/::ffff:127.0.0.1/" + p.tcp, "tcp/0.0.0.0/" + p.tcp, "udp/127.0.0.1/" + p.udp, "udp/::1/" + p.udp} {
			run := func(flags ...string) outcome {
				r := begin(t, a.enforce(append([]string{"--default", "deny", "--allow", "all:/**"}, flags...), "bash", "-c", `echo x >/dev/"$1"`, "-", to))
				r.wait()
				return outcome{r.ProcessState.ExitCode(), r.stdout(), r.stderr()}
			}
			o := run()
			found := regexp.MustCompile(`(?m)^  connect "(.*)": by default; --allow '?(connect:[^']*)'? would allow it$`).FindAllStringSubmatch(o.stderr, -1)
			if o.code != 1 || len(found) != 1 {
				t.Errorf("%s: by default: %+v", to, o)
				continue
			}
			if o := run("--allow", found[0][2]); o.code != 0 || o.stderr != "" {
				t.Errorf("%s: with %s: %+v", to, found[0][2], o)
			}
		}
	})
}
