// Executes itself again and again, every other time from a thread, and opens a public
// and a secret file between. argv: the times, public, secret, and what came of it so far.
#include "attack.h"

static char **next;

static void *exec_next(void *unused)
{
	execv("/proc/self/exe", next);
	fprintf(stderr, "exec: %m\n");
	exit(1);
	return unused;
}

int main(int argc, char **argv)
{
	int times = atoi(argv[1]);
	int escaped = argc > 4 ? atoi(argv[4]) : 0, innocent = argc > 5 ? atoi(argv[5]) : 0;
	pthread_t t;

	escaped += starts_with(open(argv[3], O_RDONLY)) == 'S';
	innocent += starts_with(open(argv[2], O_RDONLY)) == 'P';
	if (times <= 1) {
		count("escaped", escaped);
		count("innocent", innocent);
		return 0;
	}
	next = (char *[]){ argv[0], format("%d", times - 1), argv[2],
			   argv[3], format("%d", escaped),   format("%d", innocent),
			   NULL };
	if (times % 2)
		exec_next(NULL);
	pthread_create(&t, NULL, exec_next, NULL);
	pthread_join(t, NULL);
	return 1;
}
