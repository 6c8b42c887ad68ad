// Blocks argv[2] threads, each in an open of a pipe argv[1] of its own making: the
// directory argv[1] gets that many. When all threads are about to open, it opens argv[3],
// which blocks nobody, prints how many milliseconds that took, and waits to be killed.
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char *dir;
static int started;

static void *block(void *arg)
{
	char name[4096];
	int fd;

	snprintf(name, sizeof(name), "%s/%ld", dir, (long)arg);
	__atomic_add_fetch(&started, 1, __ATOMIC_SEQ_CST);
	fd = open(name, O_RDONLY);
	printf("open of pipe %ld: %d %m\n", (long)arg, fd);
	fflush(stdout);
	return NULL;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

int main(int argc, char **argv)
{
	pthread_attr_t attr;
	int n, fd;
	double start;

	if (argc < 4)
		return 2;
	dir = argv[1];
	n = atoi(argv[2]);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 32768);
	for (long i = 0; i < n; i++) {
		pthread_t thread;
		char name[4096];

		snprintf(name, sizeof(name), "%s/%ld", dir, i);
		if (mkfifo(name, 0600)) {
			perror(name);
			return 1;
		}
		if (pthread_create(&thread, &attr, block, (void *)i)) {
			perror("pthread_create");
			return 1;
		}
	}
	while (__atomic_load_n(&started, __ATOMIC_SEQ_CST) < n)
		usleep(1000);
	start = now();
	fd = open(argv[3], O_RDONLY);
	if (fd < 0) {
		perror(argv[3]);
		return 1;
	}
	printf("opened after %.1f ms\n", now() - start);
	fflush(stdout);
	for (;;)
		pause();
}
