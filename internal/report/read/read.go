package read

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/policy/lang"
	"github.com/turnstile-project/turnstile/internal/profile"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// Context is what a profile means depends on, beside its text: what the trace says of its
// machine and its command.
type Context struct {
	// ABI is that of the machine, and Kernel its release.
	ABI    event.ABI
	Kernel string
	// Variables are those of policies.
	Variables lang.Variables
	// Resolve has a path with its links resolved: see [policy.Policy.Bind]. It may be nil.
	Resolve func(path string) (string, error)
}

// Profile is what somebody allows.
type Profile struct {
	Format string
	// Filters judge system calls: all of them have to allow one.
	Filters []*Filter
	// Notes are what whoever relies on the judgement should know.
	Notes []string
	// line is what to add to the file for a finding about a call.
	line func(*Finding) string
	// objects judges what is no system call, with the sections that it looks at.
	objects  func(*trace.Document) []Finding
	sections profile.Sections
}

// format is one that can be read.
type format struct {
	name string
	read func(name string, text []byte, c Context) (*Profile, error)
	// is says whether a text looks like it.
	is func(text []byte, keys map[string]json.RawMessage) bool
}

func pure(read func([]byte, Context) (*Profile, error)) func(string, []byte, Context) (*Profile, error) {
	return func(_ string, text []byte, c Context) (*Profile, error) { return read(text, c) }
}

// formats in the order in which they are tried.
var formats = []format{
	{"trace", pure(readTrace), func(_ []byte, keys map[string]json.RawMessage) bool {
		return keys["tool"] != nil && keys["processes"] != nil
	}},
	{"docker", pure(readDocker), isDocker},
	{"oci", pure(readOCI), func(_ []byte, keys map[string]json.RawMessage) bool {
		return keys["defaultAction"] != nil || keys["linux"] != nil
	}},
	{"k8s", pure(readK8s), func(text []byte, keys map[string]json.RawMessage) bool {
		return keys == nil && hasLine(text, "kind: SeccompProfile")
	}},
	{"systemd", pure(readSystemd), isUnit},
	{"policy", readPolicy, func(text []byte, keys map[string]json.RawMessage) bool {
		return keys["rules"] != nil || keys == nil && hasLine(text, "version:")
	}},
}

// Names are the formats that can be read.
func Names() []string {
	var names []string
	for _, f := range formats {
		names = append(names, f.name)
	}
	return names
}

// Read reads a profile from the text of a file. If no format is named, the text tells.
func Read(name string, text []byte, named string, c Context) (*Profile, error) {
	var keys map[string]json.RawMessage
	if named == "" && bytes.HasPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte("{")) {
		// What is wrong with it is told by who reads it.
		_ = json.Unmarshal(text, &keys)
	}
	i := slices.IndexFunc(formats, func(f format) bool {
		return f.name == named || named == "" && f.is(text, keys)
	})
	if i < 0 {
		return nil, fmt.Errorf("it looks like no profile that can be read (%s); --format says which one it is", strings.Join(Names(), ", "))
	}
	p, err := formats[i].read(name, text, c)
	if _, ok := errors.AsType[*lang.Error](err); err != nil && !ok {
		return nil, fmt.Errorf("reading it as %s: %w", formats[i].name, err)
	}
	return p, err
}

// isDocker says whether an object has what only Docker's dialect has.
func isDocker(text []byte, keys map[string]json.RawMessage) bool {
	if keys["defaultAction"] == nil {
		return false
	}
	if keys["archMap"] != nil || keys["defaultErrno"] != nil {
		return true
	}
	var calls []map[string]json.RawMessage
	if json.Unmarshal(keys["syscalls"], &calls) != nil {
		return false
	}
	return slices.ContainsFunc(calls, func(call map[string]json.RawMessage) bool {
		return slices.ContainsFunc([]string{"includes", "excludes", "name", "comment", "errno"}, func(key string) bool { return call[key] != nil })
	})
}

func isUnit(text []byte, keys map[string]json.RawMessage) bool {
	if keys != nil {
		return false
	}
	lines, _ := unitFile(string(text))
	return len(lines) > 0
}

func hasLine(text []byte, prefix string) bool {
	for line := range bytes.Lines(text) {
		if bytes.HasPrefix(line, []byte(prefix)) {
			return true
		}
	}
	return false
}
