package main

import (
	"fmt"
	"os"

	"github.com/turnstile-project/turnstile/internal/trace"
)

// readTraces reads traces, and makes one of them.
func readTraces(names []string) (*trace.Document, error) {
	if len(names) == 0 {
		return nil, usagef("no trace; for example: %q", "turnstile report -f oci trace.json")
	}
	if len(names) > 1 {
		return nil, usagef("several traces are not read yet")
	}
	return readTrace(names[0])
}

// readTrace reads a trace.
func readTrace(name string) (*trace.Document, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, usageError{err}
	}
	defer f.Close()
	d, err := trace.Decode(f)
	if err != nil {
		return nil, usageError{fmt.Errorf("%q: %w", name, err)}
	}
	return d, nil
}
