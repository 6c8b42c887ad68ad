// A thread changes a path from public to secret and back while the main thread gives it
// to calls. argv: the way, the tries, the public path, and the secret path, which differs
// in one byte. Of the way "how" it is the flags of openat2 that change, of the secret path.
#include "attack.h"

static char path[4096];
static const char *public_path, *secret_path;
static struct open_how how = { .flags = O_RDONLY };

// Only the byte that differs is written: the path is never anything else than one of the
// two, whoever reads it whenever.
static void *flip_path(void *unused)
{
	size_t at = 0;

	while (public_path[at] == secret_path[at])
		at++;
	if (strcmp(public_path + at + 1, secret_path + at + 1))
		exit(1);
	while (!sibling_ends) {
		__atomic_store_n(&path[at], secret_path[at], __ATOMIC_SEQ_CST);
		for (volatile int i = 0; i < 50; i++)
			;
		__atomic_store_n(&path[at], public_path[at], __ATOMIC_SEQ_CST);
		for (volatile int i = 0; i < 50; i++)
			;
	}
	return unused;
}

static void *flip_flags(void *unused)
{
	while (!sibling_ends) {
		__atomic_store_n(&how.flags, O_RDWR, __ATOMIC_SEQ_CST);
		for (volatile int i = 0; i < 50; i++)
			;
		__atomic_store_n(&how.flags, O_RDONLY, __ATOMIC_SEQ_CST);
		for (volatile int i = 0; i < 50; i++)
			;
	}
	return unused;
}

static int open_it(const char *way)
{
	if (!strcmp(way, "openat2"))
		return syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
#ifdef SYS_open
	if (!strcmp(way, "open"))
		return syscall(SYS_open, path, O_RDONLY);
#endif
	return syscall(SYS_openat, AT_FDCWD, path, O_RDONLY);
}

static void opens(const char *way, int tries)
{
	int escaped = 0, innocent = 0;

	start_sibling(flip_path, NULL);
	for (int i = 0; i < tries; i++) {
		switch (starts_with(open_it(way))) {
		case 'S': escaped++; break;
		case 'P': innocent++; break;
		}
	}
	end_sibling();
	count("escaped", escaped);
	count("innocent", innocent);
}

// The file that is opened to write is told by its number.
static void writes(int tries)
{
	int escaped = 0, innocent = 0;
	struct stat secret, found;

	MUST(stat(secret_path, &secret));
	start_sibling(flip_path, NULL);
	for (int i = 0; i < tries; i++) {
		int fd = open(path, O_WRONLY);

		if (fd < 0)
			continue;
		MUST(fstat(fd, &found));
		if (found.st_ino == secret.st_ino)
			escaped++;
		else
			innocent++;
		close(fd);
	}
	end_sibling();
	count("escaped", escaped);
	count("innocent", innocent);
}

// Neither file is there, and the secret one must not come.
static void creates(int tries)
{
	int escaped = 0, innocent = 0;

	start_sibling(flip_path, NULL);
	for (int i = 0; i < tries; i++) {
		int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);

		if (fd < 0)
			continue;
		close(fd);
		if (!access(secret_path, F_OK)) {
			escaped++;
			unlink(secret_path);
		} else {
			innocent++;
			unlink(public_path);
		}
	}
	end_sibling();
	count("escaped", escaped);
	count("innocent", innocent);
}

// The secret path may be read and not written.
static void flags(int tries)
{
	int escaped = 0, innocent = 0;

	start_sibling(flip_flags, NULL);
	for (int i = 0; i < tries; i++) {
		int fd = syscall(SYS_openat2, AT_FDCWD, secret_path, &how, sizeof(how));

		if (fd < 0)
			continue;
		if ((fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY)
			innocent++;
		else if (write(fd, "S", 1) == 1)
			escaped++;
		close(fd);
	}
	end_sibling();
	count("escaped", escaped);
	count("innocent", innocent);
}

// The calls that change a file by its path. What they did to the secret one is looked at
// after each.
static void changes(const char *way, int tries)
{
	int escaped = 0, innocent = 0;
	struct stat before, after;

	start_sibling(flip_path, NULL);
	for (int i = 0; i < tries; i++) {
		int ret;

		MUST(stat(secret_path, &before));
		if (!strcmp(way, "chmod"))
			ret = chmod(path, (before.st_mode ^ 1) & 0777);
		else if (!strcmp(way, "truncate"))
			ret = truncate(path, before.st_size + 1);
		else
			ret = chown(path, -1, -1);
		if (stat(secret_path, &after) || after.st_ctim.tv_nsec != before.st_ctim.tv_nsec ||
		    after.st_mode != before.st_mode || after.st_size != before.st_size)
			escaped++;
		else if (!ret)
			innocent++;
	}
	end_sibling();
	count("escaped", escaped);
	count("innocent", innocent);
}

// A name is removed and made again; the secret one must stay.
static void unlinks(int tries)
{
	int escaped = 0, innocent = 0;

	start_sibling(flip_path, NULL);
	for (int i = 0; i < tries; i++) {
		if (!access(public_path, F_OK) && !unlink(path)) {
			if (access(secret_path, F_OK)) {
				escaped++;
				fill(secret_path, "S");
			} else {
				innocent++;
			}
		}
		if (access(public_path, F_OK))
			fill(public_path, "P");
	}
	end_sibling();
	count("escaped", escaped);
	count("innocent", innocent);
}

int main(int argc, char **argv)
{
	int tries = atoi(argv[2]);

	public_path = argv[3];
	secret_path = argv[4];
	strcpy(path, public_path);
	if (!strncmp(argv[1], "open", 4))
		opens(argv[1], tries);
	else if (!strcmp(argv[1], "how"))
		flags(tries);
	else if (!strcmp(argv[1], "write"))
		writes(tries);
	else if (!strcmp(argv[1], "create"))
		creates(tries);
	else if (!strcmp(argv[1], "unlink"))
		unlinks(tries);
	else
		changes(argv[1], tries);
	return 0;
}
