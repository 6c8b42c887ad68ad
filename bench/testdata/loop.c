/* SPDX-License-Identifier: MIT */
/*
 * loop getppid|getpgrp CALLS REPETITIONS FILE: makes a cheap system call in a tight
 * loop and writes to FILE what it measured of itself, in nanoseconds: a call in the
 * best repetition, all repetitions together, and its CPU time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

int main(int argc, char **argv)
{
	double best = 0, total = 0;
	long calls, repetitions;
	int (*call)(void);
	FILE *f;

	if (argc != 5)
		return 2;
	call = strcmp(argv[1], "getppid") ? getpgrp : getppid;
	calls = atol(argv[2]);
	repetitions = atol(argv[3]);
	for (long r = 0; r < repetitions; r++) {
		double begin = now(CLOCK_MONOTONIC), took;

		for (long i = 0; i < calls; i++)
			call();
		took = now(CLOCK_MONOTONIC) - begin;
		total += took;
		if (!r || took < best)
			best = took;
	}
	f = fopen(argv[4], "w");
	if (!f)
		return 1;
	fprintf(f, "%.3f %.0f %.0f\n", best / calls, total, now(CLOCK_PROCESS_CPUTIME_ID));
	return fclose(f) ? 1 : 0;
}
