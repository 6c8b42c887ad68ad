// Makes a pid namespace. Its first process starts five children, each of which
// makes three getppid. Prints the pid of the first process as seen from outside.
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void init(void)
{
	if (getpid() != 1)
		_exit(1);
	for (int i = 0; i < 5; i++) {
		if (fork() == 0) {
			for (int k = 0; k < 3; k++)
				syscall(SYS_getppid);
			_exit(0);
		}
	}
	while (wait(NULL) > 0)
		;
	_exit(0);
}

int main(void)
{
	int status;
	pid_t child;

	if (unshare(CLONE_NEWPID))
		return 1;
	child = fork();
	if (child == 0)
		init();
	dprintf(1, "%d\n", child);
	waitpid(child, &status, 0);
	return status != 0;
}
