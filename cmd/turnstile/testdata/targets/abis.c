// One 64-bit process with calls of three ABIs: 2 x86-64 getppid, 11 i386 getpid,
// 5 x32 getpid, and numbers that no table has. Prints what an x32 call returns.
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#define X32 0x40000000

static long int80(long nr)
{
	long ret;

	__asm__ volatile("int $0x80" : "=a"(ret) : "a"(nr), "b"(0) : "memory", "r8", "r9", "r10", "r11");
	return ret;
}

int main(void)
{
	long ret = 0;

	for (int i = 0; i < 2; i++)
		syscall(SYS_getppid);
	for (int i = 0; i < 11; i++)
		if (int80(20) != getpid())
			return 1;
	for (int i = 0; i < 5; i++)
		ret = syscall(X32 | SYS_getpid);
	dprintf(1, "%ld\n", ret < 0 ? (long)-errno : ret);
	for (int i = 0; i < 4; i++)
		syscall(1000);
	for (int i = 0; i < 3; i++)
		syscall(-1);
	for (int i = 0; i < 6; i++)
		int80(1001);
	for (int i = 0; i < 7; i++)
		syscall(X32 | 1002);
	for (int i = 0; i < 8; i++)
		syscall(0x7fffffff00000000 | 1003);
	int80(999999);
	syscall(999998);
	syscall(600);
	return 0;
}
