// Opens and links what others have put into a sticky directory that all may write: the
// kernel protects some of that by its sysctls. argv: the directory, with a file, a fifo
// and a link of another user; plain, the same without the sticky bit.
#include "attack.h"

static void tries(const char *where)
{
	struct stat st;
	struct open_how how = { .flags = O_CREAT | O_RDWR, .mode = 0600 };

	MUST(chdir(where));
	where = strrchr(where, '/') + 1;
	opened(format("%s_read", where), open("file", O_RDONLY));
	opened(format("%s_write", where), open("file", O_WRONLY));
	opened(format("%s_create", where), open("file", O_CREAT | O_WRONLY, 0600));
	opened(format("%s_create_read", where), open("file", O_CREAT | O_RDONLY, 0600));
	opened(format("%s_openat2", where),
	       syscall(SYS_openat2, AT_FDCWD, "file", &how, sizeof(how)));
	opened(format("%s_fifo", where), open("fifo", O_RDWR | O_NONBLOCK));
	opened(format("%s_fifo_create", where), open("fifo", O_CREAT | O_RDWR | O_NONBLOCK, 0600));
	opened(format("%s_link", where), open("link", O_RDONLY));
	opened(format("%s_link_create", where), open("link", O_CREAT | O_RDWR, 0600));
	tell(format("%s_link_stat", where), stat("link", &st));
	tell(format("%s_hard", where), link("file", "hard"));
	tell(format("%s_hard_link", where), link("link", "hard_link"));
	tell(format("%s_hard_closed", where), link("closed", "hard_closed"));
	tell(format("%s_rename", where), rename("file", "renamed"));
	tell(format("%s_exchange", where),
	     syscall(SYS_renameat2, AT_FDCWD, "fifo", AT_FDCWD, "link", RENAME_EXCHANGE));
	tell(format("%s_unlink", where), unlink("link"));
	tell(format("%s_chmod", where), chmod("file", 0666));
	tell(format("%s_utime", where), utimensat(AT_FDCWD, "file", NULL, 0));
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		tries(argv[i]);
	return 0;
}
