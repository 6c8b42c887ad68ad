// Opens, makes and removes files while signals arrive. argv: the way, a directory, and
// how often. "children" end all the time, and the handler of SIGCHLD has no SA_RESTART;
// "timer" is a timer of a millisecond, as the Go runtime's, with SA_RESTART. A call that
// was interrupted has done nothing: it is made again, and has to find all as before.
#include "attack.h"
#include <sys/time.h>
#include <sys/wait.h>

static volatile sig_atomic_t seen;

static void on_signal(int number)
{
	int err = errno;

	seen++;
	if (number == SIGCHLD)
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	errno = err;
}

static long calls, interrupted, odd, wrong;

static long judge(long ret, int want)
{
	calls++;
	if (ret < 0 ? errno != want : want)
		odd++;
	return ret;
}

static bool again(long ret)
{
	if (ret >= 0 || errno != EINTR)
		return false;
	interrupted++;
	return true;
}

#define JUDGE(call, want)                   \
	({                                  \
		long ret;                   \
		while (again(ret = (call))) \
			;                   \
		judge(ret, want);           \
	})

static void work(int i)
{
	char *name = format("file%d", i % 5), *other = format("other%d", i % 5);
	struct stat st;
	char c = 0;
	int fd = JUDGE(open(name, O_CREAT | O_EXCL | O_RDWR, 0600), 0), other_fd;

	// The number is that of the file which has just been made, and no other's.
	if (fd < 3 || (other_fd = JUDGE(open(name, O_RDONLY), 0)) < 3) {
		wrong++;
		return;
	}
	MUST(write(fd, "x", 1));
	wrong += read(other_fd, &c, 1) != 1 || c != 'x';
	close(fd);
	close(other_fd);
	JUDGE(open("missing", O_RDONLY), ENOENT);
	JUDGE(rename(name, other), 0);
	JUDGE(stat(other, &st), 0);
	JUDGE(mkdir(name, 0700), 0);
	JUDGE(mkdir(name, 0700), EEXIST);
	JUDGE(rmdir(name), 0);
	JUDGE(chmod(other, 0640), 0);
	JUDGE(unlink(other), 0);
	JUDGE(unlink(other), ENOENT);
	free(name);
	free(other);
}

int main(int argc, char **argv)
{
	struct sigaction act = { .sa_handler = on_signal };
	bool children = !strcmp(argv[1], "children");
	struct itimerval every = { { 0, 1000 }, { 0, 1000 } };
	int parent = getpid(), kids = 0;

	MUST(chdir(argv[2]));
	if (children) {
		// One that ends every time that another call begins.
		sigaction(SIGCHLD, &act, NULL);
	} else {
		act.sa_flags = SA_RESTART;
		sigaction(SIGALRM, &act, NULL);
		sigaction(SIGURG, &act, NULL);
		MUST(setitimer(ITIMER_REAL, &every, NULL));
		kids = fork();
		if (!kids)
			for (;;) {
				kill(parent, SIGURG);
				usleep(500);
			}
	}
	for (int i = 0; i < atoi(argv[3]); i++) {
		if (children && i % 4 == 0) {
			int pid = fork();

			if (!pid)
				_exit(0);
			kids = pid;
		}
		work(i);
	}
	if (!children)
		kill(kids, SIGKILL);
	printf("signals %d\n", seen > 10);
	count("interrupted", interrupted);
	count("odd", odd);
	count("wrong", wrong);
	count("calls", calls);
	return 0;
}
