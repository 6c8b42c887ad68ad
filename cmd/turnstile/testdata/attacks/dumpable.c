// Makes itself not dumpable, so that nobody but root may look into its memory, and opens
// files. argv: the public file and the secret one.
#include "attack.h"
#include <sys/prctl.h>
#include <sys/wait.h>

int main(int argc, char **argv)
{
	tell("prctl", prctl(PR_SET_DUMPABLE, 0));
	opened("public", open(argv[1], O_RDONLY));
	opened("secret", open(argv[2], O_RDONLY));
	opened("missing", open("/nonexistent", O_RDONLY));
	tell("mkdir", mkdir(format("%s.d", argv[1]), 0700));
	tell("rmdir", rmdir(format("%s.d", argv[1])));
	fflush(stdout);
	if (!fork()) {
		opened("child_public", open(argv[1], O_RDONLY));
		opened("child_secret", open(argv[2], O_RDONLY));
		exit(0);
	}
	wait(NULL);
	return 0;
}
