package observe

import "github.com/turnstile-project/turnstile/internal/event"

// nativeABIs are the ABIs of this machine in the order of enum abi, bpf/abi.h.
func nativeABIs() []event.ABI { return []event.ABI{event.ARM64, event.ARM} }

// largeFile is O_LARGEFILE, which the kernel adds to the flags of every open of a 64-bit
// process (arch/arm64/include/uapi/asm/fcntl.h).
const largeFile = 0x20000
