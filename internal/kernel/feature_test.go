package kernel

import (
	"strings"
	"testing"
)

func TestTableIsComplete(t *testing.T) {
	seen := map[ID]bool{}
	names := map[string]bool{}
	last := Group("")
	closed := map[Group]bool{}
	for _, f := range Features() {
		if f.ID == "" || seen[f.ID] {
			t.Errorf("ID %q is empty or not unique", f.ID)
		}
		seen[f.ID] = true
		if f.Name == "" || names[f.Name] || len(f.Name) > 34 {
			t.Errorf("%s: name %q is empty, not unique or too long for a column", f.ID, f.Name)
		}
		names[f.Name] = true
		if f.Group != last {
			closed[last] = true
			last = f.Group
		}
		if closed[f.Group] {
			t.Errorf("%s: group %q is in two places", f.ID, f.Group)
		}
		if f.Since != "" {
			if _, err := ParseVersion(f.Since); err != nil {
				t.Errorf("%s: %v", f.ID, err)
			}
		}
		if len(f.Needs) > 0 && f.Without == "" {
			t.Errorf("%s is needed, but nothing is lost without it", f.ID)
		}
		if f.Without != "" && !strings.HasSuffix(f.Without, ".") {
			t.Errorf("%s: %q is not a sentence", f.ID, f.Without)
		}
	}
	for _, row := range table {
		if row.probe == nil {
			t.Errorf("%s has no probe", row.ID)
		}
	}
}

func TestFeaturesAreCopies(t *testing.T) {
	for i, f := range Features() {
		if len(f.Needs) > 0 {
			f.Needs[0].Job = "changed"
			if table[i].Needs[0].Job == "changed" {
				t.Fatal("Features gives the table away")
			}
			return
		}
	}
}

// Turnstile promises to observe from Linux 5.8 on, and enforce needs 5.9:
// nothing required may be newer.
func TestRequiredFeaturesAreOldEnough(t *testing.T) {
	for job, oldest := range map[Job]string{Observe: "5.8", Enforce: "5.9"} {
		for _, f := range Features() {
			if f.Requires(job) && f.Since != "" && newer(f.Since, oldest) {
				t.Errorf("%s requires %s of Linux %s", job, f.ID, f.Since)
			}
		}
	}
}
