// A program that says by its exit code that it ran: 20 if its file's name begins with d,
// and 10 otherwise.
#include "attack.h"

int main(void)
{
	char path[4096] = "";
	char *name;

	MUST(readlink("/proc/self/exe", path, sizeof(path) - 1));
	name = strrchr(path, '/');
	if (!strncmp(path, "/memfd:", 7))
		return 20;
	return name && name[1] == 'd' ? 20 : 10;
}
