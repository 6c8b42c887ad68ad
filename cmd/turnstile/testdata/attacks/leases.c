// Leases and locks on a file that was opened: whoever else had it open must be gone, and
// closing it must not take them away. argv: a directory with the files file and locked.
#include "attack.h"
#include <sys/file.h>
#include <sys/wait.h>

int main(int argc, char **argv)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET }, asked;
	int fd, read_fd, n = 0, status;

	MUST(chdir(argv[1]));
	// Nobody else may have the file open.
	for (int i = 0; i < 200; i++) {
		fd = MUST(open("file", O_RDWR));
		n += !fcntl(fd, F_SETLEASE, F_WRLCK);
		fcntl(fd, F_SETLEASE, F_UNLCK);
		close(fd);
	}
	count("write_leases", n);
	n = 0;
	for (int i = 0; i < 200; i++) {
		fd = MUST(open("file", O_RDONLY));
		n += !fcntl(fd, F_SETLEASE, F_RDLCK);
		fcntl(fd, F_SETLEASE, F_UNLCK);
		close(fd);
	}
	count("read_leases", n);

	// A lease breaks when the file is opened in another way.
	read_fd = MUST(open("file", O_RDONLY));
	signal(SIGIO, SIG_IGN);
	MUST(fcntl(read_fd, F_SETLEASE, F_RDLCK));
	opened("breaks", open("file", O_WRONLY | O_NONBLOCK));
	MUST(fcntl(read_fd, F_SETLEASE, F_UNLCK));
	opened("broken", open("file", O_WRONLY | O_NONBLOCK));

	// Posix locks go when the process closes any descriptor of the file. Who opened it
	// on behalf of another process is not this one.
	fd = MUST(open("locked", O_RDWR));
	MUST(fcntl(fd, F_SETLK, &whole));
	if (!fork()) {
		int other = MUST(open("locked", O_RDWR));

		for (int i = 0; i < 100; i++)
			close(MUST(open("locked", O_RDWR)));
		asked = whole;
		MUST(fcntl(other, F_GETLK, &asked));
		printf("held_by_parent %d\n", asked.l_type == F_WRLCK && asked.l_pid == getppid());
		tell("taken", fcntl(other, F_SETLK, &whole));
		exit(0);
	}
	wait(&status);
	tell("flock", flock(fd, LOCK_EX | LOCK_NB));
	tell("flock_other", flock(MUST(open("locked", O_RDWR)), LOCK_EX | LOCK_NB));
	return 0;
}
