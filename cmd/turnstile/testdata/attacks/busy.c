// Writes a program, closes it and executes it at once, argv[2] times, in the directory
// argv[1]. Nobody may still have it open to write then. Other files are opened by a
// thread at the same time.
#include "attack.h"
#include <sys/wait.h>

static void *opens(void *unused)
{
	while (!sibling_ends)
		close(open("/dev/null", O_RDWR));
	return unused;
}

static int copy_self(const char *to)
{
	static char all[4 << 20];
	int in = MUST(open("/proc/self/exe", O_RDONLY)), out;
	ssize_t n = MUST(read(in, all, sizeof(all)));

	out = MUST(open(to, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0755));
	MUST(write(out, all, n) == n ? 0 : -1);
	close(in);
	return close(out);
}

int main(int argc, char **argv)
{
	int ran = 0, busy = 0, odd = 0, ends = 0, times;

	if (argc < 3)
		return 0;
	times = atoi(argv[2]);
	MUST(chdir(argv[1]));
	start_sibling(opens, NULL);
	for (int i = 0; i < times; i++) {
		char *name = format("program%d", i % 3);
		int status, pid;

		unlink(name);
		copy_self(name);
		pid = vfork();
		if (!pid) {
			execl(name, name, NULL);
			_exit(errno == ETXTBSY ? 100 : 101);
		}
		MUST(waitpid(pid, &status, 0));
		ran += status == 0;
		busy += WEXITSTATUS(status) == 100;
		odd += WEXITSTATUS(status) == 101;
	}
	end_sibling();
	// The end of a named pipe comes when its last writer closes.
	MUST(mkfifo("fifo", 0600));
	for (int i = 0; i < times; i++) {
		int r = MUST(open("fifo", O_RDONLY | O_NONBLOCK));
		int w = MUST(open("fifo", O_WRONLY));
		char c;

		MUST(write(w, "x", 1));
		MUST(read(r, &c, 1));
		close(w);
		ends += read(r, &c, 1) == 0;
		close(r);
	}
	count("ran", ran);
	count("busy", busy);
	count("odd", odd);
	count("ends", ends);
	return 0;
}
