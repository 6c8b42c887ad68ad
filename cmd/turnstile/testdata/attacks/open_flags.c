// Opens files of all kinds with all flags, and prints what the descriptor is like. argv:
// a directory with the file file, the directory dir, link, and the fifo fifo; and whether
// the files belong to who asks.
#include "attack.h"
#include <sys/ioctl.h>

static const struct {
	const char *name;
	int flag;
} flags[] = {
	{ "", 0 },
	{ "append", O_APPEND },
	{ "cloexec", O_CLOEXEC },
	{ "direct", O_DIRECT },
	{ "directory", O_DIRECTORY },
	{ "dsync", O_DSYNC },
	{ "largefile", 0100000 },
	{ "noatime", O_NOATIME },
	{ "noctty", O_NOCTTY },
	{ "nofollow", O_NOFOLLOW },
	{ "nonblock", O_NONBLOCK },
	{ "path", O_PATH },
	{ "sync", O_SYNC },
	{ "trunc", O_TRUNC },
	{ "async", O_ASYNC },
	{ "creat", O_CREAT },
	{ "creat_excl", O_CREAT | O_EXCL },
	{ "excl", O_EXCL },
	{ "tmpfile", O_TMPFILE },
	{ "unknown", 0x40000000 },
	{ "many", O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY },
	{ "path_many", O_PATH | O_CLOEXEC | O_NOFOLLOW | O_APPEND },
};

static void show(const char *way, const char *path, int access, size_t i, int fd)
{
	static const char *const accesses[] = { "read", "write", "both", "neither" };
	struct stat st;

	printf("%s %s %s %s ", way, path, accesses[access], flags[i].name);
	if (fd < 0) {
		printf("%s\n", outcome(fd));
		return;
	}
	MUST(fstat(fd, &st));
	printf("getfl %x getfd %x number %d mode %o at %ld\n", fcntl(fd, F_GETFL),
	       fcntl(fd, F_GETFD), fd, st.st_mode, (long)lseek(fd, 0, SEEK_CUR));
	close(fd);
}

int main(int argc, char **argv)
{
	static const char *const paths[] = {
		"file", "dir", "link", "link_to_dir", "fifo", "missing"
	};

	MUST(chdir(argv[1]));
	// The lowest free number is what an open gives.
	MUST(dup2(0, 3));
	MUST(dup2(0, 5));
	// Keeps the fifo from waiting.
	MUST(dup2(MUST(open("fifo", O_RDWR)), 6));
	close(4);
	for (int p = 0; p < 6; p++)
		for (int access = 0; access <= 3; access++)
			for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
				int f = flags[i].flag | access;
				bool makes = f & O_CREAT || (f & O_TMPFILE) == O_TMPFILE;
				struct open_how how = { .flags = f, .mode = makes ? 0600 : 0 };

				show("openat", paths[p], access, i,
				     openat(AT_FDCWD, paths[p], f, 0600));
				unlink("missing");
				show("openat2", paths[p], access, i,
				     syscall(SYS_openat2, AT_FDCWD, paths[p], &how, sizeof(how)));
				unlink("missing");
			}
	struct {
		struct open_how how;
		uint64_t more;
	} longer = { .how = { .flags = O_RDONLY } };
	struct open_how how = { .flags = O_RDONLY };

	opened("how_longer", syscall(SYS_openat2, AT_FDCWD, "file", &longer, sizeof(longer)));
	longer.more = 1;
	opened("how_newer", syscall(SYS_openat2, AT_FDCWD, "file", &longer, sizeof(longer)));
	opened("how_short", syscall(SYS_openat2, AT_FDCWD, "file", &how, 23));
	opened("how_none", syscall(SYS_openat2, AT_FDCWD, "file", &how, 0));
	opened("how_huge", syscall(SYS_openat2, AT_FDCWD, "file", &how, 1 << 20));
	opened("how_null", syscall(SYS_openat2, AT_FDCWD, "file", NULL, sizeof(how)));
	how.mode = 0600;
	opened("how_mode", syscall(SYS_openat2, AT_FDCWD, "file", &how, sizeof(how)));
	how.mode = 0;
	how.resolve = 1 << 20;
	opened("how_resolve", syscall(SYS_openat2, AT_FDCWD, "file", &how, sizeof(how)));
	how.resolve = 0;
	how.flags = O_CREAT;
	how.mode = 0200000;
	opened("how_bad_mode", syscall(SYS_openat2, AT_FDCWD, "missing", &how, sizeof(how)));
	how.flags = 1ULL << 40;
	how.mode = 0;
	opened("how_high_flags", syscall(SYS_openat2, AT_FDCWD, "file", &how, sizeof(how)));
	// 0600 of which nobody else may read, and files of others.
	opened("noatime_of_root", open("/etc/passwd", O_RDONLY | O_NOATIME));
	opened("shadow", open("/etc/shadow", O_RDONLY));
	opened("null", open("/dev/null", O_RDWR | O_TRUNC | O_CREAT, 0600));
	opened("full", open("/dev/full", O_WRONLY));
	opened("urandom", open("/dev/urandom", O_RDONLY));
	return 0;
}
