// Opens the secret file argv[1] by calls of other ABIs than the program's own.
#include "attack.h"
#include <sys/mman.h>

#define X32 0x40000000

#ifdef __x86_64__
// by_int80 is a call of the i386 ABI. Its pointers have 32 bits.
static long by_int80(long nr, long a, long b, long c, long d)
{
	long ret;

	__asm__ volatile("int $0x80"
			 : "=a"(ret)
			 : "a"(nr), "b"(a), "c"(b), "d"(c), "S"(d)
			 : "memory", "r8", "r9", "r10", "r11");
	if (ret >= 0)
		return ret;
	errno = -ret;
	return -1;
}
#endif

int main(int argc, char **argv)
{
#ifdef __x86_64__
	char *low = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	struct open_how *how = (void *)(low + 4096);

	if (low == MAP_FAILED)
		return 1;
	strcpy(low, argv[1]);
	how->flags = O_RDONLY;
	tell("int80_getpid", by_int80(20, 0, 0, 0, 0));
	opened("int80_open", by_int80(5, (long)low, O_RDONLY, 0, 0));
	opened("int80_openat", by_int80(295, AT_FDCWD, (long)low, O_RDONLY, 0));
	opened("int80_openat2", by_int80(437, AT_FDCWD, (long)low, (long)how, sizeof(*how)));
	opened("int80_creat", by_int80(8, (long)low, 0600, 0, 0));
	tell("int80_truncate", by_int80(92, (long)low, 0, 0, 0));
	tell("int80_chmod", by_int80(15, (long)low, 0600, 0, 0));
	tell("x32_getpid", syscall(X32 | SYS_getpid));
	opened("x32_open", syscall(X32 | SYS_open, low, O_RDONLY));
	opened("x32_openat", syscall(X32 | SYS_openat, AT_FDCWD, low, O_RDONLY));
#endif
	// Numbers of nothing, and of nothing yet.
	tell("number_600", syscall(600, argv[1]));
	tell("number_1000", syscall(1000, argv[1]));
	tell("number_minus_2", syscall(-2, argv[1]));
	// The kernel looks at 32 bits of the number.
	opened("high_bits", syscall(0x100000000 | SYS_openat, AT_FDCWD, argv[1], O_RDONLY));
	opened("innocent", open(argv[2], O_RDONLY));
	return 0;
}
