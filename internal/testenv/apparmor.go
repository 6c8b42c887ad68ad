package testenv

import (
	"errors"
	"io/fs"
	"os"
	"testing"
)

// AppArmor skips the test on a kernel that was built without AppArmor. Where it was built
// in, it has to be enabled.
func AppArmor(t testing.TB) {
	t.Helper()
	const enabled = "/sys/module/apparmor/parameters/enabled"
	switch answer, err := os.ReadFile(enabled); {
	case errors.Is(err, fs.ErrNotExist):
		t.Skip("SKIPPED: the kernel was built without AppArmor")
	case err != nil:
		t.Fatal(err)
	case string(answer) != "Y\n":
		Lack(t, "AppArmor is built in but was not enabled at boot (lsm=...,apparmor)")
	}
	Root(t)
}
