// Seven threads, the first one among them, execute this program at the same time, argv[1]
// times one after the other. Who is the first to do so ends the others. It ends with 0.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"

enum { threads = 7 };

static char *self, left[16];
static pthread_barrier_t together;

static void *again(void *unused)
{
	char *const argv[] = { self, left, NULL };

	(void)unused;
	pthread_barrier_wait(&together);
	execv(self, argv);
	perror("execv");
	exit(1);
}

int main(int argc, char **argv)
{
	int times = argc > 1 ? atoi(argv[1]) : 0;
	pthread_t thread;

	if (times == 0)
		return 0;
	self = argv[0];
	snprintf(left, sizeof(left), "%d", times - 1);
	OK(-pthread_barrier_init(&together, NULL, threads));
	for (int i = 1; i < threads; i++)
		OK(-pthread_create(&thread, NULL, again, NULL));
	again(NULL);
}
