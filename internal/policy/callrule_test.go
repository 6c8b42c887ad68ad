package policy

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestParseCalls(t *testing.T) {
	for name, want := range map[string][]string{
		"ptrace":   {"ptrace"},
		"iopl":     {"iopl"}, // of x86 alone
		"@keyring": {"add_key", "keyctl", "request_key"},
		"@swap":    {"swapoff", "swapon"},
	} {
		if got, err := ParseCalls(name); err != nil || !slices.Equal(got, want) {
			t.Errorf("ParseCalls(%q) = %q, %v", name, got, err)
		}
	}
}

func TestParseCallsErrors(t *testing.T) {
	for name, want := range map[string]string{
		"@mounts":  `did you mean "@mount"?`,
		"@xyzzy":   "they are @aio",
		"ptrase":   `did you mean "ptrace"?`,
		"keyring":  `the group is "@keyring"`,
		"mount ":   `did you mean "mount"?`,
		"xyzzyxyz": `"xyzzyxyz" is no system call`,
		"":         `"" is no system call`,
		"@":        "is no group",
	} {
		got, err := ParseCalls(name)
		if got != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseCalls(%q) = %q, %v", name, got, err)
		}
	}
}

func TestParseCallRule(t *testing.T) {
	for text, want := range map[string]CallRule{
		"ptrace":        {Calls: []string{"ptrace"}},
		"ptrace=ENOSYS": {Calls: []string{"ptrace"}, Errno: unix.ENOSYS},
		"@swap=kill":    {Calls: []string{"swapoff", "swapon"}, Kill: true},
	} {
		got, err := ParseCallRule(text)
		if err != nil || got.Name != "--deny-call "+text || got.Kill != want.Kill || got.Errno != want.Errno || !slices.Equal(got.Calls, want.Calls) {
			t.Errorf("ParseCallRule(%q) = %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"ptrace=", "ptrace=ENOPE", "ptrace=KILL", "=kill", "ptrase=kill", ""} {
		if r, err := ParseCallRule(text); err == nil {
			t.Errorf("ParseCallRule(%q) = %+v", text, r)
		}
	}
}

// TestCallGroups: each word of the table is a call of some architecture, or a group.
func TestCallGroups(t *testing.T) {
	names := append(callNames(), "vm86", "vm86old") // of i386
	for group, words := range callGroups {
		for word := range strings.FieldsSeq(words) {
			_, isGroup := callGroups[word]
			if !isGroup && !slices.Contains(names, word) {
				t.Errorf("%s: there is no call %q", group, word)
			}
		}
		members, err := ParseCalls(group)
		if err != nil || len(members) == 0 {
			t.Errorf("ParseCalls(%q): %v", group, err)
		}
		if slices.ContainsFunc(members, func(s string) bool { return strings.HasPrefix(s, "@") }) {
			t.Errorf("%s has a group left in it: %q", group, members)
		}
	}
	privileged, _ := ParseCalls("@privileged")
	for _, call := range []string{"reboot", "kexec_load", "iopl", "swapon", "chown", "settimeofday", "init_module", "setuid"} {
		if !slices.Contains(privileged, call) {
			t.Errorf("@privileged is without %s", call)
		}
	}
}

func TestCallRulePrecedence(t *testing.T) {
	rules := []CallRule{
		{Calls: []string{"ptrace", "bpf"}, Name: "first"},
		{Calls: []string{"ptrace", "bpf"}, Errno: unix.ENOSYS, Name: "second"},
		{Calls: []string{"bpf"}, Kill: true, Name: "kills"},
		{Calls: []string{"bpf"}, Kill: true, Name: "kills too"},
	}
	for call, want := range map[string]string{"ptrace": "first", "bpf": "kills"} {
		if r := FindCallRule(rules, call); r == nil || r.Name != want {
			t.Errorf("%s is denied by %+v, want %q", call, r, want)
		}
	}
	if r := FindCallRule(rules, "read"); r != nil {
		t.Errorf("read is denied by %+v", r)
	}
	if r := FindCallRule(rules, "read", "ptrace"); r == nil || r.Name != "first" {
		t.Errorf("by its second name ptrace is denied by %+v", r)
	}
	if errno := rules[0].Fails(); errno != unix.EPERM {
		t.Errorf("without an errno it is %v", errno)
	}
	if errno := rules[1].Fails(); errno != unix.ENOSYS {
		t.Errorf("with ENOSYS it is %v", errno)
	}
}
