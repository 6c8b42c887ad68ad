// Makes calls whose arguments decide what they do, with values that TestArguments
// knows. With an argument: that many different commands of ioctl.
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void child(pid_t pid)
{
	if (pid == 0)
		_exit(0);
	if (pid < 0 || waitpid(pid, NULL, __WALL) != pid)
		exit(1);
}

static void clone3(unsigned long long flags)
{
	struct clone_args args = { .flags = flags, .exit_signal = SIGCHLD };

	child(syscall(SYS_clone3, &args, sizeof(args)));
}

int main(int argc, char **argv)
{
	char name[16];

	if (argc > 1) {
		for (int i = 0; i < atoi(argv[1]); i++)
			ioctl(0, 0x7000 + i, 0);
		return 0;
	}
	socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
	socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
	socket(AF_UNIX, SOCK_DGRAM, 0);
	prctl(PR_SET_NAME, "changed");
	prctl(PR_GET_NAME, name);
	prctl(PR_SET_DUMPABLE, 1);
	ioctl(0, TIOCGWINSZ, name); // fails, and counts
	ioctl(0, TIOCOUTQ, name);
	child(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
	child(syscall(SYS_clone, CLONE_FS | SIGCHLD, 0, 0, 0, 0));
	clone3(0);
	clone3(CLONE_FS | CLONE_FILES);
	clone3(CLONE_CLEAR_SIGHAND); // does not fit into 32 bits
	clone3(CLONE_CLEAR_SIGHAND);
	for (int i = 0; i < 100; i++)
		fcntl(0, 5000 + i, 0);
	for (int i = 0; i < 64; i++)
		madvise(NULL, 0, 5000 + i);
	return 0;
}
