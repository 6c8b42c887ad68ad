package main

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestAttackSymlinks(t *testing.T) {
	program := attack(t, "links")
	asEach(t, twoDirectories, func(t *testing.T, a *arena) {
		want := denies([]string{"secret_"},
			"secret_nofollow", "secret_no_symlinks", "secret_beneath", "secret_exclusive")
		a.refuse(t, []string{"deny read,create secret/**"}, want, program, a.dir)
	})
}

// The rule has the name of a link that was there before.
func TestAttackDeniedNameIsLink(t *testing.T) {
	program := attack(t, "spellings")
	files := []string{"decoy/", "decoy/secret=S", ".codex -> decoy", "free=P"}
	asEach(t, files, func(t *testing.T, a *arena) {
		for _, path := range []string{".codex/secret", "decoy/secret"} {
			for _, class := range []string{"read", "write"} {
				a.refuse(t, []string{"deny " + class + " .codex/**"}, allButInnocent(), program, class, a.path(path), a.path("free"))
			}
		}
	})
}

// allButInnocent expects that everything is refused.
func allButInnocent(failAnyway ...string) expectation {
	return denies([]string{""}, append(failAnyway, "innocent", "innocent_place")...)
}

func TestAttackThroughProc(t *testing.T) {
	program := attack(t, "procfs")
	asEach(t, []string{"below/", "secret=Secret", "public=Public"}, func(t *testing.T, a *arena) {
		failAnyway := []string{"secret_no_magic_links"}
		if a.uid != 0 {
			// These processes belong to root.
			failAnyway = append(failAnyway, "secret_parent_root", "secret_init_root")
		}
		a.refuse(t, []string{"deny read secret"}, denies([]string{"secret_"}, failAnyway...), program, a.dir, "secret", "public")
	})
}

// What /proc says about a process is what that process asks for, and not what who asks on
// its behalf would get.
func TestAttackOwnProc(t *testing.T) {
	program := attack(t, "own_proc")
	asEach(t, nil, func(t *testing.T, a *arena) {
		argv := []string{program, "a-marker-of-this-process"}
		for line := range strings.Lines(a.bare(t, argv...).stdout) {
			if !strings.HasSuffix(line, " ok\n") {
				t.Errorf("bare: %s", line)
			}
		}
		a.same(t, argv...)
	})
}

// The processes of Turnstile are the parents of the command. What is theirs is not
// reached by the names that /proc has for it.
func TestAttackSupervisor(t *testing.T) {
	program := attack(t, "supervisor")
	asEach(t, []string{"secret=S"}, func(t *testing.T, a *arena) {
		// Two shells are where Turnstile would be, and may be looked into.
		control := a.bare(t, "sh", "-c", `sh -c '"$0" 1; :' "$0"; :`, program)
		control.demandCode(t, "bare", 0)
		bare := control.results()
		for _, name := range []string{"mem_read", "mem_write", "environ_read", "fd_read", "root/etc/hostname_read", "task_mem", "link_mem", "dirfd_mem"} {
			for _, who := range []string{"parent_", "grandparent_"} {
				if bare[who+name] != "ok" {
					t.Errorf("%s%s: without a gate it is %q: the attack proves nothing", who, name, bare[who+name])
				}
			}
		}
		for _, rules := range [][]string{
			{"deny read secret"}, {"deny write secret"}, {"deny read,write,list,stat secret"},
			{"deny connect secret"}, {"deny read secret", "--perform-all"}, {"default deny", "allow all /**"},
		} {
			got := a.gated(t, rules, program, "1")
			got.demandCode(t, "gated", 0)
			// Root reads what it likes where no rule is about reading.
			reads := a.uid == 0 && (rules[0] == "deny write secret" || rules[0] == "deny connect secret")
			var reached []string
			for name, result := range got.results() {
				if reads && !strings.HasSuffix(name, "_write") {
					continue
				}
				// Where they lead is judged by the name that it has there.
				link := name == "grandparent_exe_read" || name == "grandparent_root_read" || strings.HasPrefix(name, "grandparent_fd/0") ||
					strings.HasPrefix(name, "grandparent_cwd/") || strings.HasPrefix(name, "grandparent_root/")
				if a.uid == 0 && link {
					continue
				}
				if result == "ok" && name != "innocent" {
					reached = append(reached, name)
				}
			}
			slices.Sort(reached)
			if len(reached) > 0 {
				t.Errorf("%q: of Turnstile can be reached: %s", rules, strings.Join(reached, " "))
			}
			if result := got.results()["innocent"]; result != "ok" {
				t.Errorf("%q: innocent: %q", rules, result)
			}
		}
	})
}

func TestAttackDescriptorNames(t *testing.T) {
	program := attack(t, "descriptors")
	asEach(t, []string{"locked=Locked", "public=Public"}, func(t *testing.T, a *arena) {
		a.same(t, program, a.dir)
		want := denies([]string{"locked_write", "locked_both", "locked_truncate", "locked_append"})
		a.refuse(t, []string{"deny write locked"}, want, program, a.dir)
	})
}

// A descriptor that was there at the start may read what it may read. It does not become
// one that may write.
func TestAttackInheritedDescriptor(t *testing.T) {
	testProgram := "if : > /dev/stdin; then echo wrote; else echo refused; fi"
	asEach(t, []string{"locked=Locked"}, func(t *testing.T, a *arena) {
		for _, gate := range []bool{false, true} {
			a.fresh(t)
			f, err := os.Open(a.path("locked"))
			if err != nil {
				t.Fatal(err)
			}
			a.stdin = f
			argv, want := []string{"sh", "-c", testProgram}, "wrote\n"
			if gate {
				argv, want = a.gate([]string{"deny write locked"}, argv...), "refused\n"
			}
			got := a.run(t, argv...)
			a.stdin = nil
			f.Close()
			// A shell that cannot redirect a special built-in exits.
			if gate && got.stdout == "" {
				got.stdout = "refused\n"
			}
			if got.stdout != want {
				t.Errorf("gate %v: %q, want %q\n%s", gate, got.stdout, want, got.stderr)
			}
			if size := len(read(t, a.path("locked"))); (size == 0) == gate {
				t.Errorf("gate %v: the file has %d bytes", gate, size)
			}
		}
	})
}

// What a command is started with leads nowhere: descriptors above 2 are closed, and those
// that are kept, and directories as stdin, are judged by what is opened from them.
func TestAttackInheritedDirectories(t *testing.T) {
	program := attack(t, "inherited")
	asEach(t, doorFiles, func(t *testing.T, a *arena) {
		start := []string{"sh", "-c", `exec 3<"$0" 4<"$0/secret"; exec "$@"`, a.dir}
		run := func(argv ...string) map[string]string {
			a.fresh(t)
			fd, err := unix.Open(a.dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
			if err != nil {
				t.Fatal(err)
			}
			a.stdin = os.NewFile(uintptr(fd), a.dir)
			defer func() { a.stdin.Close(); a.stdin = nil }()
			got := a.run(t, append(slices.Clip(start), argv...)...)
			got.demandCode(t, strings.Join(argv, " "), 0)
			return got.results()
		}
		bare := run(program)
		for _, tt := range []struct {
			flags         []string
			third, fourth bool
		}{
			{nil, false, false},
			{[]string{"--keep-fd=3"}, true, false},
			{[]string{"--keep-fd=3", "--keep-fd=4"}, true, true},
		} {
			gated := run(a.gate(append(tt.flags, "deny read secret"), program)...)
			for _, name := range slices.Sorted(maps.Keys(bare)) {
				if bare[name] != "ok" {
					t.Errorf("%s: without a gate it is %q: the attack proves nothing", name, bare[name])
				}
				want := "ok"
				switch {
				case !tt.third && strings.HasPrefix(name, "third_"), !tt.fourth && strings.HasPrefix(name, "fourth_"):
					want = "EBADF"
					if strings.HasSuffix(name, "_proc") || strings.HasSuffix(name, "_again") {
						want = "ENOENT"
					}
				case strings.Contains(name, "_secret_"), name == "fourth_again":
					want = "EACCES"
				}
				if gated[name] != want {
					t.Errorf("%q: %s: %q, want %q", tt.flags, name, gated[name], want)
				}
			}
		}
	})
}

func TestAttackDeletedFiles(t *testing.T) {
	program := attack(t, "deleted")
	asEach(t, []string{"gone=P", "gone (deleted)=S", "denied=S"}, func(t *testing.T, a *arena) {
		rules := []string{"deny read gone (deleted)", "deny read denied"}
		a.refuse(t, rules, denies([]string{"called_deleted", "denied_"}), program, a.dir)
	})
}

func TestAttackOddPaths(t *testing.T) {
	program := attack(t, "odd_paths")
	asEach(t, []string{"dir/", "file=x"}, func(t *testing.T, a *arena) {
		a.same(t, program, a.dir)
	})
}
