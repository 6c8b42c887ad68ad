// Four threads open /dev/null argv[2] times each, and now and then the pipe argv[1], where
// the next thread is on the other end, while another process sends signals without pause,
// to the process and to its threads. It prints how many opens failed and how: the handler
// restarts calls, so only those of a pipe may be interrupted, and nothing else may happen.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *fifo;
static int opens, bad, interrupted, done;
static pid_t threads[4];

static void handler(int sig)
{
	(void)sig;
}

static void note(const char *name)
{
	int err = errno;

	if (err == EINTR && name == fifo) {
		__atomic_add_fetch(&interrupted, 1, __ATOMIC_SEQ_CST);
		return;
	}
	if (__atomic_add_fetch(&bad, 1, __ATOMIC_SEQ_CST) <= 10)
		printf("%s: errno %d\n", name, err);
}

static void *run(void *arg)
{
	long index = (long)arg;

	threads[index] = syscall(SYS_gettid);
	for (int i = 0; i < opens; i++) {
		int fd = open("/dev/null", O_RDONLY);

		if (fd < 0)
			note("/dev/null");
		else
			close(fd);
		if (i % 64)
			continue;
		// Readers and writers go by their number, so that there are both.
		fd = open(fifo, index % 2 ? O_RDONLY : O_WRONLY);
		if (fd < 0)
			note(fifo);
		else
			close(fd);
	}
	__atomic_add_fetch(&done, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

// Whoever is left without another end gets one.
static void *let_go(void *arg)
{
	while (__atomic_load_n(&done, __ATOMIC_SEQ_CST) < 4) {
		int r = open(fifo, O_RDONLY | O_NONBLOCK), w = open(fifo, O_WRONLY | O_NONBLOCK);

		usleep(50000);
		if (r >= 0)
			close(r);
		if (w >= 0)
			close(w);
	}
	return arg;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };
	pthread_t thread[5];
	pid_t sender, self = getpid();

	if (argc < 3)
		return 2;
	fifo = argv[1];
	opens = atoi(argv[2]);
	if (sigaction(SIGUSR1, &action, NULL))
		return 1;
	for (long i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, run, (void *)i);
	pthread_create(&thread[4], NULL, let_go, NULL);
	sender = fork();
	if (sender == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (int i = 0; !kill(self, SIGUSR1); i++) {
			syscall(SYS_tgkill, self, threads[i % 4], SIGUSR1);
			usleep(200);
		}
		_exit(0);
	}
	for (int i = 0; i < 5; i++)
		pthread_join(thread[i], NULL);
	kill(sender, SIGKILL);
	waitpid(sender, NULL, 0);
	printf("bad %d\ninterrupted %d\n", bad, interrupted);
	return bad != 0;
}
