// Starts and joins a thread, then makes 1,000 getppid and 1,000 sched_yield.
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

static void *nothing(void *arg)
{
	return arg;
}

int main(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, nothing, NULL))
		return 1;
	pthread_join(thread, NULL);
	for (int i = 0; i < 1000; i++) {
		syscall(SYS_getppid);
		syscall(SYS_sched_yield);
	}
	return 0;
}
