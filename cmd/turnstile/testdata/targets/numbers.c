// Makes as many system calls of different numbers as the argument says. None of
// them exists.
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	for (int i = 0; i < atoi(argv[1]); i++)
		syscall(2000 + i);
	return 0;
}
