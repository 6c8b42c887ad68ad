// Makes a file without a name and gives it one. argv: a directory with the directories
// free and denied.
#include "attack.h"

static char *dir;

static void names(const char *to)
{
	struct open_how how = { .flags = O_TMPFILE | O_RDWR, .mode = 0640 };
	char *name = format("%s/%s/new", dir, to);
	int at = open(to, O_RDONLY), fd = open("free", O_TMPFILE | O_RDWR, 0640), other;
	struct stat st;

	tell(format("%s_open", to), fd);
	if (fd < 0)
		return;
	MUST(write(fd, "content", 7));
	MUST(fstat(fd, &st));
	printf("%s_mode %o links %ld\n", to, st.st_mode, (long)st.st_nlink);
	if (!tell(format("%s_by_proc", to), linkat(AT_FDCWD, format("/proc/self/fd/%d", fd),
						   AT_FDCWD, name, AT_SYMLINK_FOLLOW)))
		unlink(name);
	if (!tell(format("%s_by_dev", to),
		  linkat(AT_FDCWD, format("/dev/fd/%d", fd), at, "new", AT_SYMLINK_FOLLOW)))
		unlink(name);
	// Once it had a name and lost it, a file gets none again: each try has its own.
	close(fd);
	fd = open("free", O_TMPFILE | O_RDWR, 0600);
	if (!tell(format("%s_by_dirfd", to),
		  linkat(open("/proc/self/fd", O_RDONLY), format("%d", fd), at, "new",
			 AT_SYMLINK_FOLLOW)))
		unlink(name);
	close(fd);
	fd = open("free", O_TMPFILE | O_RDWR, 0600);
	if (!tell(format("%s_by_empty", to), linkat(fd, "", at, "new", AT_EMPTY_PATH)))
		unlink(name);
	close(fd);
	fd = open("free", O_TMPFILE | O_RDWR | O_EXCL, 0600);
	tell(format("%s_exclusive", to), fd);
	tell(format("%s_exclusive_linked", to), linkat(fd, "", at, "new", AT_EMPTY_PATH));
	close(fd);
	fd = syscall(SYS_openat2, AT_FDCWD, "free", &how, sizeof(how));
	tell(format("%s_openat2", to), fd);
	if (!tell(format("%s_openat2_linked", to),
		  linkat(AT_FDCWD, format("/proc/self/fd/%d", fd), at, "new", AT_SYMLINK_FOLLOW)))
		unlink(name);
	close(fd);
	other = open("free", O_TMPFILE | O_WRONLY, 0);
	tell(format("%s_no_mode", to), other);
	close(other);
	opened(format("%s_read_only", to), open("free", O_TMPFILE | O_RDONLY, 0600));
	opened(format("%s_on_file", to), open("file", O_TMPFILE | O_RDWR, 0600));
	opened(format("%s_in_it", to), open(to, O_TMPFILE | O_RDWR, 0600));
}

int main(int argc, char **argv)
{
	dir = argv[1];
	MUST(chdir(dir));
	umask(0027);
	names("free");
	names("denied");
	return 0;
}
