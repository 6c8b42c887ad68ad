package main

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// A file that is denied gets no other name, and the names that it had before are as
// denied as the one in the rule.
func TestAttackHardLinks(t *testing.T) {
	program := attack(t, "hard")
	asEach(t, []string{"sub/", "secret=Secret", "public=Public", "alias => secret"}, func(t *testing.T, a *arena) {
		a.refuse(t, []string{"deny read,write,attr secret"}, func(name, bare string) string {
			switch {
			case strings.HasSuffix(name, "_gives"):
				if strings.HasPrefix(name, "secret_") {
					return "0"
				}
			case strings.HasPrefix(name, "secret_"):
				return "EACCES"
			case strings.HasPrefix(name, "alias_") && name != "alias_unlink" && name != "alias_made_again":
				return "EACCES"
			}
			return bare
		}, program, a.dir)
	})
}

// New names below a directory, by all that renames; and renaming the directories that
// the name is made of.
func TestAttackRenames(t *testing.T) {
	program := attack(t, "renames")
	files := []string{"top/middle/denied/", "top/middle/denied/was_there=S", "other/"}
	rules := []string{"deny create,write,delete top/middle/denied/**", "deny create,write,delete later*/denied/**"}
	asEach(t, files, func(t *testing.T, a *arena) {
		a.refuse(t, rules, allButInnocent("innocent_directory"), program, a.dir)
	})
	t.Run("only creating is denied", func(t *testing.T) {
		asEach(t, files, func(t *testing.T, a *arena) {
			rules := []string{"deny create top/middle/denied/**", "deny create later*/denied/**"}
			a.refuse(t, rules, allButInnocent("innocent_directory"), program, a.dir)
		})
	})
}

// Reading is denied by the name, so the file must not get another.
func TestAttackMovedAway(t *testing.T) {
	program := attack(t, "moved_away")
	files := []string{"secret/", "secret/deep/", "secret/deep/file=Secret", "free/"}
	for _, glob := range []string{"secret/**", "secret/*/file", "**/deep/file", "secret/deep/file"} {
		t.Run(glob, func(t *testing.T) {
			asEach(t, files, func(t *testing.T, a *arena) {
				control := a.bare(t, program, a.dir)
				control.demandCode(t, "bare", 0)
				got := a.gated(t, []string{"deny read " + glob}, program, a.dir)
				got.demandCode(t, "gated", 0)
				bare, gated := control.results(), got.results()
				for _, name := range slices.Sorted(maps.Keys(bare)) {
					want := bare[name]
					if strings.HasSuffix(name, "_read") {
						want = "0"
						if bare[name] != "1" {
							t.Errorf("%s: without a gate it is %q: the attack proves nothing", name, bare[name])
						}
						if gated[name] != want {
							t.Errorf("%s: the content was read", name)
						}
					} else if name == "innocent" && gated[name] != want {
						t.Errorf("%s: %q, want %q", name, gated[name], want)
					}
				}
			})
		})
	}
}

// A file that gets its first name.
func TestAttackTemporaryFile(t *testing.T) {
	program := attack(t, "tmpfile")
	asEach(t, []string{"free/", "denied/", "file="}, func(t *testing.T, a *arena) {
		a.same(t, program, a.dir)
		control := a.bare(t, program, a.dir).results()
		got := a.gated(t, []string{"deny create denied/**"}, program, a.dir)
		got.demandCode(t, "gated", 0)
		gated := got.results()
		for _, name := range []string{"denied_by_proc", "denied_by_dirfd", "denied_openat2_linked", "denied_in_it", "denied_by_empty"} {
			if control[name] != "ok" && (a.uid == 0 || name != "denied_by_empty") {
				t.Errorf("%s: without a gate it is %q: the attack proves nothing", name, control[name])
			}
			if gated[name] != "EACCES" && gated[name] != control[name] || gated[name] == "ok" {
				t.Errorf("%s: %q, want EACCES", name, gated[name])
			}
			if free := strings.Replace(name, "denied", "free", 1); gated[free] != control[free] {
				t.Errorf("%s: %q, want %q", free, gated[free], control[free])
			}
		}
	})
}
