// A thread other than the first makes 500 getppid and executes the program again,
// which makes 500 more.
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

static char *again[] = { NULL, "again", NULL };

static void work(void)
{
	for (int i = 0; i < 500; i++)
		syscall(SYS_getppid);
}

static void *replace(void *arg)
{
	work();
	execv(again[0], again);
	_exit(1);
}

int main(int argc, char **argv)
{
	pthread_t thread;

	if (argc > 1) {
		work();
		return 0;
	}
	again[0] = argv[0];
	if (pthread_create(&thread, NULL, replace, NULL))
		return 1;
	for (;;)
		pause();
}
