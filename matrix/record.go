package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/turnstile-project/turnstile/internal/kernel"
)

// resultsFile keeps what came of the last whole run of each row.
const resultsFile = "matrix/results.json"

// record is one row there.
type record struct {
	Row      string               `json:"row"`
	Date     string               `json:"date"` // UTC
	Package  string               `json:"package"`
	Passed   int                  `json:"passed"`
	Skipped  map[string][]string  `json:"skipped,omitempty"` // tests by reason
	Features map[kernel.ID]string `json:"features"`          // the state of each, for root
}

// recordAll takes in the results of rows in which all is well.
func recordAll(results []*result, now time.Time) error {
	records, err := readRecords(resultsFile)
	if err != nil {
		return err
	}
	for _, r := range results {
		records[r.row.name] = record{
			Row: r.row.name, Date: now.UTC().Format(time.DateOnly), Package: r.kernel,
			Passed: r.passed, Skipped: r.skipped, Features: r.features,
		}
	}
	if err := writeRecords(resultsFile, records); err != nil {
		return err
	}
	return updateDocument(documentFile, records)
}

// readRecords are the records of a file by row.
func readRecords(file string) (map[string]record, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the results: %w", err)
	}
	var all []record
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, fmt.Errorf("reading the results in %q: %w", file, err)
	}
	records := map[string]record{}
	for _, r := range all {
		records[r.Row] = r
	}
	return records, nil
}

// writeRecords keeps those of rows that there are, in their order.
func writeRecords(file string, records map[string]record) error {
	var all []record
	for _, r := range rows {
		if known, ok := records[r.name]; ok {
			all = append(all, known)
		}
	}
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the results: %w", err)
	}
	if err := os.WriteFile(file, append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("writing the results: %w", err)
	}
	return nil
}
