/* SPDX-License-Identifier: MIT */
/* started FILE: true(1) that notes in FILE when it got to main, in nanoseconds
 * since boot. */
#include <stdio.h>
#include <time.h>

int main(int argc, char **argv)
{
	struct timespec t;
	FILE *f;

	clock_gettime(CLOCK_BOOTTIME, &t);
	if (argc != 2 || !(f = fopen(argv[1], "w")))
		return 1;
	fprintf(f, "%lld\n", t.tv_sec * 1000000000ll + t.tv_nsec);
	return fclose(f) ? 1 : 0;
}
