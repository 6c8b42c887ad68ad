// Calls that take no path: NULL, with which they mean the descriptor or nothing,
// and pointers to nowhere, which fail. argv[1] is a file.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

int main(int argc, char **argv)
{
	char *volatile nowhere = (char *)8;
	struct statx stx;
	int fd = open(argv[1], O_RDWR), group = fanotify_init(FAN_CLASS_NOTIF, O_RDONLY);

	OK(fd);
	OK(group);
	OK(syscall(SYS_utimensat, fd, NULL, NULL, 0));
	OK(syscall(SYS_fanotify_mark, group, FAN_MARK_ADD, FAN_OPEN, fd, NULL));
	OK(syscall(SYS_acct, NULL));
	syscall(SYS_statx, fd, NULL, AT_EMPTY_PATH, STATX_ALL, &stx); // EFAULT before 6.11

	FAILS(EFAULT, syscall(SYS_openat, AT_FDCWD, NULL, O_RDONLY));
	FAILS(EFAULT, syscall(SYS_openat, AT_FDCWD, nowhere, O_RDONLY));
	FAILS(EFAULT, syscall(SYS_openat, AT_FDCWD, nowhere, O_RDONLY));
	FAILS(EFAULT, syscall(SYS_linkat, AT_FDCWD, argv[1], AT_FDCWD, nowhere, 0));
	return 0;
}
