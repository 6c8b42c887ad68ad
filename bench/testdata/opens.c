/* SPDX-License-Identifier: MIT */
/*
 * opens FILE PATH ERRNO THREADS CALLS: opens PATH for reading and closes it again,
 * CALLS times in each of THREADS threads, and times every pair by itself. Each open
 * has to end with ERRNO, 0 where it has to succeed. It writes to FILE, in
 * nanoseconds, the median of all pairs, the 99th percentile and the mean.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static const char *path;
static int expected, threads;
static long calls;
static pthread_barrier_t start;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* once opens and closes, and returns the descriptor that it had, or -1. A single
 * thread has to get the same one each time: 0 is what a call returns whose answer
 * got lost on the way. */
static int once(void)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if ((fd < 0 ? errno : 0) != expected || (fd >= 0 && (fd <= 2 || close(fd)))) {
		fprintf(stderr, "opens: %s: descriptor %d, errno %d\n", path, fd, errno);
		exit(1);
	}
	return fd;
}

static void *run(void *samples)
{
	double *took = samples;
	int first = once();

	for (long i = 0; i < 200; i++) /* warms the caches of all who take part */
		once();
	pthread_barrier_wait(&start);
	for (long i = 0; i < calls; i++) {
		double begin = now();
		int fd = once();

		took[i] = now() - begin;
		if (threads == 1 && fd != first) {
			fprintf(stderr, "opens: %s: descriptor %d after %d\n", path, fd, first);
			exit(1);
		}
	}
	return NULL;
}

int main(int argc, char **argv)
{
	double *samples, sum = 0;
	pthread_t *thread;
	long count;
	FILE *f;

	if (argc != 6)
		return 2;
	path = argv[2];
	expected = atoi(argv[3]);
	threads = atoi(argv[4]);
	calls = atol(argv[5]);
	count = threads * calls;
	if (count < 1)
		return 2;
	samples = calloc(count, sizeof(*samples));
	thread = calloc(threads, sizeof(*thread));
	if (!samples || !thread || pthread_barrier_init(&start, NULL, threads))
		return 1;
	for (int i = 0; i < threads; i++)
		if (pthread_create(&thread[i], NULL, run, samples + i * calls))
			return 1;
	for (int i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	qsort(samples, count, sizeof(*samples), by_size);
	for (long i = 0; i < count; i++)
		sum += samples[i];
	f = fopen(argv[1], "w");
	if (!f)
		return 1;
	fprintf(f, "%.0f %.0f %.0f\n", samples[count / 2], samples[count * 99 / 100], sum / count);
	return fclose(f) ? 1 : 0;
}
