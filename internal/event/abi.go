package event

// ABI is the system call convention that a call was made with. It is a
// property of the call: one x86-64 thread can use three of them.
type ABI uint8

// The ABIs that Turnstile names calls of.
const (
	ABIUnknown ABI = iota
	X8664
	I386
	X32
	ARM64
	ARM
)

var abiNames = [...]string{"unknown", "x86_64", "i386", "x32", "arm64", "arm"}

func (a ABI) String() string { return name(abiNames[:], int(a)) }

// ABIs lists the known ABIs.
func ABIs() []ABI { return []ABI{X8664, I386, X32, ARM64, ARM} }

// ParseABI is the ABI of a name.
func ParseABI(s string) (ABI, bool) {
	for _, a := range ABIs() {
		if a.String() == s {
			return a, true
		}
	}
	return ABIUnknown, false
}
