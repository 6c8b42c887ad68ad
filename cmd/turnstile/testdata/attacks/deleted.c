// Files that are gone. argv: a directory with the files "gone", "gone (deleted)",
// "denied".
#include "attack.h"

int main(int argc, char **argv)
{
	int gone, denied;

	MUST(chdir(argv[1]));
	gone = MUST(open("gone", O_RDONLY));
	MUST(unlink("gone"));
	opened("gone", open(format("/proc/self/fd/%d", gone), O_RDONLY));
	opened("called_deleted", open("gone (deleted)", O_RDONLY));
	// A directory that is gone: nothing is in it.
	MUST(mkdir("dir", 0700));
	MUST(chdir("dir"));
	MUST(rmdir("../dir"));
	opened("in_gone_directory", open("file", O_CREAT | O_WRONLY, 0600));
	opened("gone_directory", open(".", O_RDONLY));
	// Only looked at, and then deleted, it stays denied.
	MUST(chdir(argv[1]));
	denied = MUST(open("denied", O_PATH));
	opened("denied_there", open(format("/proc/self/fd/%d", denied), O_RDONLY));
	MUST(unlink("denied"));
	opened("denied_gone", open(format("/proc/self/fd/%d", denied), O_RDONLY));
	return 0;
}
