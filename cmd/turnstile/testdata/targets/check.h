// What a target demands of its own calls: that they do what the test expects.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static void check(long ret, int want, const char *what)
{
	if (want ? ret >= 0 || errno != want : ret < 0) {
		fprintf(stderr, "%s: %ld (%m)\n", what, ret);
		exit(1);
	}
}
#define OK(call) check(call, 0, #call)
#define FAILS(err, call) check(call, err, #call)
