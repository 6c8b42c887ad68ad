package launch

import (
	"errors"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/turnstile-project/turnstile/internal/testenv"
)

// inDatabase makes a program run what it is followed by with its own
// /etc/passwd and /etc/group.
func inDatabase(t *testing.T) []string {
	t.Helper()
	testenv.Root(t)
	dir := t.TempDir()
	for name, content := range map[string]string{
		"passwd": "root:x:0:0:root:/root:/bin/bash\n" +
			"alias:x:4711:4700::/home/alias:/bin/sh\n" +
			"eve:x:4711:4700:Eve:/home/eve:/bin/zsh\n" +
			"plain:x:4712:4700::/home/plain:\n",
		"group": "root:x:0:\nstaff:x:4700:\naudio:x:4729:eve,plain\nvideo:x:4744:root,eve\n",
	} {
		mustDo(os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644))
	}
	return []string{"unshare", "--mount", "sh", "-c",
		`mount --bind "$0/passwd" /etc/passwd && mount --bind "$0/group" /etc/group && exec "$@"`, dir}
}

func TestTargetRunsAsInvokingUser(t *testing.T) {
	database := inDatabase(t)
	for _, test := range []struct {
		name string
		sudo []string
		ids  string
		who  []string
	}{
		{
			name: "listed", sudo: []string{"SUDO_USER=eve", "SUDO_UID=4711", "SUDO_GID=4700"},
			ids: "uid=4711 gid=4700 groups=4700,4729,4744",
			who: []string{"HOME=/home/eve", "LOGNAME=eve", "SHELL=/bin/zsh", "USER=eve"},
		}, {
			name: "no name", sudo: []string{"SUDO_UID=4712", "SUDO_GID=4700"},
			ids: "uid=4712 gid=4700 groups=4700,4729",
			who: []string{"HOME=/home/plain", "LOGNAME=plain", "SHELL=/bin/sh", "USER=plain"},
		}, {
			name: "another name", sudo: []string{"SUDO_USER=root", "SUDO_UID=4712", "SUDO_GID=4700"},
			ids: "uid=4712 gid=4700 groups=4700,4729",
			who: []string{"HOME=/home/plain", "LOGNAME=plain", "SHELL=/bin/sh", "USER=plain"},
		}, {
			name: "another group", sudo: []string{"SUDO_USER=eve", "SUDO_UID=4711", "SUDO_GID=4744"},
			ids: "uid=4711 gid=4744 groups=4744,4700,4729",
			who: []string{"HOME=/home/eve", "LOGNAME=eve", "SHELL=/bin/zsh", "USER=eve"},
		}, {
			name: "not listed", sudo: []string{"SUDO_USER=ghost", "SUDO_UID=4999", "SUDO_GID=4998"},
			ids: "uid=4999 gid=4998 groups=4998",
			who: []string{"HOME=/", "LOGNAME=ghost", "SHELL=/bin/sh", "USER=ghost"},
		}, {
			name: "not listed, with a home", sudo: []string{"SUDO_UID=4999", "SUDO_GID=4998", "SUDO_HOME=/h"},
			ids: "uid=4999 gid=4998 groups=4998",
			who: []string{"HOME=/h", "LOGNAME=4999", "SHELL=/bin/sh", "USER=4999"},
		}, {
			name: "root called sudo", sudo: []string{"SUDO_USER=root", "SUDO_UID=0", "SUDO_GID=0"},
			ids: "uid=0 gid=0 groups=0",
			who: []string{"HOME=/elsewhere", "USER=caller"},
		}, {
			name: "no sudo",
			ids:  "uid=0 gid=0 groups=0",
			who:  []string{"HOME=/elsewhere", "USER=caller"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			given := append([]string{"PATH=/bin", "HOME=/elsewhere", "USER=caller", "A=b"}, test.sudo...)
			run := func(command ...string) string {
				t.Helper()
				cmd := turnstile(database, command...)
				cmd.Env = append(slices.Clone(given), roleVariable+"=turnstile as invoking user")
				output, err := cmd.Output()
				if err != nil {
					t.Fatalf("running %q: %v", cmd.Args, err)
				}
				return strings.TrimSpace(string(output))
			}
			ids := "uid=" + run("id", "-u") + " gid=" + run("id", "-g") +
				" groups=" + strings.ReplaceAll(run("id", "-G"), " ", ",")
			if ids != test.ids {
				t.Errorf("the target is %s, want %s", ids, test.ids)
			}

			want := slices.Concat([]string{"PATH=/bin", "A=b"}, test.sudo, test.who)
			slices.Sort(want)
			got := strings.Split(run("env"), "\n")
			// The shell of inDatabase adds these.
			got = slices.DeleteFunc(got, func(s string) bool { return strings.HasPrefix(s, "PWD=") })
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("environment (-want +got):\n%s", diff)
			}
		})
	}
}

// Nothing of root is left: real, effective, saved and file-access ids, and no
// capability.
func TestTargetHasNothingOfRoot(t *testing.T) {
	testenv.Root(t)
	cmd := turnstile(nil, "grep", "-E", "^(Uid|Gid|Groups|CapPrm|CapEff|CapAmb):", "/proc/self/status")
	cmd.Env = append(cmd.Env, roleVariable+"=turnstile as invoking user", "SUDO_UID=4999", "SUDO_GID=4998")
	output, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	want := "Uid:\t4999\t4999\t4999\t4999\nGid:\t4998\t4998\t4998\t4998\nGroups:\t4998 \n" +
		"CapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nCapAmb:\t0000000000000000\n"
	if string(output) != want {
		t.Errorf("status of the target:\n%swant:\n%s", output, want)
	}
}

// What the user may not execute is not executed, nor found in a directory that
// the user may not enter.
func TestResolveAsUser(t *testing.T) {
	testenv.Root(t)
	dir := publicDir(t)
	for name, mode := range map[string]os.FileMode{"open": 0o755, "closed": 0o700} {
		mustDo(os.Mkdir(filepath.Join(dir, name), mode))
		mustDo(os.WriteFile(filepath.Join(dir, name, "all"), []byte("#!/bin/sh\necho ran\n"), 0o755))
		mustDo(os.WriteFile(filepath.Join(dir, name, "root"), []byte("#!/bin/sh\necho ran\n"), 0o700))
		mustDo(os.Chmod(filepath.Join(dir, name), mode))
	}
	// Executable, without #!, and not readable.
	mustDo(os.WriteFile(filepath.Join(dir, "open", "secret"), []byte("echo ran\n"), 0o711))

	for _, test := range []struct {
		program string
		user    *User
		dir     string
		want    error
	}{
		{dir + "/open/all", somebody, "", nil},
		{dir + "/open/root", somebody, "", ErrNotExecutable},
		{dir + "/open/root", nil, "", nil},
		{dir + "/closed/all", somebody, "", ErrNotExecutable},
		{dir + "/closed/all", nil, "", nil},
		{dir + "/open/secret", somebody, "", ErrNotExecutable},
		{dir + "/open/secret", nil, "", nil},
		{"root", somebody, "", ErrNotExecutable},
		{"all", somebody, "", nil},
		{"./all", somebody, dir + "/open", nil},
		{"./all", somebody, dir + "/closed", os.ErrPermission},
	} {
		name := strings.TrimPrefix(test.program, dir)
		t.Run(name, func(t *testing.T) {
			c := Command{Argv: []string{test.program}, User: test.user, Dir: test.dir,
				Env: []string{"PATH=" + dir + "/closed:" + dir + "/open"}}
			if test.want == nil {
				if got := run(t, c); got != "ran\n" {
					t.Errorf("output %q", got)
				}
				return
			}
			if _, err := Start(c); !errors.Is(err, test.want) {
				t.Errorf("Start() = %v, want %v", err, test.want)
			}
		})
	}
}

func TestLookupUser(t *testing.T) {
	testenv.Root(t)
	root, err := user.Lookup("root")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"root", "0"} {
		got, err := LookupUser(name)
		if err != nil {
			t.Fatal(err)
		}
		if got.Name != "root" || got.UID != 0 || got.GID != 0 || got.Home != root.HomeDir || got.Shell == "" || !slices.Contains(got.Groups, 0) {
			t.Errorf("LookupUser(%q) = %+v", name, got)
		}
	}
	for _, name := range []string{"", "no-such-user", "4294967295", "3999999999", "-1"} {
		if got, err := LookupUser(name); err == nil {
			t.Errorf("LookupUser(%q) = %+v, want an error", name, got)
		}
	}
}

func TestLookupUserNeedsRoot(t *testing.T) {
	testenv.Root(t)
	cmd := turnstile([]string{"setpriv", "--reuid=4999", "--regid=4998", "--clear-groups"}, "root")
	cmd.Env = append(cmd.Env, roleVariable+"=look up")
	output, err := cmd.Output()
	var failed *exec.ExitError
	if !errors.As(err, &failed) || !strings.Contains(string(failed.Stderr), `running as user "root": only root may change the user`) {
		t.Errorf("LookupUser as somebody: %q, %v", output, err)
	}
}

func TestInvokingUserErrors(t *testing.T) {
	testenv.Root(t)
	for _, test := range []struct{ uid, gid string }{
		{"eve", "0"}, {"4711", "staff"}, {"-1", "0"}, {"4294967295", "0"}, {"4711", "4294967296"},
	} {
		t.Setenv("SUDO_UID", test.uid)
		t.Setenv("SUDO_GID", test.gid)
		if got, err := InvokingUser(); err == nil {
			t.Errorf("InvokingUser() with SUDO_UID=%s SUDO_GID=%s = %+v, want an error", test.uid, test.gid, got)
		}
	}
}

func TestEnviron(t *testing.T) {
	eve := &User{Name: "eve", Home: "/home/eve", Shell: "/bin/zsh"}
	env := []string{"HOME=/root", "A=HOME=", "USER=root", "USERS=x", "HOME=again", "PATH=/bin", "SUDO_UID=1", "odd"}
	want := []string{"A=HOME=", "USERS=x", "PATH=/bin", "SUDO_UID=1", "odd",
		"HOME=/home/eve", "USER=eve", "LOGNAME=eve", "SHELL=/bin/zsh"}
	if diff := cmp.Diff(want, eve.Environ(env)); diff != "" {
		t.Errorf("Environ (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(env, (*User)(nil).Environ(env)); diff != "" {
		t.Errorf("Environ of no user (-want +got):\n%s", diff)
	}
}
