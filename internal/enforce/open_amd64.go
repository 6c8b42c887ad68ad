package enforce

// oLargefile is O_LARGEFILE for 32-bit programs; it does nothing here, and F_GETFL has
// it (include/uapi/asm-generic/fcntl.h).
const oLargefile = 0o100000
