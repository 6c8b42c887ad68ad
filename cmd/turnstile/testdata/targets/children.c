// Starts argv[2] children in the way of argv[1]; each makes three getppid and ends.
#define _GNU_SOURCE
#include <linux/sched.h> /* struct clone_args */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define AT_ONCE 50

static void work(void)
{
	for (int i = 0; i < 3; i++)
		syscall(SYS_getppid);
}

static pid_t clone3_fork(void)
{
	struct clone_args args = { .exit_signal = SIGCHLD };

	return syscall(SYS_clone3, &args, sizeof(args));
}

static int shared_memory_child(void *arg)
{
	work();
	return 0;
}

// The quickest way: no memory is copied, and nobody waits for each child.
static void shared_memory(int n)
{
	static char stacks[AT_ONCE][16384] __attribute__((aligned(16)));

	for (int i = 0; i < n; i++) {
		char *top = stacks[i % AT_ONCE] + sizeof(stacks[0]);

		if (clone(shared_memory_child, top, CLONE_VM | SIGCHLD, NULL) < 0)
			exit(1);
		if (i % AT_ONCE == AT_ONCE - 1)
			while (wait(NULL) > 0)
				;
	}
	while (wait(NULL) > 0)
		;
}

static void processes(pid_t (*start)(void), int n)
{
	for (int i = 0; i < n; i++) {
		pid_t child = start();

		if (child == 0) {
			work();
			_exit(0);
		}
		if (child < 0)
			exit(1);
		if (i % AT_ONCE == AT_ONCE - 1)
			while (wait(NULL) > 0)
				;
	}
	while (wait(NULL) > 0)
		;
}

// What returns from the function that called vfork must not be the child.
static void vforked(int n)
{
	for (int i = 0; i < n; i++) {
		pid_t child = vfork();

		if (child == 0) {
			work();
			_exit(0);
		}
		if (child < 0 || waitpid(child, NULL, 0) < 0)
			exit(1);
	}
}

static void *thread(void *arg)
{
	work();
	return arg;
}

static void threads(int n)
{
	pthread_t started[AT_ONCE];

	for (int i = 0; i < n; i++) {
		if (pthread_create(&started[i % AT_ONCE], NULL, thread, NULL))
			exit(1);
		if (i % AT_ONCE == AT_ONCE - 1 || i == n - 1)
			for (int k = 0; k <= i % AT_ONCE; k++)
				pthread_join(started[k], NULL);
	}
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 1;
	int n = atoi(argv[2]);

	if (!strcmp(argv[1], "fork"))
		processes(fork, n);
	else if (!strcmp(argv[1], "clone3"))
		processes(clone3_fork, n);
	else if (!strcmp(argv[1], "vfork"))
		vforked(n);
	else if (!strcmp(argv[1], "shared memory"))
		shared_memory(n);
	else if (!strcmp(argv[1], "threads"))
		threads(n);
	else
		return 1;
	return 0;
}
