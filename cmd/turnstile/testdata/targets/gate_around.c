// Tries what a debugger or a second supervisor would, and prints what came of each.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static void say(const char *what, long ret)
{
	printf("%s %s\n", what, ret < 0 ? strerrorname_np(errno) : "ok");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	char byte, name[64];
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	pid_t child = fork();
	int fd;

	if (child == 0) {
		pause();
		_exit(0);
	}
	say("traceme", ptrace(PTRACE_TRACEME, 0, NULL, NULL));
	say("attach", ptrace(PTRACE_ATTACH, child, NULL, NULL));
	say("seize", ptrace(PTRACE_SEIZE, child, NULL, NULL));
	say("read-child", process_vm_readv(child, &iov, 1, &iov, 1, 0));
	say("read-supervisor", process_vm_readv(getppid(), &iov, 1, &iov, 1, 0));
	snprintf(name, sizeof(name), "/proc/%d/mem", getppid());
	fd = open(name, O_RDONLY);
	say("supervisor-mem", fd);
	snprintf(name, sizeof(name), "/proc/%d/fd/0", getppid());
	fd = open(name, O_RDONLY);
	say("supervisor-fd", fd);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	fd = open(argc > 1 ? argv[1] : "/dev/null", O_RDONLY);
	say("denied", fd);
	return 0;
}
