// Opens argv[2] different files that do not exist, in argv[3] directories below the
// directory argv[1], with as many getppid.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char name[64];
	int n, dirs;

	if (argc < 4 || chdir(argv[1]))
		return 1;
	n = atoi(argv[2]);
	dirs = atoi(argv[3]);
	for (int i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "d%d/file%d", i % dirs, i);
		if (openat(AT_FDCWD, name, O_RDONLY) >= 0)
			return 1;
		syscall(SYS_getppid);
	}
	return 0;
}
