package read_test

import (
	"encoding/json"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/profiles/seccomp"
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/kernel"
	"github.com/turnstile-project/turnstile/internal/report/read"
	"github.com/turnstile-project/turnstile/internal/syscalls"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// TestDockerAgrees: of Docker's own profile the same is allowed as of what Docker makes of
// it for this machine and a container without capabilities.
func TestDockerAgrees(t *testing.T) {
	native, ok := map[string]event.ABI{"amd64": event.X8664, "arm64": event.ARM64}[runtime.GOARCH]
	if !ok {
		t.Skipf("%s has no profile to compare with", runtime.GOARCH)
	}
	c := amd64
	c.ABI = native
	var err error
	if c.Kernel, _, err = kernel.Release(); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(seccomp.DefaultProfile())
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := seccomp.LoadProfile(string(text), &specs.Spec{Process: &specs.Process{Capabilities: &specs.LinuxCapabilities{}}})
	if err != nil {
		t.Fatal(err)
	}
	made, err := json.Marshal(theirs)
	if err != nil {
		t.Fatal(err)
	}
	var calls []string
	for _, abi := range event.ABIs() {
		for _, nr := range syscalls.All(abi) {
			calls = append(calls, abi.String()+":"+syscalls.Name(abi, nr))
		}
	}
	calls = append(calls, "socket 0=1,2,38,39,40,41", "clone 0=17,268435456", "personality 0=0,8,9,4294967295")
	d := seen(t, calls...)
	ours, want := found(t, string(text), "docker", c, d), found(t, string(made), "oci", c, d)
	if diff := cmp.Diff(want, ours); diff != "" {
		t.Errorf("-Docker +ours\n%s", diff)
	}
	if n := len(ours); n < 50 || n > len(calls)-300 {
		t.Errorf("of %d calls %d are not allowed", len(calls), n)
	}
	p, err := read.Read("default.json", text, "", c)
	if err != nil || p.Format != "docker" || len(p.Notes) != 1 {
		t.Errorf("%v: it is taken for %+v", err, p)
	}
	for _, call := range []*trace.Syscall{{Name: "read", ABI: native.String(), Count: 1}} {
		if left := p.Check(&trace.Document{Syscalls: []*trace.Syscall{call}}); len(left) > 0 {
			t.Errorf("%s is not allowed", call.Name)
		}
	}
}
