// Forks twice and ends with 7. The grandchild, in a session of its own, prints its
// pid, waits until somebody writes to the pipe argv[1], makes 700 getppid, and
// opens argv[2].
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void serve(char **argv)
{
	dprintf(1, "%d\n", getpid());
	if (open(argv[1], O_RDONLY) < 0)
		_exit(1);
	for (int i = 0; i < 700; i++)
		syscall(SYS_getppid);
	if (open(argv[2], O_WRONLY) < 0)
		_exit(1);
	_exit(0);
}

int main(int argc, char **argv)
{
	pid_t child = fork();

	if (argc < 3 || child < 0)
		return 1;
	if (child == 0) {
		pid_t grandchild;

		setsid();
		grandchild = fork();
		if (grandchild == 0)
			serve(argv);
		_exit(grandchild < 0);
	}
	waitpid(child, NULL, 0);
	return 7;
}
