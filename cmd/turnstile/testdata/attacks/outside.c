// Opens the file called file of the directory argv[1], which somebody else moves, argv[2]
// times: once before and the rest after the first byte on stdin. Prints how often that
// worked, was refused with EACCES, and failed in another way.
#include "attack.h"

int main(int argc, char **argv)
{
	int at = MUST(open(argv[1], O_PATH | O_DIRECTORY));
	int ok = 0, denied = 0, odd = 0;
	char c;

	opened("before", openat(at, "file", O_RDONLY));
	MUST(read(0, &c, 1));
	for (int i = 0; i < atoi(argv[2]); i++) {
		int fd = openat(at, "file", O_RDONLY), err = errno;

		ok += fd >= 0;
		denied += fd < 0 && err == EACCES;
		odd += fd < 0 && err != EACCES;
		if (fd >= 0)
			close(fd);
	}
	count("ok", ok);
	count("denied", denied);
	count("odd", odd);
	return 0;
}
