// A thread waits at the pipe argv[2] when a signal comes that has a handler. argv[1] says
// which thread, and whether the handler restarts calls:
//   eintr    the only thread, no SA_RESTART: the open fails with EINTR
//   restart  the only thread, SA_RESTART: twenty handlers run, the open goes on, and works
//            when somebody opens the other end
//   threads  the same, and a second thread waits at the pipe argv[3] all the time
//   other    a thread waits that blocks the signal, and the first one gets it: nothing
//            happens to the open
//   kill     SIGKILL ends who waits
// It prints what came of it.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int handled[2];
static volatile pid_t thread_id;

static void handler(int sig)
{
	int saved = errno;

	(void)sig;
	if (write(handled[1], "h", 1) != 1)
		_exit(9);
	errno = saved;
}

static void *wait_at(void *name)
{
	if (open(name, O_RDONLY) < 0)
		dprintf(1, "another thread: %m\n");
	return NULL;
}

static void *open_and_say(void *name)
{
	int fd;

	thread_id = syscall(SYS_gettid);
	fd = open(name, O_RDONLY);

	if (fd < 0)
		dprintf(1, "%s\n", strerrorname_np(errno) ?: "unknown");
	else
		dprintf(1, "opened\n");
	_exit(0);
}

// Waits until a thread is in openat(2).
static void await_open(pid_t pid)
{
	char name[64], want[16], text[16] = "";

	snprintf(name, sizeof(name), "/proc/%d/syscall", pid);
	snprintf(want, sizeof(want), "%d ", SYS_openat);
	while (strncmp(text, want, strlen(want))) {
		int fd = open(name, O_RDONLY);

		if (fd < 0 || read(fd, text, sizeof(text)) < 0)
			_exit(8);
		close(fd);
		sched_yield();
	}
}

static void child(const char *mode, char **argv)
{
	struct sigaction action = { .sa_handler = handler };
	pthread_t thread;
	sigset_t set;

	if (strcmp(mode, "eintr"))
		action.sa_flags = SA_RESTART;
	if (sigaction(SIGUSR1, &action, NULL))
		exit(1);
	if (!strcmp(mode, "threads"))
		pthread_create(&thread, NULL, wait_at, argv[3]);
	if (!strcmp(mode, "other")) {
		sigemptyset(&set);
		sigaddset(&set, SIGUSR1);
		sigprocmask(SIG_BLOCK, &set, NULL);
		pthread_create(&thread, NULL, open_and_say, argv[2]);
		while (!thread_id)
			sched_yield();
		await_open(thread_id);
		if (sigprocmask(SIG_UNBLOCK, &set, NULL) || write(handled[1], "r", 1) != 1)
			exit(1);
		for (;;)
			pause();
	}
	open_and_say(argv[2]);
}

int main(int argc, char **argv)
{
	const char *mode = argv[1];
	pid_t waiter;
	int status;
	char c;

	if (argc < 4 || pipe(handled))
		return 2;
	waiter = fork();
	if (waiter == 0)
		child(mode, argv);
	close(handled[1]); // who has ended gives an end of file
	if (strcmp(mode, "other"))
		await_open(waiter);
	else if (read(handled[0], &c, 1) != 1)
		return 1;
	if (!strcmp(mode, "eintr")) {
		kill(waiter, SIGUSR1);
		waitpid(waiter, &status, 0);
		return status != 0;
	}
	if (!strcmp(mode, "kill")) {
		kill(waiter, SIGKILL);
		waitpid(waiter, &status, 0);
		dprintf(1, "signal %d\n", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
		return 0;
	}
	for (int i = 0; i < 20; i++) {
		kill(waiter, SIGUSR1);
		if (read(handled[0], &c, 1) != 1)
			return 1; // it has ended, and has said why
	}
	if (open(argv[2], O_WRONLY) < 0) {
		perror(argv[2]);
		return 1;
	}
	waitpid(waiter, &status, 0);
	return status != 0;
}
