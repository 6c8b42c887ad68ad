package read

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/turnstile-project/turnstile/internal/event"
)

// dockerProfile is the dialect of Docker and Podman: moby's profiles/seccomp and
// containers/common's pkg/seccomp.
type dockerProfile struct {
	specs.LinuxSeccomp
	DefaultErrno string          `json:"defaultErrno"`
	ArchMap      []dockerArch    `json:"archMap"`
	Syscalls     []dockerSyscall `json:"syscalls"`
}

type dockerArch struct {
	Arch     specs.Arch   `json:"architecture"`
	SubArchs []specs.Arch `json:"subArchitectures"`
}

type dockerSyscall struct {
	specs.LinuxSyscall
	Name     string       `json:"name"`
	Errno    string       `json:"errno"`
	Includes dockerFilter `json:"includes"`
	Excludes dockerFilter `json:"excludes"`
}

type dockerFilter struct {
	Caps      []string `json:"caps"`
	Arches    []string `json:"arches"`
	MinKernel string   `json:"minKernel"`
}

// goArch are the names that rules have for machines.
var goArch = map[event.ABI]string{event.X8664: "amd64", event.I386: "x86", event.ARM64: "arm64", event.ARM: "arm"}

const noCapabilities = "the profile is judged for a container without capabilities: rules that need one do not count"

// readDocker reads the dialect as Docker does for the machine that the trace is of.
func readDocker(text []byte, c Context) (*Profile, error) {
	var d dockerProfile
	if err := decodeJSON(text, &d); err != nil {
		return nil, err
	}
	s := d.LinuxSeccomp
	if len(s.Architectures) > 0 && len(d.ArchMap) > 0 {
		return nil, errors.New("it has both architectures and archMap, of which Docker takes one")
	}
	for _, m := range d.ArchMap {
		if ociArchs[m.Arch] == c.ABI {
			s.Architectures = append([]specs.Arch{m.Arch}, m.SubArchs...)
			break
		}
	}
	var err error
	if s.DefaultErrnoRet, err = errnoRet(s.DefaultErrnoRet, d.DefaultErrno); err != nil {
		return nil, fmt.Errorf("defaultErrno: %w", err)
	}
	byCapability := make(map[string]string)
	var notes []string
	for i, call := range d.Syscalls {
		if call.Name != "" && len(call.Names) > 0 {
			return nil, fmt.Errorf("syscalls[%d]: it has both name and names", i)
		}
		if call.Name != "" {
			call.Names = []string{call.Name}
		}
		if call.ErrnoRet, err = errnoRet(call.ErrnoRet, call.Errno); err != nil {
			return nil, fmt.Errorf("syscalls[%d]: errno: %w", i, err)
		}
		if len(call.Includes.Caps)+len(call.Excludes.Caps) > 0 {
			notes = []string{noCapabilities}
		}
		counts, err := call.counts(c)
		switch {
		case err != nil:
			return nil, fmt.Errorf("syscalls[%d]: %w", i, err)
		case counts:
			s.Syscalls = append(s.Syscalls, call.LinuxSyscall)
		case len(call.Includes.Caps) > 0:
			for _, name := range call.Names {
				byCapability[name] = strings.Join(call.Includes.Caps, ", ")
			}
		}
	}
	f, unknown, err := ociFilter(&s, c)
	if err != nil {
		return nil, err
	}
	return &Profile{
		Format: "docker", Filters: []*Filter{f}, Notes: append(notes, unknown...),
		line: func(f *Finding) string {
			line := ociLine(f)
			switch caps := byCapability[f.Call.Name]; {
			case f.Why == foreign && len(d.ArchMap) > 0:
				return fmt.Sprintf("add to \"subArchitectures\" of %s: %s", ociArchOf(c.ABI), jsonText(ociArchOf(f.ABI)))
			case caps != "":
				return line + " (a container with " + caps + " is allowed it already)"
			}
			return line
		},
	}, nil
}

// errnoRet is an errno by number, or by the name or number that Podman has for it.
func errnoRet(number *uint, name string) (*uint, error) {
	if name == "" {
		return number, nil
	}
	if n, err := strconv.ParseUint(name, 10, 16); err == nil {
		errno := uint(n)
		return &errno, nil
	}
	errno := uint(event.ErrnoNamed(name))
	if errno == 0 {
		return nil, fmt.Errorf("%q is no errno", name)
	}
	return &errno, nil
}

// counts says whether a rule is one for the machine and the kernel of the trace, and for a
// container without capabilities.
func (s *dockerSyscall) counts(c Context) (bool, error) {
	arch := goArch[c.ABI]
	if slices.Contains(s.Excludes.Arches, arch) || len(s.Includes.Arches) > 0 && !slices.Contains(s.Includes.Arches, arch) {
		return false, nil
	}
	if len(s.Includes.Caps) > 0 {
		return false, nil
	}
	for _, min := range []struct {
		version string
		want    bool
	}{{s.Includes.MinKernel, true}, {s.Excludes.MinKernel, false}} {
		if min.version == "" {
			continue
		}
		newer, err := atLeast(c.Kernel, min.version)
		if err != nil {
			return false, err
		}
		if newer != min.want {
			return false, nil
		}
	}
	return true, nil
}

// atLeast compares the release of a kernel with a version of two numbers. One that is not
// known is taken for an old one.
func atLeast(release, version string) (bool, error) {
	major, minor, ok := kernelVersion(version)
	if !ok {
		return false, fmt.Errorf("minKernel %q is no version, such as 4.8", version)
	}
	hasMajor, hasMinor, ok := kernelVersion(release)
	return ok && (hasMajor > major || hasMajor == major && hasMinor >= minor), nil
}

func kernelVersion(text string) (major, minor int, ok bool) {
	n, err := fmt.Sscanf(text, "%d.%d", &major, &minor)
	return major, minor, err == nil && n == 2
}
