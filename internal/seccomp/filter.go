package seccomp

import (
	"golang.org/x/sys/unix"
)

// ABI is how a filter tells the ABIs of calls apart.
type ABI struct {
	// Arch is the AUDIT_ARCH_* of the call (include/uapi/linux/audit.h).
	Arch uint32
	// X32 is set for the calls of x32, which have the architecture of
	// x86-64 and bit 30 in their numbers.
	X32 bool
}

// The ABIs.
var (
	X8664 = ABI{Arch: unix.AUDIT_ARCH_X86_64}
	X32   = ABI{Arch: unix.AUDIT_ARCH_X86_64, X32: true}
	I386  = ABI{Arch: unix.AUDIT_ARCH_I386}
	ARM64 = ABI{Arch: unix.AUDIT_ARCH_AARCH64}
	ARM   = ABI{Arch: unix.AUDIT_ARCH_ARM}
)

// x32Bit is __X32_SYSCALL_BIT, arch/x86/include/uapi/asm/unistd.h.
const x32Bit = 0x40000000

// Filter says what happens to every call.
type Filter struct {
	// Tables are the ABIs whose calls the filter tells apart.
	Tables []Table
	// Other is for the calls of all other ABIs.
	Other Action
}

// Table is for the calls of one ABI.
type Table struct {
	ABI ABI
	// Rules by number, without the bit of x32. The first rule of a number whose
	// conditions hold decides.
	Rules map[uint32][]Rule
	// Default is for the numbers below Limit that no rule decides about.
	Default Action
	// Limit is the first number that is not known; Unknown is for it and those
	// above.
	Limit   uint32
	Unknown Action
}

// Rule is what happens to a call if all of its conditions hold.
type Rule struct {
	Conditions []Condition
	Action     Action
}

// Condition holds if an argument, under a mask, has a value. The mask of an int has 32
// bits, as the kernel looks at no more of it; that of a pointer has all of them.
type Condition struct {
	Arg         uint8
	Mask, Value uint64
}

// Data is what a filter sees of a call: struct seccomp_data without the instruction
// pointer.
type Data struct {
	Nr   uint32
	Arch uint32
	Args [6]uint64
}

// Action is what the filter says about a call. It is the meaning of the program that
// [Filter.Program] makes.
func (f *Filter) Action(d Data) Action {
	for i := range f.Tables {
		t := &f.Tables[i]
		if nr, ok := t.ABI.number(d); ok {
			return t.action(nr, d)
		}
	}
	return f.Other
}

// number is the number of a call in the table of the ABI, if it is a call of that.
func (a ABI) number(d Data) (nr uint32, ok bool) {
	if d.Arch != a.Arch {
		return 0, false
	}
	if a.Arch != X32.Arch {
		return d.Nr, true
	}
	return d.Nr &^ x32Bit, d.Nr&x32Bit != 0 == a.X32
}

func (t *Table) action(nr uint32, d Data) Action {
	if nr >= t.Limit {
		return t.Unknown
	}
	for _, r := range t.Rules[nr] {
		if r.holds(d) {
			return r.Action
		}
	}
	return t.Default
}

func (r Rule) holds(d Data) bool {
	for _, c := range r.Conditions {
		if d.Args[c.Arg]&c.Mask != c.Value {
			return false
		}
	}
	return true
}
