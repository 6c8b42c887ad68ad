// In the directory argv[1]: opens a path of 4,095 bytes, the longest that there is,
// another one of 5,000, and one of 1,000 names below a directory that is 1,000
// names deep. Prints the names below argv[1] of the deep file.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void must(int ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "%s: %m\n", what);
		exit(1);
	}
}

// Makes a directory below fd and returns it; fd is closed.
static int down(int fd, const char *name)
{
	int below;

	must(mkdirat(fd, name, 0700) == 0 || errno == EEXIST, "mkdirat");
	below = openat(fd, name, O_RDONLY | O_DIRECTORY);
	must(below >= 0, "openat");
	close(fd);
	return below;
}

int main(int argc, char **argv)
{
	char path[6000] = "", name[256];
	int fd;

	must(argc > 1 && chdir(argv[1]) == 0, "chdir");

	// 20 times 200 letters and a slash, and 75 letters more.
	fd = open(".", O_RDONLY | O_DIRECTORY);
	memset(name, 'l', 200);
	name[200] = 0;
	for (int i = 0; i < 20; i++) {
		strcat(strcat(path, name), "/");
		fd = down(fd, name);
	}
	memset(name, 'f', 75);
	name[75] = 0;
	strcat(path, name);
	must(strlen(path) == 4095, "4095");
	must(openat(fd, name, O_CREAT | O_WRONLY, 0600) >= 0, "openat");
	close(fd);
	must(open(path, O_RDONLY) >= 0, "the longest path");

	memset(path, 'x', 5000);
	path[5000] = 0;
	must(open(path, O_RDONLY) < 0 && errno == ENAMETOOLONG, "a path that is too long");

	// A working directory of 1,000 names, and a path of 1,000 names.
	fd = open(".", O_RDONLY | O_DIRECTORY);
	for (int i = 0; i < 1000; i++)
		fd = down(fd, "d");
	must(fchdir(fd) == 0, "fchdir");
	path[0] = 0;
	for (int i = 0; i < 999; i++) {
		strcat(path, "e/");
		fd = down(fd, "e");
	}
	strcat(path, "file");
	must(openat(fd, "file", O_CREAT | O_WRONLY, 0600) >= 0, "openat");
	close(fd);
	must(open(path, O_RDONLY) >= 0, "the deep path");
	must(mkdir("e/new", 0700) == 0, "mkdir");
	must(open("missing", O_RDONLY) < 0, "missing");
	return 0;
}
