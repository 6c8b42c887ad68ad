package main

import (
	"os"
	"testing"
)

func TestPeakIn(t *testing.T) {
	if got, err := peakIn("VmPeak:\t 9000 kB\nVmHWM:\t    1536 kB\nVmRSS:\t  10 kB\n"); err != nil || got != 1.5 {
		t.Errorf("peak %v, %v, want 1.5", got, err)
	}
	if got, err := peakIn("Name:\tkthreadd\n"); err == nil {
		t.Errorf("peak %v of a process without memory", got)
	}
}

// The processes of a turnstile are found by the file that they run.
func TestResidents(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{dir: t.TempDir()}
	if r, err := b.residents(); err == nil {
		t.Errorf("found %+v where there is no turnstile", r)
	}
	if err := os.Symlink(self, b.path("turnstile")); err != nil {
		t.Fatal(err)
	}
	r, err := b.residents()
	if err != nil || r.processes != 1 || r.largest <= 0 || r.all != r.largest {
		t.Errorf("%+v, %v, want one process", r, err)
	}
}
