/*
 * becomes TRIES PATH PROGRAM: a thread opens PATH again and again while the process
 * becomes PROGRAM, to which PATH is allowed. Exits with 0 if an open of the thread
 * succeeded, else with 1.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

struct shared {
	atomic_int won, opens;
};

static struct shared *shared;
static const char *path;

static void *open_it(void *unused)
{
	(void)unused;
	for (;;) {
		if (open(path, O_RDONLY) >= 0)
			atomic_store(&shared->won, 1);
		atomic_fetch_add(&shared->opens, 1);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 2;
	path = argv[2];
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int i = atoi(argv[1]); i > 0 && !atomic_load(&shared->won); i--) {
		atomic_store(&shared->opens, 0);
		pid_t pid = fork();
		if (pid == 0) {
			pthread_t t;
			pthread_create(&t, NULL, open_it, NULL);
			while (atomic_load(&shared->opens) < 1 + i % 5)
				;
			execl(argv[3], argv[3], "-c", ":", (char *)NULL);
			_exit(3);
		}
		waitpid(pid, NULL, 0);
	}
	return !atomic_load(&shared->won);
}
