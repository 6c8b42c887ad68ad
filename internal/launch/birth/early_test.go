//go:build (amd64 || arm64) && !cgo && go1.26 && !go1.27

package birth

import "testing"

// Where the hook is built in, the runtime has to call it. What it saw is tested
// from outside, in package launch.
func TestEarly(t *testing.T) {
	if !Early() {
		t.Error("the Go runtime has not called the hook: has runtime/cgo_mmap.go changed?")
	}
	if mmapHook != 0 {
		t.Error("the hook is still there")
	}
}
