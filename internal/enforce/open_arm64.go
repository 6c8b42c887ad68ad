package enforce

// oLargefile is O_LARGEFILE (arch/arm64/include/uapi/asm/fcntl.h).
const oLargefile = 0o400000
