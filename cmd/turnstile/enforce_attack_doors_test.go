package main

import (
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/turnstile-project/turnstile/internal/policy"
	"github.com/turnstile-project/turnstile/internal/testenv"
)

// doorFiles are what the attack "doors" needs.
var doorFiles = []string{"secret=S", "public=P", "covered/"}

// closedDoor is how a try fails whose door is closed.
func closedDoor(try string) string {
	switch try {
	case "namespaces/clone3", "foreign_abi/int80":
		return "ENOSYS"
	case "socket_families/netlink":
		return "EPROTONOSUPPORT"
	case "socket_families/vsock":
		return "EAFNOSUPPORT"
	}
	return "EPERM"
}

// doorOfTry is the key of the door of a try.
func doorOfTry(try string) string {
	door, _, _ := strings.Cut(try, "/")
	return door
}

func TestAttackSideDoors(t *testing.T) {
	program := attack(t, "doors")
	asEach(t, doorFiles, func(t *testing.T, a *arena) {
		control := a.bare(t, program, a.dir)
		control.demandCode(t, "bare", 0)
		bare := control.results()
		tried := map[string]bool{"innocent": true}
		for try, result := range bare {
			tried[doorOfTry(try)] = true
			// Not every kernel has all, and the mount is of nothing that exists.
			if a.uid == 0 && result != "ok" && result != "ENOSYS" && result != "EAFNOSUPPORT" && try != "mount/none" {
				t.Errorf("%s: without a gate it is %q: the attack proves nothing", try, result)
			}
		}
		for _, door := range policy.AllDoors.Names() {
			ofX86 := door == "io_ports" || door == "foreign_abi"
			if !tried[door] && (!ofX86 || runtime.GOARCH == "amd64") {
				t.Errorf("nothing tries the door %s", door)
			}
		}
		for _, rules := range [][]string{{"deny read secret"}, {"deny connect /nonexistent"}} {
			got := a.gated(t, rules, program, a.dir)
			got.demandCode(t, "gated", 0)
			gated := got.results()
			for _, try := range slices.Sorted(maps.Keys(bare)) {
				want := closedDoor(try)
				if doorOfTry(try) == "innocent" {
					want = "ok"
				}
				if gated[try] != want {
					t.Errorf("%q: %s: %q, want %q", rules, try, gated[try], want)
				}
			}
			if strings.Contains(got.stderr, "NOT ENFORCED") {
				t.Errorf("no door is open, and turnstile said %q", got.stderr)
			}
		}
	})
}

// TestOpenDoors: with its key a door lets through what goes through it without a gate, and
// turnstile says so, also where it is to be quiet. The other doors are closed.
func TestOpenDoors(t *testing.T) {
	program := attack(t, "doors")
	asEach(t, doorFiles, func(t *testing.T, a *arena) {
		bare := a.bare(t, program, a.dir).results()
		for _, door := range policy.AllDoors.Doors() {
			t.Run(door.String(), func(t *testing.T) {
				got := a.gated(t, []string{"--open", door.String(), "deny read,write,exec /nonexistent/**"}, program, a.dir)
				got.demandCode(t, "gated", 0)
				gated := got.results()
				for _, try := range slices.Sorted(maps.Keys(bare)) {
					want := closedDoor(try)
					if key := doorOfTry(try); key == door.String() || key == "innocent" {
						want = bare[try]
					}
					if try == "foreign_abi/int80" && bare[try] == "EINTR" {
						testenv.Lack(t, "no calls of i386 here")
					}
					if gated[try] != want {
						t.Errorf("%s: %q, want %q", try, gated[try], want)
					}
				}
				if want := "turnstile: NOT ENFORCED: " + door.Bypasses() + " (" + door.String() + " is open)\n"; got.stderr != want {
					t.Errorf("turnstile said %q, want %q", got.stderr, want)
				}
			})
		}
	})
}

// TestDeniedCallsBeatOpenDoors: a call that is denied by name stays so whatever is open.
func TestDeniedCallsBeatOpenDoors(t *testing.T) {
	program := attack(t, "doors")
	asEach(t, doorFiles, func(t *testing.T, a *arena) {
		rules := []string{"--deny-call=@ptrace=ENOTTY", "--deny-call=@mount", "--deny-call=clone3=EDOM", "--deny-call=socket=EXDEV", "--deny-call=@keyring=kill"}
		for _, door := range policy.AllDoors.Names() {
			rules = append(rules, "--open="+door)
		}
		got := a.gated(t, rules, program, a.dir)
		got.demandCode(t, "gated", 0)
		for try, result := range got.results() {
			want := map[string]string{"ptrace": "ENOTTY", "mount": "EPERM", "chroot": "EPERM", "raw_sockets": "EXDEV", "socket_families": "EXDEV", "keyrings": "EINTR"}[doorOfTry(try)]
			switch try {
			case "namespaces/clone3":
				want = "EDOM"
			case "ptrace/mm_map": // which is prctl
				want = ""
			case "innocent/open":
				want = "ok"
			}
			if want != "" && result != want {
				t.Errorf("%s: %q, want %q", try, result, want)
			}
		}
	})
}

// TestOpenViews: a process that has left by an open door for a root directory or namespaces
// of its own goes on as without a gate, and those that stay are held.
func TestOpenViews(t *testing.T) {
	program := attack(t, "views")
	asEach(t, doorFiles, func(t *testing.T, a *arena) {
		bare := a.bare(t, program, a.dir).results()
		for _, tt := range []struct {
			open []string
			left []string
		}{
			{open: []string{"chroot"}, left: []string{"root"}},
			{open: []string{"namespaces"}, left: []string{"user"}},
			{open: []string{"namespaces", "mount"}, left: []string{"user", "mounts"}},
			{open: []string{"mount"}},
		} {
			t.Run(strings.Join(tt.open, " "), func(t *testing.T) {
				rules := []string{"deny read secret"}
				for _, door := range tt.open {
					rules = append(rules, "--open", door)
				}
				got := a.gated(t, rules, program, a.dir)
				got.demandCode(t, "gated", 0)
				gated := got.results()
				for _, try := range slices.Sorted(maps.Keys(bare)) {
					want := "EPERM"
					if slices.Contains(tt.left, try) {
						want = bare[try]
					}
					if try == "before" {
						want = "EACCES"
					}
					if gated[try] != want {
						t.Errorf("%s: %q, want %q", try, gated[try], want)
					}
				}
			})
		}
		for _, door := range []string{"chroot", "namespaces", "mount"} {
			// The command itself is executed by a process that cannot be looked at.
			got := a.gated(t, []string{"--open", door, "deny exec " + program}, program, a.dir)
			got.demandCode(t, "a denied command", 126)
		}
		if a.uid == 0 && (bare["root"] != "ok" || bare["mounts"] != "ok") || bare["before"] != "ok" {
			t.Errorf("the attack proves nothing: %v", bare)
		}
	})
}

// TestAttackFilters: filters that a target puts around itself are newer than the gate's, and
// cannot answer for it. A second listener would be asked first, so the kernel refuses it
// (kernel/seccomp.c, has_duplicate_listener); of the other actions only those that are
// stricter go before a notification (seccomp(2)).
func TestAttackFilters(t *testing.T) {
	program := attack(t, "filters")
	asEach(t, twoFiles, func(t *testing.T, a *arena) {
		bare := a.bare(t, program, a.dir).results()
		for _, try := range []string{"listener", "listener_tsync", "allow", "log", "tracer", "rewrite"} {
			if bare[try] != "ok" && (try != "rewrite" || runtime.GOARCH == "amd64") {
				t.Errorf("%s: without a gate it is %q: the attack proves nothing", try, bare[try])
			}
		}
		for _, tt := range []struct {
			flags           []string
			tracer, suspend string
		}{
			{nil, "EPERM", "EPERM"},
			// The kernel lets nobody suspend filters who has one.
			{[]string{"--open", "ptrace"}, "EACCES", "EPERM"},
		} {
			got := a.gated(t, append(tt.flags, "deny read secret"), program, a.dir)
			got.demandCode(t, "gated", 0)
			gated := got.results()
			for try, want := range map[string]string{
				"listener": "EBUSY", "listener_tsync": "EBUSY", "allow": "EACCES", "log": "EACCES",
				"tracer": tt.tracer, "rewrite": tt.tracer, "suspend": tt.suspend, "innocent": "ok",
			} {
				if try == "rewrite" && runtime.GOARCH != "amd64" {
					continue
				}
				if gated[try] != want {
					t.Errorf("%q: %s: %q, want %q", tt.flags, try, gated[try], want)
				}
			}
		}
	})
}

// TestAttackStarve: with the limits of the supervisor or the front taken away nothing is let
// through. Their owner may do that, as he may kill them.
func TestAttackStarve(t *testing.T) {
	program := attack(t, "starve")
	asEach(t, twoFiles, func(t *testing.T, a *arena) {
		if r := a.bare(t, program, a.dir, "nofile", "0").results(); r["limit"] != "ok" {
			t.Fatalf("a process cannot limit itself: %v", r)
		}
		for _, limit := range []string{"nofile", "fsize", "as", "nproc", "stack", "memlock"} {
			for _, generations := range []string{"1", "2"} {
				got := a.gated(t, []string{"deny read secret"}, program, a.dir, limit, generations)
				if r := got.results(); r["limit"] != "ok" {
					t.Errorf("%s of %s: the limit could not be set: %q\n%s", limit, generations, r["limit"], got.stderr)
				} else if r["secret"] == "ok" {
					t.Errorf("%s of %s: the secret was opened", limit, generations)
				}
			}
		}
	})
}

// TestAttackHiddenPath: a path in memory that only its owner can read is no path to the gate.
func TestAttackHiddenPath(t *testing.T) {
	program := attack(t, "starve")
	asEach(t, twoFiles, func(t *testing.T, a *arena) {
		if r := a.bare(t, program, a.dir, "hide").results(); r["secret"] != "ok" {
			testenv.Lack(t, "memfd_secret: "+r["secret"])
		}
		got := a.gated(t, []string{"deny read secret"}, program, a.dir, "hide").results()
		if got["secret"] == "ok" || got["innocent"] != "ok" {
			t.Errorf("it ended with %v", got)
		}
	})
}
