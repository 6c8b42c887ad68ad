// Opens named pipes, which waits for the other end, in the directory argv[1]. With argv[2]
// that many processes wait at once, and nothing else is tried.
#include "attack.h"
#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>

static volatile int *handled; // shared with the children

static void on_signal(int number)
{
	*handled = number;
}

// other_end is a process that opens the pipe and writes or reads one byte.
static int other_end(const char *path, int flags)
{
	int pid = MUST(fork()), fd;
	char c = 'x';

	if (pid)
		return pid;
	fd = open(path, flags);
	if (fd < 0)
		_exit(1);
	if (flags == O_RDONLY)
		_exit(read(fd, &c, 1) != 1);
	_exit(write(fd, &c, 1) != 1);
}

static int status_of(int pid)
{
	int status;

	MUST(waitpid(pid, &status, 0));
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

// blocked waits until a process waits in the kernel for the other end, or for who
// performs the call.
static void blocked(int pid)
{
	char line[512];
	int fd, n;

	do {
		fd = MUST(open(format("/proc/%d/stat", pid), O_RDONLY));
		n = read(fd, line, sizeof(line) - 1);
		line[n > 0 ? n : 0] = 0;
		close(fd);
	} while (!strstr(line, ") S") && !strstr(line, ") D"));
}

static void both_directions(const char *fifo)
{
	char c = 0;
	int fd, pid = other_end(fifo, O_WRONLY);

	fd = MUST(open(fifo, O_RDONLY));
	printf("read %zd\n", read(fd, &c, 1));
	printf("writer %d\n", status_of(pid));
	printf("end %zd\n", read(fd, &c, 1));
	close(fd);
	pid = other_end(fifo, O_RDONLY);
	fd = MUST(open(fifo, O_WRONLY));
	printf("write %zd\n", write(fd, "y", 1));
	printf("reader %d\n", status_of(pid));
	// Nobody reads any more.
	signal(SIGPIPE, SIG_IGN);
	tell("nobody_reads", write(fd, "y", 1));
	close(fd);
	fflush(stdout);
}

static void without_waiting(const char *fifo)
{
	int r, w;
	char c;

	opened("write_nonblock", open(fifo, O_WRONLY | O_NONBLOCK));
	opened("both_nonblock", open(fifo, O_RDWR | O_NONBLOCK));
	opened("both", open(fifo, O_RDWR));
	opened("path", open(fifo, O_PATH));
	opened("directory", open(fifo, O_RDONLY | O_DIRECTORY));
	opened("exclusive", open(fifo, O_WRONLY | O_CREAT | O_EXCL, 0600));
	r = open(fifo, O_RDONLY | O_NONBLOCK);
	tell("read_nonblock", r);
	printf("empty %zd\n", read(r, &c, 1));
	w = open(fifo, O_WRONLY | O_NONBLOCK);
	tell("write_nonblock_then", w);
	printf("flags %x %x\n", fcntl(r, F_GETFL), fcntl(w, F_GETFL));
	MUST(write(w, "z", 1));
	printf("full %zd\n", read(r, &c, 1));
	fflush(stdout);
	close(r);
	close(w);
}

static void killed(const char *fifo)
{
	struct sigaction act = { .sa_handler = on_signal };
	int pid, fd;

	pid = other_end(fifo, O_RDONLY);
	blocked(pid);
	MUST(kill(pid, SIGKILL));
	printf("killed %d\n", status_of(pid));
	fflush(stdout);
	// Nobody waits on behalf of who is gone: there is no reader.
	opened("after_killed", open(fifo, O_WRONLY | O_NONBLOCK));
	pid = other_end(fifo, O_WRONLY);
	blocked(pid);
	MUST(kill(pid, SIGTERM));
	printf("terminated %d\n", status_of(pid));
	fflush(stdout);
	fd = open(fifo, O_RDONLY | O_NONBLOCK);
	close(fd);

	// A handler interrupts the open, without SA_RESTART. It is sent again and again,
	// because nobody knows when the call has begun.
	sigaction(SIGUSR1, &act, NULL);
	pid = getpid();
	int child = fork();

	if (!child)
		for (;;) {
			kill(pid, SIGUSR1);
			poll(NULL, 0, 1);
		}
	opened("interrupted", open(fifo, O_RDONLY));
	MUST(kill(child, SIGKILL));
	status_of(child);
	printf("handled %d\n", *handled == SIGUSR1);

	// With SA_RESTART it goes on until there is a writer.
	act.sa_flags = SA_RESTART;
	sigaction(SIGUSR1, &act, NULL);
	*handled = 0;
	child = fork();
	if (!child) {
		while (!kill(pid, SIGUSR1) && poll(NULL, 0, 1) == 0)
			;
		_exit(0);
	}
	int writer = fork();

	if (!writer) {
		while (!*handled)
			sched_yield();
		fd = open(fifo, O_WRONLY);
		_exit(fd < 0);
	}
	opened("restarted", open(fifo, O_RDONLY));
	MUST(kill(child, SIGKILL));
	status_of(child);
	printf("restarted_writer %d handled %d\n", status_of(writer), *handled == SIGUSR1);
	fflush(stdout);
}

// Many who wait do not keep others from anything.
static void crowd(const char *fifo, int n)
{
	int *waits = calloc(n, sizeof(*waits)), fd, ok = 0;

	for (int i = 0; i < n; i++)
		waits[i] = other_end(fifo, O_WRONLY);
	for (int i = 0; i < n; i++)
		blocked(waits[i]);
	opened("beside_crowd", open("/dev/null", O_RDONLY));
	MUST(mkdir("beside", 0700));
	MUST(rmdir("beside"));
	fd = MUST(open(fifo, O_RDONLY));
	for (int i = 0; i < n; i++)
		ok += !status_of(waits[i]);
	close(fd);
	count("crowd", ok);
}

int main(int argc, char **argv)
{
	MUST(chdir(argv[1]));
	handled = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	MUST(mkfifo("fifo", 0600));
	if (argc > 2) {
		crowd("fifo", atoi(argv[2]));
		return 0;
	}
	both_directions("fifo");
	without_waiting("fifo");
	killed("fifo");
	crowd("fifo", 100);
	MUST(symlink("fifo", "link"));
	both_directions("link");
	return 0;
}
