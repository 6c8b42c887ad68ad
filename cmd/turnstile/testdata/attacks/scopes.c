// What reaches processes that are not of the command. argv: the number of a process of the
// same user that runs, and the name of an abstract socket that listens.
#include "attack.h"

#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

static int reach(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	int ret;

	memcpy(address.sun_path + 1, name, strlen(name));
	ret = connect(fd, (struct sockaddr *)&address, offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));
	close(fd);
	return ret;
}

int main(int argc, char **argv)
{
	int parent = getpid(), ends[2], status, child;
	char byte;

	tell("outside", kill(atoi(argv[1]), 0));
	if (argc > 2)
		tell("abstract", reach(argv[2]));
	MUST(pipe(ends));
	child = MUST(fork());
	if (!child) {
		tell("parent", kill(parent, 0));
		MUST(write(ends[1], "x", 1));
		pause();
	}
	MUST(read(ends[0], &byte, 1));
	tell("child", kill(child, SIGTERM));
	MUST(waitpid(child, &status, 0));
	tell("group", kill(0, SIGURG));
	return 0;
}
