package read_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/turnstile-project/turnstile/internal/report/read"
	"github.com/turnstile-project/turnstile/internal/systemd"
	"github.com/turnstile-project/turnstile/internal/testenv"
)

// TestSystemdAgrees: systemd itself says the same of unit files. What it tells is, for some
// sets, whether a service can make a call of them.
func TestSystemdAgrees(t *testing.T) {
	testenv.Program(t, "systemd-analyze")
	for name, lines := range map[string]string{
		"all":             "",
		"allow":           "SystemCallFilter=read write",
		"allow a set":     "SystemCallFilter=@system-service",
		"and less":        "SystemCallFilter=@system-service\nSystemCallFilter=~@resources @privileged",
		"and more":        "SystemCallFilter=@system-service\nSystemCallFilter=@clock",
		"one of a set":    "SystemCallFilter=read mount",
		"deny":            "SystemCallFilter=~@mount @swap",
		"deny but one":    "SystemCallFilter=~@mount @swap\nSystemCallFilter=umount2",
		"errnos":          "SystemCallFilter=~@mount:EPERM @swap:kill reboot:38 @debug:ENOWHAT @clock:0",
		"errno of allow":  "SystemCallFilter=read reboot:EPERM swapon:kill",
		"reset":           "SystemCallFilter=read\nSystemCallFilter=\nSystemCallFilter=~@clock",
		"reset, no more":  "SystemCallFilter=read\nSystemCallFilter=",
		"continued":       "SystemCallFilter=read \\\n# a comment\n; another\n @clock \\\n\\\n @swap",
		"not continued":   "SystemCallFilter=read \\\\\n@clock",
		"quoted":          "SystemCallFilter=read \"@clock\" '@swap'",
		"inverted inside": "SystemCallFilter=read ~@clock @swap",
		"inverted apart":  "SystemCallFilter=~ @clock",
		"blanks":          "  SystemCallFilter =  read \t @clock ",
		"unknown":         "SystemCallFilter=@nosuch nosuch @clock",
		"not in Service":  "[Install]\nSystemCallFilter=~@clock\n[Service]\nSystemCallFilter=~@swap",
		"carriage return": "SystemCallFilter=~@clock\r\nSystemCallFilter=@swap\r",
		"empty inversion": "SystemCallFilter=~",
		"comment behind":  "SystemCallFilter=read # @clock",
	} {
		t.Run(name, func(t *testing.T) {
			text := "[Service]\nExecStart=/bin/true\n" + lines + "\n"
			for set, open := range analysed(t, text) {
				found := false
				for _, call := range systemd.Set(set) {
					d := seen(t, call)
					if d.Syscalls[0].Nr == 0 && call != "read" {
						continue // not of this ABI
					}
					p, err := read.Read("x.service", []byte(text), "systemd", amd64)
					if err != nil && !strings.Contains(err.Error(), "is about system calls") {
						t.Fatal(err)
					}
					found = found || err != nil || len(p.Check(d)) == 0
				}
				if found != open {
					t.Errorf("%s: systemd says open: %v, and here it is %v", set, open, found)
				}
			}
		})
	}
}

// analysed says for the sets that systemd looks at whether a unit file lets any of their
// calls be made.
func analysed(t *testing.T, text string) map[string]bool {
	t.Helper()
	file := filepath.Join(t.TempDir(), "x.service")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("systemd-analyze", "security", "--offline=true", "--no-pager", "--json=short", file)
	out, err := cmd.Output() // it fails if it finds the service exposed
	var tests []struct {
		Set  bool   `json:"set"`
		Name string `json:"name"`
	}
	if jsonErr := json.Unmarshal(out, &tests); jsonErr != nil {
		t.Fatalf("systemd-analyze: %v, %v: %s", err, jsonErr, out)
	}
	sets := make(map[string]bool)
	for _, test := range tests {
		if set, ok := strings.CutPrefix(test.Name, "SystemCallFilter=~"); ok {
			sets[set] = !test.Set
		}
	}
	if len(sets) < 8 {
		t.Fatalf("systemd-analyze has told of %d sets: %s", len(sets), out)
	}
	return sets
}
