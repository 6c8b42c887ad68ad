package event

import (
	"syscall"
	"testing"
)

func TestSignalName(t *testing.T) {
	for _, tt := range []struct {
		signal syscall.Signal
		want   string
	}{
		{1, "SIGHUP"},
		{15, "SIGTERM"},
		{29, "SIGIO"},
		{31, "SIGSYS"},
		{32, "SIGRT_0"},
		{34, "SIGRT_2"}, // SIGRTMIN of glibc
		{40, "SIGRT_8"},
		{64, "SIGRT_32"},
	} {
		if got := SignalName(tt.signal); got != tt.want {
			t.Errorf("signal %d is %q, want %q", int(tt.signal), got, tt.want)
		}
	}
}
