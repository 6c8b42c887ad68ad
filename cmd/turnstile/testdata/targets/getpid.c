// Prints its pid and its parent's. With an argument it is killed by SIGTERM then.
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	dprintf(1, "%d %d\n", getpid(), getppid());
	if (argc > 1)
		raise(SIGTERM);
	return 0;
}
