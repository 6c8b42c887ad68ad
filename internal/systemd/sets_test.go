package systemd

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/turnstile-project/turnstile/internal/testenv"
)

// TestSets: the sets are those of systemd itself, if it is the version that they are from.
func TestSets(t *testing.T) {
	testenv.Program(t, "systemd-analyze")
	version, err := exec.Command("systemd-analyze", "--version").Output()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(version), Version+" ") {
		t.Skipf("this is no %s: %s", Version, version)
	}
	out, err := exec.Command("systemd-analyze", "syscall-filter", "--no-pager").Output()
	if err != nil {
		t.Fatal(err)
	}
	theirs := make(map[string][]string)
	var set string
	for line := range strings.Lines(string(out)) {
		switch name := strings.TrimSpace(line); {
		case name == "" || strings.HasPrefix(name, "#"):
		case strings.HasPrefix(line, "@"):
			set = name
		case set != "":
			theirs[set] = append(theirs[set], name)
		}
	}
	if len(theirs) < 20 {
		t.Fatalf("systemd-analyze has told of %d sets", len(theirs))
	}
	for name, members := range theirs {
		ours := slices.Clone(sets[name])
		slices.Sort(ours)
		slices.Sort(members)
		if !slices.Equal(ours, members) {
			t.Errorf("%s is %q, and of systemd %q", name, ours, members)
		}
	}
}
