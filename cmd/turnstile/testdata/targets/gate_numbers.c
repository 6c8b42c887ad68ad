// Four threads, each with descriptors of its own, make argv[1] opens in all of the files
// named behind that. Each open has to return the lowest number that is free, and lead to
// the file that was asked for. It prints how many did not.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	THREADS = 4,
	MOST = 48
};

static int files, opens, wrong;
static char **names;
static struct stat known[64];

static void complain(const char *what, int got, int want)
{
	if (__atomic_add_fetch(&wrong, 1, __ATOMIC_SEQ_CST) <= 10)
		fprintf(stderr, "%s: %d, want %d\n", what, got, want);
}

static int lowest(const char *taken)
{
	int n = 0;

	while (taken[n])
		n++;
	return n;
}

static void *run(void *arg)
{
	unsigned int seed = (long)arg + 1;
	char taken[MOST + 1] = { 0 };
	struct stat st;

	if (unshare(CLONE_FILES)) {
		perror("unshare");
		exit(1);
	}
	for (int n = 0; n < MOST; n++)
		taken[n] = fcntl(n, F_GETFD) >= 0;
	for (int i = 0; i < opens / THREADS; i++) {
		int file = rand_r(&seed) % files, want = lowest(taken);
		int fd = open(names[file], rand_r(&seed) % 2 ? O_RDONLY | O_CLOEXEC : O_RDWR);

		if (fd < 0) {
			complain(strerror(errno), fd, want);
			continue;
		}
		if (fd != want)
			complain("number", fd, want);
		if (fstat(fd, &st) || st.st_ino != known[file].st_ino ||
		    st.st_dev != known[file].st_dev)
			complain("inode", st.st_ino, known[file].st_ino);
		if (fd >= MOST)
			continue;
		taken[fd] = 1;
		// Some are closed, not in their order, so that there are gaps.
		for (int n = 3; n < MOST; n++) {
			if (taken[n] && (want > MOST - 4 || rand_r(&seed) % 8 == 0)) {
				taken[n] = 0;
				if (close(n))
					complain("close", n, 0);
			}
		}
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread[THREADS];

	opens = atoi(argv[1]);
	names = argv + 2;
	files = argc - 2;
	for (int i = 0; i < files; i++) {
		if (stat(names[i], &known[i])) {
			perror(names[i]);
			return 1;
		}
	}
	for (long i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, run, (void *)i);
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	printf("wrong %d\n", wrong);
	return wrong != 0;
}
