package emit

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/trace"
)

func landlockSchema(t *testing.T) func(text string) error {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile("testdata/landlockconfig.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return func(text string) error {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			return err
		}
		return schema.Validate(v)
	}
}

func TestLandlockSchema(t *testing.T) {
	valid := landlockSchema(t)
	text, err := heldBy(t, &landlock, sample(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := valid(text); err != nil {
		t.Error(err)
	}
	for _, change := range [][2]string{{`"read_file"`, `"read_files"`}, {`"netPort"`, `"netPorts"`}, {`"connect_tcp"`, `"connect_udp"`}} {
		if valid(strings.Replace(text, change[0], change[1], 1)) == nil {
			t.Errorf("the schema takes %s", change[1])
		}
	}
}

// TestLandlockNames: every name is in the JSON as landlockconfig reads it back, or refused.
func TestLandlockNames(t *testing.T) {
	for _, n := range oddNames() {
		d := ofFiles()
		d.Files = append(d.Files, file("/d/"+n, event.Read, event.OpOpen))
		text, err := heldBy(t, &landlock, d, nil)
		if !utf8.ValidString(n) {
			if err == nil || !strings.Contains(err.Error(), "not UTF-8") {
				t.Errorf("%q: %v", n, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", n, err)
			continue
		}
		var c landlockConfig
		if err := json.Unmarshal([]byte(text), &c); err != nil {
			t.Fatal(err)
		}
		got := c.PathBeneath[0].Parent[0]
		// landlockconfig: $$ is $, and ${NAME} a variable.
		if plain := strings.ReplaceAll(got, "$$", ""); strings.Contains(plain, "$") || strings.ReplaceAll(got, "$$", "$") != "/d/"+n {
			t.Errorf("%q is written as %q", n, got)
		}
	}
}

func TestLandlockRights(t *testing.T) {
	missing := file("/gone", event.Read, event.OpOpen)
	missing.Errors.Add("ENOENT", 1)
	there := file("/var/there", event.Create, event.OpMkdir)
	there.Errors.Add("EEXIST", 1)
	for name, tt := range map[string]struct {
		files []*trace.File
		want  map[string]string
	}{
		"reading":                   {[]*trace.File{file("/a", event.Read, event.OpOpen)}, map[string]string{"/a": "read_file"}},
		"looking":                   {[]*trace.File{file("/a", event.Stat, event.OpStat)}, nil},
		"missing":                   {[]*trace.File{missing}, nil},
		"executing":                 {[]*trace.File{file("/a", event.Exec, event.OpExec)}, map[string]string{"/a": "execute read_file"}},
		"mapping":                   {[]*trace.File{file("/a", event.Exec|event.Read, event.OpMapExec, event.OpOpen)}, map[string]string{"/a": "read_file"}},
		"a device":                  {[]*trace.File{file("/dev/x", event.Read, event.OpOpen)}, map[string]string{"/dev/x": "read_file ioctl_dev"}},
		"making":                    {[]*trace.File{file("/d/a", event.Create|event.Write, event.OpOpen)}, map[string]string{"/d": "write_file make_reg truncate"}},
		"removing":                  {[]*trace.File{file("/d/a", event.Delete|event.Read, event.OpUnlink)}, map[string]string{"/d": "remove_file", "/d/a": "read_file"}},
		"what was there":            {[]*trace.File{there, file("/var/there/a", event.Create, event.OpMkdir)}, map[string]string{"/var/there": "make_dir"}},
		"in what was made":          {[]*trace.File{file("/w/d", event.Create, event.OpMkdir), file("/w/d/a", event.Create, event.OpSymlink)}, map[string]string{"/w": "make_dir make_sym"}},
		"a socket":                  {[]*trace.File{file("/d/s", event.Create|event.Bind, event.OpBind)}, map[string]string{"/d": "make_sock"}},
		"another process each time": {[]*trace.File{file("/proc/17/maps", event.Read, event.OpOpen)}, map[string]string{"/proc": "read_file"}},
	} {
		d := ofFiles()
		d.Files = tt.files
		text, err := heldBy(t, &landlock, d, nil)
		if err != nil {
			t.Fatal(err)
		}
		var c landlockConfig
		if err := json.Unmarshal([]byte(text), &c); err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, rule := range c.PathBeneath {
			for _, p := range rule.Parent {
				n++
				if tt.want[p] != strings.Join(rule.Access, " ") {
					t.Errorf("%s: %s has %v, want %q", name, p, rule.Access, tt.want[p])
				}
			}
		}
		if n != len(tt.want) || !slices.Equal(c.Ruleset[0].Fs, landlockFs) {
			t.Errorf("%s: %s", name, text)
		}
	}
}
