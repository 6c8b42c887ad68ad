package testenv

import (
	"fmt"
	"testing"

	"golang.org/x/sys/unix"
)

// landlockSince are the versions of Linux that brought those of the ABI of Landlock
// (Documentation/userspace-api/landlock.rst).
var landlockSince = map[int][2]int{1: {5, 13}, 2: {5, 19}, 3: {6, 2}, 4: {6, 7}, 5: {6, 10}, 6: {6, 12}}

// Landlock skips the test on a kernel that is too old for this version of the ABI.
func Landlock(t testing.TB, abi int) {
	t.Helper()
	// Package landlock, whose tests ask here too, cannot be asked.
	got, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno == 0 && int(got) >= abi {
		return
	}
	since, known := landlockSince[abi]
	if !known {
		t.Fatalf("nobody knows which kernel has Landlock ABI %d", abi)
	}
	why := fmt.Sprintf("the kernel has no Landlock ABI %d (Linux %d.%d)", abi, since[0], since[1])
	var name unix.Utsname
	var major, minor int
	if err := unix.Uname(&name); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscanf(unix.ByteSliceToString(name.Release[:]), "%d.%d", &major, &minor); err != nil {
		t.Fatalf("reading the version of the kernel: %v", err)
	}
	if major > since[0] || major == since[0] && minor >= since[1] {
		Lack(t, why)
	}
	t.Skipf("SKIPPED: %s", why)
}
