package syscalls

import (
	"strconv"
	"sync"

	"github.com/turnstile-project/turnstile/internal/event"
)

// tables holds the names of each ABI by number; "" where a table has a gap.
var tables = map[event.ABI][]string{
	event.X8664: namesX8664,
	event.I386:  namesI386,
	event.X32:   namesX32,
	event.ARM64: namesARM64,
	event.ARM:   namesARM,
}

// armPrivate are the calls from armPrivateBase on
// (arch/arm/include/uapi/asm/unistd.h).
var armPrivate = []string{"", "breakpoint", "cacheflush", "usr26", "usr32", "set_tls", "get_tls"}

const armPrivateBase = 0x0f0000

// Known is the name of call nr, and whether the tables have one.
func Known(abi event.ABI, nr int32) (string, bool) {
	t := tables[abi]
	if abi == event.ARM && nr >= armPrivateBase {
		t, nr = armPrivate, nr-armPrivateBase
	}
	if nr < 0 || int(nr) >= len(t) || t[nr] == "" {
		return "", false
	}
	return t[nr], true
}

// Name is the name of call nr, or "syscall_N": a number that the tables do not
// have is shown, never guessed.
func Name(abi event.ABI, nr int32) string {
	if n, ok := Known(abi, nr); ok {
		return n
	}
	return "syscall_" + strconv.Itoa(int(nr))
}

// Number is the inverse of [Known].
func Number(abi event.ABI, name string) (int32, bool) {
	nr, ok := numbers()[abi][name]
	return nr, ok
}

// All lists the numbers that have a name in an ABI, in ascending order.
func All(abi event.ABI) []int32 {
	var all []int32
	for nr, n := range tables[abi] {
		if n != "" {
			all = append(all, int32(nr))
		}
	}
	if abi == event.ARM {
		for i := 1; i < len(armPrivate); i++ {
			all = append(all, int32(armPrivateBase+i))
		}
	}
	return all
}

var numbers = sync.OnceValue(func() map[event.ABI]map[string]int32 {
	m := make(map[event.ABI]map[string]int32)
	for abi := range tables {
		m[abi] = make(map[string]int32)
		for _, nr := range All(abi) {
			n, _ := Known(abi, nr)
			m[abi][n] = nr
		}
	}
	return m
})

// Limit is the first number that the table of an ABI does not have.
func Limit(abi event.ABI) uint32 { return uint32(len(tables[abi])) }
