package main

import (
	"bytes"
	"testing"
)

// The same history every time, or sessions would not measure the same work.
func TestHistoryIsDeterministic(t *testing.T) {
	var a, b bytes.Buffer
	for _, out := range []*bytes.Buffer{&a, &b} {
		if err := writeHistory(out, 3); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("two histories differ")
	}
	if n := bytes.Count(a.Bytes(), []byte("commit refs/heads/main\n")); n != 3 {
		t.Errorf("%d commits, want 3", n)
	}
}
