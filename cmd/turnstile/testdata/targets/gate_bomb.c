// Forks until there are argv[1] processes of this user or the system says no, prints how
// many children it has, and goes on: each child forks whenever it may, and opens argv[2]
// in between. They end after a minute.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct rlimit limit;
	int children = 0;

	if (argc < 3)
		return 2;
	limit.rlim_cur = limit.rlim_max = atoi(argv[1]);
	if (setrlimit(RLIMIT_NPROC, &limit))
		return 1;
	alarm(60);
	for (;;) {
		pid_t child = fork();

		if (child < 0)
			break;
		if (child == 0) {
			alarm(60);
			for (;;) {
				int fd = open(argv[2], O_RDONLY);

				if (fd >= 0)
					close(fd);
				if (fork() == 0)
					alarm(60);
				while (waitpid(-1, NULL, WNOHANG) > 0)
					;
			}
		}
		children++;
	}
	printf("children %d\n", children);
	fflush(stdout);
	for (;;)
		pause();
}
