// Exchanges two names. argv: both.
#include "attack.h"

int main(int argc, char **argv)
{
	return renameat2(AT_FDCWD, argv[1], AT_FDCWD, argv[2], RENAME_EXCHANGE) < 0;
}
