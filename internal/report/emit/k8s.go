package emit

import (
	"fmt"
	"io"
	"path"
	"strings"

	"go.yaml.in/yaml/v4"
	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/profile"
)

var k8s = Format{
	Name:       "k8s",
	For:        "a SeccompProfile for the Security Profiles Operator of Kubernetes",
	CheckedBy:  "the schema of the operator",
	Enforces:   true,
	Sections:   profile.Syscalls,
	Vocabulary: profile.Names,
	Runtime:    "runc",
	Notes:      ociNotes,
	Write:      writeK8s,
}

// seccompProfile is the resource, as far as it is written. All versions of the operator
// serve v1beta1; v1, which is newer, has the same fields here. Values of arguments are
// signed 64 bits there, and ours are 32.
type seccompProfile struct {
	APIVersion string             `yaml:"apiVersion"`
	Kind       string             `yaml:"kind"`
	Metadata   map[string]string  `yaml:"metadata"`
	Spec       seccompProfileSpec `yaml:"spec"`
}

type seccompProfileSpec struct {
	DefaultAction string           `yaml:"defaultAction"`
	Architectures []string         `yaml:"architectures,omitempty"`
	Syscalls      []seccompSyscall `yaml:"syscalls,omitempty"`
}

type seccompSyscall struct {
	Action string       `yaml:"action"`
	Names  []string     `yaml:"names"`
	Args   []seccompArg `yaml:"args,omitempty"`
}

type seccompArg struct {
	Index    int64  `yaml:"index"`
	Op       string `yaml:"op"`
	Value    int64  `yaml:"value"`
	ValueTwo int64  `yaml:"valueTwo"`
}

func writeK8s(w io.Writer, in *Input) error {
	p := in.Profile
	if p.Default.Kind == profile.Errno && p.Default.Errno != unix.EPERM {
		return fmt.Errorf("a SeccompProfile cannot say that other calls fail with %v: it has no defaultErrnoRet, and the runtime takes EPERM (--errno EPERM, or another format)", event.Errno(p.Default.Errno))
	}
	s := linuxSeccomp(p)
	out := seccompProfile{
		APIVersion: "security-profiles-operator.x-k8s.io/v1beta1", Kind: "SeccompProfile",
		Metadata: map[string]string{"name": resourceName(p.Argv)},
		Spec:     seccompProfileSpec{DefaultAction: string(s.DefaultAction)},
	}
	for _, arch := range s.Architectures {
		out.Spec.Architectures = append(out.Spec.Architectures, string(arch))
	}
	for _, r := range s.Syscalls {
		call := seccompSyscall{Action: string(r.Action), Names: r.Names}
		for _, a := range r.Args {
			call.Args = append(call.Args, seccompArg{int64(a.Index), string(a.Op), int64(a.Value), int64(a.ValueTwo)}) //nolint:gosec // 32 bits
		}
		out.Spec.Syscalls = append(out.Spec.Syscalls, call)
	}
	for _, line := range about(in, profile.Syscalls, ociNotes(in)) {
		fmt.Fprintf(w, "# %s\n", line)
	}
	e := yaml.NewEncoder(w)
	e.SetIndent(2)
	if err := e.Encode(out); err != nil {
		return err
	}
	return e.Close()
}

// resourceName is the name of a program as Kubernetes takes names: a subdomain of RFC 1123.
func resourceName(argv []string) string {
	const most = 63
	if len(argv) == 0 {
		return "turnstile"
	}
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		}
		return '-'
	}, strings.ToLower(path.Base(argv[0])))
	name = strings.Trim(name[:min(len(name), most)], "-")
	if name == "" {
		return "turnstile"
	}
	return name
}
