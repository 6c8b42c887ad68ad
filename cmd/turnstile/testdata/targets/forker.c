// Forks children without pause; each makes three getppid. From the beginning there
// are a thread and a child, which wait. Commands are letters on stdin:
//   m  print the pids of the next 300 children, and then do nothing but wait
//   g  fork again
//   w  let the thread and the child make 100 getppid each, and end
//   q  end
// With an argument the first thread exits, and another one does the work.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int thread_pipe[2], child_pipe[2];

static void work(int n)
{
	for (int i = 0; i < n; i++)
		syscall(SYS_getppid);
}

static void *waiting_thread(void *arg)
{
	char c;

	if (read(thread_pipe[0], &c, 1) == 1)
		work(100);
	return arg;
}

static void waiting_child(void)
{
	char c;

	close(child_pipe[1]);
	if (read(child_pipe[0], &c, 1) == 1)
		work(100);
	_exit(0);
}

static pid_t fork_one(void)
{
	pid_t child = fork();

	if (child == 0) {
		work(3);
		_exit(0);
	}
	if (child < 0)
		exit(1);
	return child;
}

static void *run(void *arg)
{
	struct pollfd in = { .fd = 0, .events = POLLIN };
	pthread_t thread;
	pid_t old;
	int marked = 0, resting = 0;
	char c;

	if (pipe(thread_pipe) || pipe(child_pipe))
		exit(1);
	if (pthread_create(&thread, NULL, waiting_thread, NULL))
		exit(1);
	old = fork();
	if (old == 0)
		waiting_child();
	dprintf(1, "ready %d\n", old);
	for (;;) {
		if (poll(&in, 1, resting ? -1 : 0) > 0) {
			if (read(0, &c, 1) != 1)
				c = 'q';
			switch (c) {
			case 'm':
				marked = 300;
				break;
			case 'g':
				resting = 0;
				break;
			case 'w':
				if (write(thread_pipe[1], "w", 1) != 1 || write(child_pipe[1], "w", 1) != 1)
					exit(1);
				pthread_join(thread, NULL);
				waitpid(old, NULL, 0);
				dprintf(1, "worked\n");
				break;
			case 'q':
				exit(0);
			}
			continue;
		}
		pid_t child = fork_one();

		waitpid(child, NULL, 0);
		if (marked) {
			dprintf(1, "child %d\n", child);
			if (--marked == 0) {
				dprintf(1, "enough\n");
				resting = 1;
			}
		}
	}
	return arg;
}

int main(int argc, char **argv)
{
	pthread_t thread;

	if (argc == 1)
		run(NULL);
	if (pthread_create(&thread, NULL, run, NULL))
		return 1;
	syscall(SYS_exit, 0);
	return 1;
}
