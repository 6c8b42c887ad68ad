// A tree of processes for whoever has to end all of them: one that spins on opens of the
// file argv[3], children that are stopped, that wait at the pipe argv[1], that try again
// and again to open argv[2], a daemon in a session of its own that does the same, and one
// that makes orphans without pause. It prints "ready" when they are there, and ends with
// none of them after a minute.
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void try(const char *name)
{
	int fd = open(name, O_RDONLY);

	if (fd >= 0)
		close(fd);
}

static void try_for_ever(const char *name)
{
	alarm(60);
	for (;;)
		try(name);
}

static void make_orphans(void)
{
	alarm(60);
	for (;;) {
		pid_t child = fork();

		if (child == 0) {
			if (fork() == 0)
				usleep(2000);
			_exit(0);
		}
		if (child > 0)
			waitpid(child, NULL, 0);
	}
}

int main(int argc, char **argv)
{
	pid_t stopped, child;

	if (argc < 4)
		return 2;
	alarm(60);
	stopped = fork();
	if (stopped == 0) {
		raise(SIGSTOP);
		_exit(0);
	}
	waitpid(stopped, NULL, WUNTRACED);
	if (fork() == 0) {
		alarm(60);
		open(argv[1], O_RDONLY);
		pause();
		_exit(0);
	}
	if (fork() == 0)
		try_for_ever(argv[2]);
	child = fork();
	if (child == 0) {
		setsid();
		if (fork() == 0)
			try_for_ever(argv[2]);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	if (fork() == 0)
		make_orphans();
	if (write(1, "ready\n", 6) != 6)
		return 1;
	try_for_ever(argv[3]);
}
