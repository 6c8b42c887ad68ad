package read

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/opencontainers/runtime-spec/specs-go"
	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"
)

// maxYAMLDepth is more than a SeccompProfile needs.
const maxYAMLDepth = 16

// readK8s reads a SeccompProfile of the Security Profiles Operator: its spec is what the
// operator hands to the runtime, which has EPERM for other calls, as the resource cannot
// name an errno for them.
func readK8s(text []byte, c Context) (*Profile, error) {
	loader, err := yaml.NewLoader(bytes.NewReader(text), yaml.WithPlugin(loaderlimits.New(loaderlimits.DepthValue(maxYAMLDepth))))
	if err != nil {
		return nil, err
	}
	var resource struct {
		Kind string         `yaml:"kind"`
		Spec map[string]any `yaml:"spec"`
	}
	if err := loader.Load(&resource); err != nil {
		return nil, err
	}
	if resource.Kind != "SeccompProfile" {
		return nil, fmt.Errorf("its kind is %q, and not SeccompProfile", resource.Kind)
	}
	if base, _ := resource.Spec["baseProfileName"].(string); base != "" {
		return nil, errors.New("it stands on another profile (baseProfileName), which is not here")
	}
	spec, err := json.Marshal(resource.Spec)
	if err != nil {
		return nil, err
	}
	var s specs.LinuxSeccomp
	if err := json.Unmarshal(spec, &s); err != nil {
		return nil, err
	}
	s.DefaultErrnoRet = nil
	f, notes, err := ociFilter(&s, c)
	if err != nil {
		return nil, err
	}
	return &Profile{Format: "k8s", Filters: []*Filter{f}, Notes: notes, line: func(f *Finding) string {
		return "in spec, " + ociLine(f)
	}}, nil
}
