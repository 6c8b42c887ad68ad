package strace

import (
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
)

// constant is a number that strace has a name for.
type constant struct {
	name  string
	value uint64
}

// mask makes a negative constant the number that the register has.
const mask = 1<<64 - 1

// moreConstants are those that golang.org/x/sys/unix does not have: of futex(2)
// (include/uapi/linux/futex.h), arch_prctl(2) (arch/x86/include/uapi/asm/prctl.h),
// personality(2) (include/uapi/linux/personality.h), and names that strace gives to
// values that have others.
var moreConstants = map[string]uint64{
	"FUTEX_WAIT": 0, "FUTEX_WAKE": 1, "FUTEX_FD": 2, "FUTEX_REQUEUE": 3, "FUTEX_CMP_REQUEUE": 4, "FUTEX_WAKE_OP": 5,
	"FUTEX_LOCK_PI": 6, "FUTEX_UNLOCK_PI": 7, "FUTEX_TRYLOCK_PI": 8, "FUTEX_WAIT_BITSET": 9, "FUTEX_WAKE_BITSET": 10,
	"FUTEX_WAIT_REQUEUE_PI": 11, "FUTEX_CMP_REQUEUE_PI": 12, "FUTEX_LOCK_PI2": 13, "FUTEX_CLOCK_REALTIME": 256,
	"FUTEX_WAIT_PRIVATE": 128, "FUTEX_WAKE_PRIVATE": 129, "FUTEX_REQUEUE_PRIVATE": 131, "FUTEX_CMP_REQUEUE_PRIVATE": 132,
	"FUTEX_WAKE_OP_PRIVATE": 133, "FUTEX_LOCK_PI_PRIVATE": 134, "FUTEX_UNLOCK_PI_PRIVATE": 135, "FUTEX_TRYLOCK_PI_PRIVATE": 136,
	"FUTEX_WAIT_BITSET_PRIVATE": 137, "FUTEX_WAKE_BITSET_PRIVATE": 138, "FUTEX_WAIT_REQUEUE_PI_PRIVATE": 139,
	"FUTEX_CMP_REQUEUE_PI_PRIVATE": 140, "FUTEX_LOCK_PI2_PRIVATE": 141,

	"ARCH_SET_GS": 0x1001, "ARCH_SET_FS": 0x1002, "ARCH_GET_FS": 0x1003, "ARCH_GET_GS": 0x1004,
	"ARCH_GET_CPUID": 0x1011, "ARCH_SET_CPUID": 0x1012, "ARCH_GET_XCOMP_SUPP": 0x1021, "ARCH_GET_XCOMP_PERM": 0x1022,
	"ARCH_REQ_XCOMP_PERM": 0x1023,

	"PER_LINUX": 0, "PER_LINUX32": 8, "UNAME26": 0x20000, "ADDR_NO_RANDOMIZE": 0x40000, "MMAP_PAGE_ZERO": 0x100000,
	"ADDR_COMPAT_LAYOUT": 0x200000, "READ_IMPLIES_EXEC": 0x400000, "ADDR_LIMIT_32BIT": 0x800000, "WHOLE_SECONDS": 0x2000000,
	"STICKY_TIMEOUTS": 0x4000000, "ADDR_LIMIT_3GB": 0x8000000,

	"NULL": 0, "F_GETLK": 5, "F_SETLK": 6, "F_SETLKW": 7, "F_OK": 0,
	"SOL_TCP": 6, "SOL_UDP": 17, "SOL_SCTP": 132, "AF_LOCAL": unix.AF_UNIX, "AF_FILE": unix.AF_UNIX,
	"SECCOMP_SET_MODE_STRICT": 0, "SECCOMP_SET_MODE_FILTER": 1, "SECCOMP_GET_ACTION_AVAIL": 2, "SECCOMP_GET_NOTIF_SIZES": 3,
	"PROT_NONE": 0, "O_RDONLY": 0,
}

// constantNamed is the value of a constant. Protocol families have the numbers of address
// families.
func constantNamed(name string) (uint64, bool) {
	if n, ok := moreConstants[name]; ok {
		return n, true
	}
	if family, ok := strings.CutPrefix(name, "PF_"); ok {
		name = "AF_" + family
	}
	if strings.HasPrefix(name, "SIG") {
		n := signalNamed(name)
		return uint64(n), n != 0
	}
	i, ok := slices.BinarySearchFunc(constants[:], name, func(c constant, name string) int { return strings.Compare(c.name, name) })
	if !ok {
		return 0, false
	}
	return constants[i].value, true
}

// signalNamed is the signal of a name, 0 if there is none.
func signalNamed(name string) unix.Signal {
	if s := unix.SignalNum(name); s != 0 {
		return s
	}
	if name == "SIGRTMIN" || name == "SIGRT_0" {
		return 32 // as strace has it: the first of the kernel
	}
	for s := unix.Signal(33); s <= 64; s++ {
		if event.SignalName(s) == name {
			return s
		}
	}
	return 0
}
