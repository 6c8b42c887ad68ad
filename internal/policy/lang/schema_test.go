package lang

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"

	"github.com/turnstile-project/turnstile/internal/policy"
)

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("policy.schema.json", document); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("policy.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSchemaTakesPolicies: every policy file in the repository is one for editors too.
func TestSchemaTakesPolicies(t *testing.T) {
	s := schema(t)
	texts := map[string][]byte{"of the design": []byte(design)}
	err := filepath.WalkDir("../../..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".yaml" || !strings.Contains(path, "polic") {
			return err
		}
		texts[path], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range texts {
		var value any
		if err := yaml.Unmarshal(text, &value); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := s.Validate(value); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := Parse(name, text, vars); err != nil {
			t.Error(err)
		}
	}
}

// TestSchemaRefuses: what editors can see of the mistakes that Parse finds.
func TestSchemaRefuses(t *testing.T) {
	s := schema(t)
	for _, text := range []string{
		"default: deny", "version: 2", "version: 1\nrule: []", "version: 1\nrules: []",
		ruleOf("allow: [reed]"), ruleOf("allow: read"), ruleOf("allow: []"), ruleOf("allow: [read]\n    deny: [read]"),
		ruleOf("allow: [read]\n    errno: ENOENT"), ruleOf("exe: [/x]"), pathOf("src/**"), pathOf("~/x"), pathOf("${HOM}"),
		"version: 1\nrules: [{allow: [read]}]", "version: 1\nopen: [io_urin]", "version: 1\nopen: [bpf, bpf]",
		"version: 1\nsyscalls: {errno: ENOSYS}", "version: 1\nsyscalls: {deny: [bpf], errno: ENOSYS, kill: true}",
		"version: 1\nrules: [{deny: [connect], sockets: ['tcp:*'], except: [/x]}]",
	} {
		var value any
		if err := yaml.Unmarshal([]byte(text), &value); err != nil {
			t.Fatal(err)
		}
		if s.Validate(value) == nil {
			t.Errorf("the schema takes %q", text)
		}
		if _, err := Parse("p", []byte(text), vars); err == nil {
			t.Errorf("Parse takes %q", text)
		}
	}
}

// TestSchemaNames: the names in it are those that there are.
func TestSchemaNames(t *testing.T) {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema))
	if err != nil {
		t.Fatal(err)
	}
	for definition, want := range map[string][]string{
		"class": append(policy.Files.Names(), "all"), "door": policy.AllDoors.Names(), "verdict": verdictNames,
	} {
		var got []string
		for _, name := range document.(map[string]any)["$defs"].(map[string]any)[definition].(map[string]any)["enum"].([]any) {
			got = append(got, name.(string))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", definition, got, want)
		}
	}
}
