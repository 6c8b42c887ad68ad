package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/turnstile-project/turnstile/internal/policy/lang"
)

// TestPolicyDocument runs what docs/policy.md shows: each policy is one, and each command
// behind it prints what stands there.
func TestPolicyDocument(t *testing.T) {
	const name = "../../docs/policy.md"
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	dir := filepath.Join(home, "project")
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // an empty directory
		t.Fatal(err)
	}
	policies, commands := 0, 0
	block := regexp.MustCompile("(?s)```(yaml|console)\n(.*?)```\n")
	written := block.ReplaceAllStringFunc(string(text), func(b string) string {
		match := block.FindStringSubmatch(b)
		if match[1] == "yaml" {
			policies++
			vars := lang.Variables{"CWD": dir, "HOME": home, "TMPDIR": "/tmp", "EXE": "/usr/bin/make"}
			if _, err := lang.Parse("docs/policy.md", []byte(match[2]), vars); err != nil {
				t.Errorf("%v\n%s", err, match[2])
			}
			if err := os.WriteFile(filepath.Join(dir, "policy.yaml"), []byte(match[2]), 0o600); err != nil {
				t.Fatal(err)
			}
			return b
		}
		var out strings.Builder
		out.WriteString("```console\n")
		for line := range strings.Lines(match[2]) {
			command, isCommand := strings.CutPrefix(line, "$ ")
			if !isCommand {
				continue
			}
			commands++
			cmd := exec.Command("sh", "-c", strings.ReplaceAll(command, "/home/me", home))
			cmd.Dir, cmd.Env = dir, append(os.Environ(), "HOME="+home)
			output, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("%s%v\n%s", line, err, output)
			}
			out.WriteString(line + strings.ReplaceAll(string(output), home, "/home/me"))
		}
		out.WriteString("```\n")
		return out.String()
	})
	if policies < 7 || commands < policies {
		t.Errorf("%d policies and %d commands", policies, commands)
	}
	if written == string(text) {
		return
	}
	if os.Getenv("UPDATE_GOLDEN") == "" {
		t.Errorf("what the commands print is not what stands in %s; UPDATE_GOLDEN=1 writes\n%s", name, written)
	} else if err := os.WriteFile(name, []byte(written), 0o644); err != nil { //nolint:gosec // it is in the repository
		t.Fatal(err)
	}
}
