// Opens terminals: with the one that it was started with or without any, and with a new
// one of its own.
#include "attack.h"
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>

// controls says whether the process has a controlling terminal, as the kernel sees it.
static int controls(void)
{
	char line[512] = "";
	int fd = MUST(open("/proc/self/stat", O_RDONLY)), number;

	MUST(read(fd, line, sizeof(line) - 1));
	close(fd);
	sscanf(strrchr(line, ')'), ") %*c %*d %*d %*d %d", &number);
	return number != 0;
}

static void state(const char *when)
{
	int fd = open("/dev/tty", O_RDWR);

	tell(format("%s_dev_tty", when), fd);
	printf("%s_controls %d\n", when, controls());
	fflush(stdout);
	close(fd);
}

// same says whether what /dev/tty leads to is this terminal: what is written there comes
// out at the other end.
static void same(const char *when, int master)
{
	char c[16] = "";
	int fd = open("/dev/tty", O_RDWR | O_NOCTTY);

	if (fd < 0 || write(fd, "!", 1) != 1) {
		tell(when, -1);
		return;
	}
	close(fd);
	MUST(read(master, c, sizeof(c)));
	printf("%s %d\n", when, *c == '!');
	fflush(stdout);
}

static void child(void)
{
	int master, slave, other;
	char *name;

	MUST(setsid());
	state("new_session");
	master = MUST(posix_openpt(O_RDWR | O_NOCTTY));
	MUST(grantpt(master));
	MUST(unlockpt(master));
	name = strdup(ptsname(master));
	slave = MUST(open(name, O_RDWR | O_NOCTTY));
	state("opened_without_taking");
	close(slave);
	// Opening without O_NOCTTY takes the terminal.
	slave = MUST(open(name, O_RDWR));
	printf("took_by_open %d\n", controls());
	if (!controls())
		MUST(ioctl(slave, TIOCSCTTY, 0));
	state("taken");
	same("it_is_this_one", master);
	opened("name_of_it", open(name, O_RDWR));
	other = MUST(open("/dev/ptmx", O_RDWR));
	MUST(unlockpt(other));
	opened("another", open(ptsname(other), O_RDWR));
	same("still_this_one", master);
	opened("console", open("/dev/tty", O_RDONLY | O_NONBLOCK));
	// Without a session leader there is none.
	signal(SIGHUP, SIG_IGN);
	MUST(ioctl(slave, TIOCNOTTY, 0));
	state("given_up");
	exit(0);
}

int main(void)
{
	int status;

	state("at_start");
	fflush(stdout);
	if (!fork())
		child();
	wait(&status);
	printf("child %d\n", status);
	state("afterwards");
	return 0;
}
