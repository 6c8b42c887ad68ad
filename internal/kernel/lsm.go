package kernel

import (
	"encoding/binary"
	"fmt"
	"os"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// lsmNames translates the numbers of include/uapi/linux/lsm.h.
var lsmNames = map[uint64]string{
	100: "capability", 101: "selinux", 102: "smack", 103: "tomoyo", 104: "apparmor", 105: "yama",
	106: "loadpin", 107: "safesetid", 108: "lockdown", 109: "bpf", 110: "landlock", 111: "ima",
	112: "evm", 113: "ipe",
}

// securityModules returns the active security modules in their order: from
// securityfs, or from lsm_list_modules(2) of Linux 6.8 where that is not mounted.
func securityModules() ([]string, error) {
	const list = "/sys/kernel/security/lsm"
	text, err := os.ReadFile(list)
	if err == nil {
		return strings.Split(strings.TrimSpace(string(text)), ","), nil
	}
	ids := make([]byte, 64*8)
	size := uint32(len(ids))
	n, _, errno := unix.Syscall(unix.SYS_LSM_LIST_MODULES,
		uintptr(unsafe.Pointer(&ids[0])), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return nil, fmt.Errorf("reading %s: %w", list, cause(err))
	}
	var names []string
	for i := range min(int(n), len(ids)/8) {
		id := binary.NativeEndian.Uint64(ids[i*8:])
		name, ok := lsmNames[id]
		if !ok {
			name = fmt.Sprintf("lsm %d", id)
		}
		names = append(names, name)
	}
	return names, nil
}
