// The first thread exits with 3. Another one waits for that, makes 1,000 getppid
// and 1,000 sched_yield, and exits with 9: with the argument "group" by exit_group,
// else as a thread. Which status that gives depends on the kernel.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

// The state of the first thread is that of the process.
static int leader_is_gone(void)
{
	char state = 0;
	FILE *f = fopen("/proc/self/stat", "r");

	if (!f || fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
		_exit(1);
	fclose(f);
	return state == 'Z';
}

static void *survive(void *arg)
{
	while (!leader_is_gone())
		usleep(1000);
	for (int i = 0; i < 1000; i++) {
		syscall(SYS_getppid);
		syscall(SYS_sched_yield);
	}
	syscall(arg ? SYS_exit_group : SYS_exit, 9);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, survive, argc > 1 ? argv[1] : NULL))
		return 1;
	syscall(SYS_exit, 3);
	return 1;
}
