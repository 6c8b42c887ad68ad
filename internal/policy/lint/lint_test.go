package lint

import (
	"fmt"
	"strings"
	"testing"

	"github.com/turnstile-project/turnstile/internal/policy/lang"
)

func TestCheck(t *testing.T) {
	for name, tt := range map[string]struct {
		text string // rules; the first stands in line 3
		want string // LINE:what, one a line
	}{
		"clean":               {"- {allow: [read], paths: [/usr/**]}\n- {deny: [read], paths: [/usr/share/x/**], except: [/usr/share/x/y]}", ""},
		"denied":              {"- {allow: [read], paths: [/a/b]}\n- {deny: [read, write], paths: [/a/**]}", "3:never decides: all of it is denied in line 4"},
		"excepted":            {"- {allow: [read], paths: [/a/b]}\n- {deny: [read, write], paths: [/a/**], except: [/a/b]}", ""},
		"excepted elsewhere":  {"- {allow: [read], paths: [/a/b]}\n- {deny: [read, write], paths: [/a/**], except: [/a/c]}", "3:never decides"},
		"partly denied":       {"- {allow: [read, list], paths: [/a/b]}\n- {deny: [read], paths: [/a/**]}", ""},
		"denied to some":      {"- {allow: [read], paths: [/a/b]}\n- {deny: [read], paths: [/a/**], exe: [/x]}", ""},
		"twice":               {"- {allow: [read], paths: [/a/b]}\n- {allow: [read], paths: [/a/b]}", "4:never decides: line 3 is about all of it"},
		"asked":               {"- {allow: [read], paths: [\"/a/*\"]}\n- {ask: [read], paths: [/a/**]}", "3:never decides: line 4"},
		"more precise":        {"- {allow: [read], paths: [/a/b/**]}\n- {ask: [read], paths: [/a/**]}", ""},
		"repeated":            {"- {deny: [read], paths: [/a/**]}\n- {deny: [read], paths: [/a/b]}", "4:says nothing new: line 3 denies"},
		"another errno":       {"- {deny: [read], paths: [/a/**]}\n- {deny: [read], paths: [/a/b], errno: ENOENT}", ""},
		"contradiction":       {"- {allow: [read, list], paths: [/a/b]}\n- {deny: [read, write], paths: [/a/b]}", "4:contradicts line 3: that says allow to read of the same, this says deny"},
		"everywhere":          {"- {allow: [list, stat], paths: [/**]}\n- {allow: [read], paths: [/**]}", "4:allows read of every file"},
		"all of etc":          {"- {allow: [read, write], paths: [\"/etc/**\"]}", `3:allows write of all that is below "/etc"`},
		"all of home":         {"- {allow: [create], paths: [\"${HOME}/**\"]}", `3:allows create of all that is below "/home/me"`},
		"all addresses":       {"- {allow: [connect], sockets: [\"tcp:*\"]}", "3:every address"},
		"a useless exception": {"- {deny: [read], paths: [/a/**, /b/**], except: [/b/x, /c]}", `3:the exception "/c" leaves out nothing`},
		"who writes may":      {"- {allow: [read, write], paths: [/a/**]}\n- {allow: [read], paths: [/k], exe: [/a/x]}", `4:the policy allows to write to "/a/x"`},
	} {
		f, err := lang.Parse("p", []byte("version: 1\nrules:\n"+tt.text+"\n"), lang.Variables{"HOME": "/home/me"})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got []string
		for _, finding := range Check(f, "/home/me") {
			got = append(got, fmt.Sprintf("%d:%s", finding.Line, finding.Text))
		}
		if tt.want == "" {
			if len(got) > 0 {
				t.Errorf("%s: %q", name, got)
			}
			continue
		}
		line, text, _ := strings.Cut(tt.want, ":")
		if len(got) != 1 || !strings.HasPrefix(got[0], line+":") || !strings.Contains(got[0], text) {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}
