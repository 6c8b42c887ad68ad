// Opens its own descriptors by their names. argv: a directory with the files public and
// locked, of which locked may be read and not written.
#include "attack.h"
#include <sys/mman.h>
#include <sys/socket.h>

static char *dir;

static int by_name(const char *form, int fd, int flags)
{
	return open(format(form, fd), flags);
}

// through opens a descriptor in all ways that there are and demands the same file.
static void through(const char *what, int fd, int flags)
{
	static const char *const forms[] = { "/dev/fd/%d", "/proc/self/fd/%d",
					     "/proc/thread-self/fd/%d" };
	struct stat a, b;

	MUST(fstat(fd, &a));
	for (int i = 0; i < 3; i++) {
		int other = by_name(forms[i], fd, flags);

		if (other >= 0 &&
		    (fstat(other, &b) || a.st_dev != b.st_dev || a.st_ino != b.st_ino))
			printf("%s_%d another file\n", what, i);
		else
			opened(format("%s_%d", what, i), other);
	}
	opened(format("%s_pid", what), open(format("/proc/%d/fd/%d", getpid(), fd), flags));
}

static void carries(const char *what, int from)
{
	char c = 0;
	ssize_t n = read(from, &c, 1);

	printf("%s %zd%c\n", what, n, n > 0 ? c : ' ');
	fflush(stdout);
}

static void pipes(void)
{
	int p[2], again, screen;

	MUST(pipe(p));
	through("pipe_read", p[0], O_RDONLY | O_NONBLOCK);
	through("pipe_write", p[1], O_WRONLY);
	through("pipe_turned", p[0], O_WRONLY);
	again = by_name("/dev/fd/%d", p[1], O_WRONLY);
	if (again >= 0)
		MUST(write(again, "x", 1));
	carries("pipe_carries", p[0]);
	// The end comes when the last writer has closed.
	close(again);
	close(p[1]);
	carries("pipe_ends", p[0]);

	MUST(pipe(p));
	MUST(dup2(p[0], 0));
	MUST(dup2(p[1], 9));
	opened("stdin", open("/dev/stdin", O_RDONLY));
	opened("stdin_proc", open("/proc/self/fd/0", O_RDONLY));
	MUST(write(9, "z", 1));
	carries("stdin_carries", open("/dev/stdin", O_RDONLY));
	screen = dup(1);
	MUST(dup2(9, 1));
	again = open("/dev/stdout", O_WRONLY);
	MUST(dup2(screen, 1));
	tell("stdout", again);
	if (again >= 0)
		MUST(write(again, "w", 1));
	carries("stdout_carries", 0);
}

static void without_names(void)
{
	int memory = MUST(memfd_create("memory", MFD_ALLOW_SEALING)), sealed, gone, s[2];
	char *name = format("%s/gone", dir);

	through("memory", memory, O_RDWR);
	sealed = memfd_create("sealed", MFD_ALLOW_SEALING);
	MUST(fcntl(sealed, F_ADD_SEALS, F_SEAL_WRITE));
	through("sealed", sealed, O_RDONLY);

	fill(name, "P");
	gone = MUST(open(name, O_RDWR));
	MUST(unlink(name));
	through("deleted", gone, O_RDWR);
	fill(name, "another");
	through("deleted_and_made_again", gone, O_RDONLY);
	MUST(unlink(name));

	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	through("socket", s[0], O_RDWR);
	through("not_open", memory, O_RDONLY);
	opened("closed", by_name("/proc/self/fd/%d", 777, O_RDONLY));
	opened("no_number", open("/proc/self/fd/x", O_RDONLY));
}

static void locked(void)
{
	int fd = MUST(open(format("%s/locked", dir), O_RDONLY));
	int path = tell("path", open(format("%s/locked", dir), O_PATH));

	through("locked_read", fd, O_RDONLY);
	through("locked_write", fd, O_WRONLY);
	through("locked_both", fd, O_RDWR);
	through("locked_truncate", fd, O_RDONLY | O_TRUNC);
	tell("locked_truncate_path", truncate(format("/proc/self/fd/%d", fd), 1));
	opened("locked_empty_openat", openat(fd, "", O_WRONLY));
	if (path < 0)
		return;
	through("locked_append", path, O_WRONLY | O_APPEND);
	through("path_read", path, O_RDONLY);
}

int main(int argc, char **argv)
{
	dir = argv[1];
	pipes();
	without_names();
	locked();
	opened("innocent", open(format("%s/public", dir), O_RDWR));
	return 0;
}
