/* SPDX-License-Identifier: MIT */
/*
 * loop CALL CALLS REPETITIONS FILE: makes a cheap system call in a tight loop and
 * writes to FILE what it measured of itself, in nanoseconds: a call in the best
 * repetition, all repetitions together, and its CPU time. "message" is two calls:
 * a byte is sent through a pair of sockets, and received. One call more is made before,
 * to see that it works.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char *self;
static int zero, null, sockets[2];
static char byte;

static int read_zero(void)
{
	return read(zero, &byte, 1);
}

static int write_null(void)
{
	return write(null, &byte, 1);
}

static int stat_self(void)
{
	struct stat s;

	return stat(self, &s);
}

static int message(void)
{
	struct iovec io = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1 };

	return sendmsg(sockets[0], &m, 0) == 1 ? recv(sockets[1], &byte, 1, 0) : -1;
}

static const struct {
	const char *name;
	int (*call)(void);
} known[] = {
	{ "getppid", getppid },  { "getpgrp", getpgrp }, { "read", read_zero },
	{ "write", write_null }, { "stat", stat_self },  { "message", message },
};

static double now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

int main(int argc, char **argv)
{
	double best = 0, total = 0;
	int (*call)(void) = NULL;
	long calls, repetitions;
	FILE *f;

	if (argc != 5)
		return 2;
	self = argv[0];
	zero = open("/dev/zero", O_RDONLY);
	null = open("/dev/null", O_WRONLY);
	if (zero < 0 || null < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, sockets))
		return 1;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (!strcmp(argv[1], known[i].name))
			call = known[i].call;
	if (!call || call() < 0)
		return 2;
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
