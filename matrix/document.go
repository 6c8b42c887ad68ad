package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/turnstile-project/turnstile/internal/kernel"
)

// documentFile has tables between the lines "<!-- generated: NAME -->" and
// "<!-- end -->".
const documentFile = "docs/kernels.md"

// updateDocument writes the tables of a document anew.
func updateDocument(file string, records map[string]record) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("reading the document: %w", err)
	}
	text, err = withTables(text, records)
	if err != nil {
		return fmt.Errorf("%q: %w", file, err)
	}
	if err := os.WriteFile(file, text, 0o644); err != nil {
		return fmt.Errorf("writing the document: %w", err)
	}
	return nil
}

// withTables is a document with new tables.
func withTables(text []byte, records map[string]record) ([]byte, error) {
	tables := map[string]string{"results": resultTable(records)}
	for _, job := range kernel.Jobs() {
		tables[string(job)] = featureTable(job, records)
	}
	const begin, open, end = "<!-- generated: ", " -->\n", "<!-- end -->\n"
	var out bytes.Buffer
	rest := string(text)
	for {
		before, after, found := strings.Cut(rest, begin)
		out.WriteString(before)
		if !found {
			break
		}
		name, after, _ := strings.Cut(after, open)
		table, known := tables[name]
		_, rest, found = strings.Cut(after, end)
		if !known || !found {
			return nil, fmt.Errorf("there is no table %q, or it has no end", name)
		}
		delete(tables, name)
		fmt.Fprintf(&out, "%s%s%s%s%s", begin, name, open, table, end)
	}
	if len(tables) > 0 {
		return nil, fmt.Errorf("no place for: %s", strings.Join(slices.Sorted(maps.Keys(tables)), ", "))
	}
	return out.Bytes(), nil
}

// resultTable is what came of the rows, and why tests were skipped.
func resultTable(records map[string]record) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| Row | Date | Package | Passed | Failed | Skipped |\n|---|---|---|---:|---:|---:|\n")
	for _, r := range recorded(records) {
		fmt.Fprintf(&b, "| %s | %s | %s | %d | 0 | %d |\n", r.Row, r.Date, r.Package, r.Passed, count(r.Skipped))
	}
	for _, r := range recorded(records) {
		for _, reason := range slices.Sorted(maps.Keys(r.Skipped)) {
			fmt.Fprintf(&b, "\nOn %s: %s, because %s.\n", r.Row, strings.Join(r.Skipped[reason], ", "), reason)
		}
	}
	return b.String()
}

// featureTable is what a job needs of the kernel: first what it cannot do without.
func featureTable(job kernel.Job, records map[string]record) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| Feature | Since | Build option | Without it | Rows with it | Rows without it |\n|---|---|---|---|---|---|\n")
	for _, required := range []bool{true, false} {
		for _, f := range kernel.Features() {
			if !f.Uses(job) || f.Requires(job) != required {
				continue
			}
			without := f.Without
			if required {
				without = "**Does not work.** " + without
			}
			with, lacking := rowsWith(f.ID, records)
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", f.Name, f.Since, f.Config, without, with, lacking)
		}
	}
	return b.String()
}

// rowsWith are the rows whose kernel has a feature, for root, and those whose kernel
// has it not.
func rowsWith(id kernel.ID, records map[string]record) (with, without string) {
	var has, lacks []string
	for _, r := range recorded(records) {
		if r.Features[id] == kernel.Present.String() {
			has = append(has, r.Row)
		} else {
			lacks = append(lacks, r.Row)
		}
	}
	return all(has, len(records)), all(lacks, len(records))
}

func all(names []string, of int) string {
	if len(names) == of {
		return "all"
	}
	return strings.Join(names, ", ")
}

// recorded are the records in the order of the rows.
func recorded(records map[string]record) []record {
	var list []record
	for _, r := range rows {
		if known, ok := records[r.name]; ok {
			list = append(list, known)
		}
	}
	return list
}
