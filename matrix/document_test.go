package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/turnstile-project/turnstile/internal/kernel"
)

// The tables of the document are those of the recorded results and of the features
// that doctor asks for.
func TestDocumentIsCurrent(t *testing.T) {
	t.Chdir("..")
	records, err := readRecords(resultsFile)
	if err != nil {
		t.Fatal(err)
	}
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := updateDocument(documentFile, records); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(documentFile)
	if err != nil {
		t.Fatal(err)
	}
	want, err := withTables(got, records)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s: -want +got; UPDATE_GOLDEN=1 writes the tables anew\n%s", documentFile, diff)
	}
	for _, r := range rows {
		if _, ok := records[r.name]; !ok {
			t.Errorf("row %s was never recorded: go run ./matrix -k %s -record", r.name, r.name)
		}
	}
}

func TestDocumentNeedsItsPlaces(t *testing.T) {
	places := ""
	for _, name := range []string{"results", "observe", "enforce", "watch"} {
		places += "<!-- generated: " + name + " -->\nold\n<!-- end -->\n"
	}
	for name, tt := range map[string]struct {
		text string
		ok   bool
	}{
		"all":       {"# Title\n" + places + "end\n", true},
		"one less":  {strings.Replace(places, "watch", "other", 1), false},
		"one twice": {places + places, false},
		"no end":    {places + "<!-- generated: results -->\n", false},
		"none":      {"# Title\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := withTables([]byte(tt.text), nil)
			if (err == nil) != tt.ok {
				t.Fatalf("error %v", err)
			}
			if tt.ok && (strings.Contains(string(got), "old") || !strings.HasPrefix(string(got), "# Title\n") || !strings.HasSuffix(string(got), "end\n")) {
				t.Errorf("got\n%s", got)
			}
		})
	}
}

func TestRecords(t *testing.T) {
	file := filepath.Join(t.TempDir(), "results.json")
	want := map[string]record{
		rows[1].name: {Row: rows[1].name, Date: "2026-01-02", Package: "linux 1", Passed: 3, Features: map[kernel.ID]string{kernel.Loop: "missing"}},
		rows[0].name: {Row: rows[0].name, Date: "2026-01-03", Package: "linux 2", Passed: 4, Features: map[kernel.ID]string{kernel.Loop: "present"}, Skipped: map[string][]string{"why": {"TestA"}}},
	}
	if err := writeRecords(file, want); err != nil {
		t.Fatal(err)
	}
	got, err := readRecords(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	with, without := rowsWith(kernel.Loop, want)
	if with != rows[0].name || without != rows[1].name {
		t.Errorf("with %q, without %q", with, without)
	}
}
