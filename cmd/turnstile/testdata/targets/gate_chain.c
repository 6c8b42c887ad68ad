// A chain of processes that fork and end, in a session of their own: whoever looks for
// the living one finds a dead one. It ends by itself after argv[1] seconds, and then leaves
// the file "<its own name>.ended". With a second argument each process has a session of its own.
// The first process prints "started" and ends with 3.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static time_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

int main(int argc, char **argv)
{
	char name[4096];
	time_t end = now() + atoi(argv[1]);

	if (fork() > 0)
		return write(1, "started\n", 8) == 8 ? 3 : 1;
	setsid();
	while (now() < end) {
		if (fork() > 0)
			_exit(0);
		if (argc > 2)
			setsid();
	}
	snprintf(name, sizeof(name), "%s.ended", argv[0]);
	_exit(creat(name, 0666) < 0);
}
