package testenv

import (
	"os"
	"testing"
)

// AppArmor skips the test where the kernel does not have AppArmor, or has it switched off.
// The machines of the matrix have it; make test leaves such tests to them where this kernel
// does not.
func AppArmor(t testing.TB) {
	t.Helper()
	const enabled = "/sys/module/apparmor/parameters/enabled"
	if answer, err := os.ReadFile(enabled); err != nil || string(answer) != "Y\n" {
		Lack(t, "the kernel has no AppArmor, or it was not enabled at boot (lsm=...,apparmor): make test-kernel K=6.12 boots one that has it")
	}
	Root(t)
}
