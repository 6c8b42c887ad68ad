/*
 * accesses COUNT [PROGRAM...]: reads lines "OPERATION PATH" from stdin, does what each
 * says and prints the errno that it got, 0 for none. After COUNT lines it becomes
 * PROGRAM, which goes on. What would change something for the lines that follow fails
 * for another reason where it is allowed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* line reads no byte too many: they are for the next program. */
static int line(char *to, size_t size)
{
	size_t n = 0;
	while (n + 1 < size && read(0, to + n, 1) == 1 && to[n] != '\n')
		n++;
	to[n] = 0;
	return n > 0;
}

static int opens(const char *path, int flags)
{
	int fd = open(path, flags);
	if (fd >= 0)
		close(fd);
	return fd;
}

static int names(const char *path, int binds)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0), result;
	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	result = (binds ? bind : connect)(fd, (struct sockaddr *)&a, sizeof(a));
	int error = errno;
	close(fd);
	errno = error;
	return result;
}

static int access_as(const char *op, const char *path)
{
	struct stat st;
	if (!strcmp(op, "read"))
		return opens(path, O_RDONLY);
	if (!strcmp(op, "write"))
		return opens(path, O_WRONLY);
	if (!strcmp(op, "list"))
		return opens(path, O_RDONLY | O_DIRECTORY);
	if (!strcmp(op, "stat"))
		return stat(path, &st);
	if (!strcmp(op, "attr"))
		return chmod(path, 0644);
	if (!strcmp(op, "delete"))
		return rmdir(path); /* of a file */
	if (!strcmp(op, "create"))
		return mkdir(path, 0755);
	if (!strcmp(op, "exec"))
		return execl(path, path, (char *)NULL); /* of what is no program */
	if (!strcmp(op, "connect"))
		return names(path, 0);
	if (!strcmp(op, "bind"))
		return names(path, 1);
	exit(2);
}

int main(int argc, char **argv)
{
	char text[4096];
	for (int i = atoi(argv[1]); i > 0 && line(text, sizeof(text)); i--) {
		char *path = strchr(text, ' ');
		if (!path)
			return 2;
		*path++ = 0;
		errno = 0;
		printf("%d\n", access_as(text, path) < 0 ? errno : 0);
	}
	fflush(stdout);
	if (argc > 2) {
		execv(argv[2], argv + 2);
		return 3;
	}
	return 0;
}
