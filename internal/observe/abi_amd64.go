package observe

import "github.com/turnstile-project/turnstile/internal/event"

// nativeABIs are the ABIs of this machine in the order of enum abi, bpf/abi.h.
func nativeABIs() []event.ABI { return []event.ABI{event.X8664, event.I386, event.X32} }

// largeFile is O_LARGEFILE, which the kernel adds to the flags of every open of a 64-bit
// process (include/uapi/asm-generic/fcntl.h).
const largeFile = 0x8000
