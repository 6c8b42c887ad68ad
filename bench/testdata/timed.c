/* SPDX-License-Identifier: MIT */
/*
 * timed FILE COMMAND [ARGUMENT...]: runs a command and writes to FILE, as integers:
 * when it was forked (nanoseconds since boot), the nanoseconds until it had ended,
 * the microseconds of CPU time and the peak memory in KiB of it and of all that it
 * waited for.
 *
 * The harness does not measure this by itself: the peak of a process takes in the
 * memory that it had before exec, which would be that of the harness.
 */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

/* raise_priority puts the command before what else the machine does. Where sessions
 * are scheduled as groups (sched(7), "The autogroup feature") it is the niceness
 * of the group that counts; the harness gives each command a session of its own. */
static void raise_priority(void)
{
	FILE *group = fopen("/proc/self/autogroup", "w");

	if (setpriority(PRIO_PROCESS, 0, -10))
		perror("setpriority");
	if (group) {
		fputs("-10", group);
		fclose(group);
	}
}

static long long microseconds(struct timeval t)
{
	return t.tv_sec * 1000000ll + t.tv_usec;
}

int main(int argc, char **argv)
{
	struct rusage use;
	long long begin, end;
	int status;
	pid_t pid;
	FILE *f;

	if (argc < 3)
		return 2;
	raise_priority();
	begin = now();
	pid = fork();
	if (pid == 0) {
		execvp(argv[2], argv + 2);
		perror(argv[2]);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &use) != pid) {
		perror("timed");
		return 125;
	}
	end = now();
	f = fopen(argv[1], "w");
	if (!f)
		return 125;
	fprintf(f, "%lld %lld %lld %ld\n", begin, end - begin,
		microseconds(use.ru_utime) + microseconds(use.ru_stime), use.ru_maxrss);
	if (fclose(f))
		return 125;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
