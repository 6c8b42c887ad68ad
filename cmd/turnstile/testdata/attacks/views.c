// Goes to a root directory or to namespaces of its own, and opens files by the names that
// they have there. argv: a directory with the files secret and public.
#include "attack.h"
#include <sys/mount.h>
#include <sys/wait.h>

static char *dir;

// look opens both files by a name.
static long look(const char *where)
{
	if (starts_with(open(format("%s/public", where), O_RDONLY)) != 'P') {
		errno = ENODATA;
		return -1;
	}
	return open(format("%s/secret", where), O_RDONLY);
}

static long in_root(void)
{
	return chroot(dir) || chdir("/") ? -1 : look("");
}

static long in_mounts(void)
{
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -1;
	if (mount(dir, format("%s/covered", dir), NULL, MS_BIND, NULL))
		return -1;
	return look(format("%s/covered", dir));
}

static long in_user(void)
{
	return unshare(CLONE_NEWUSER) ? -1 : look(dir);
}

static long as_before(void)
{
	return look(dir);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		long (*call)(void);
	} tries[] = {
		{ "root", in_root }, { "mounts", in_mounts }, { "user", in_user }, { "before", as_before },
	};

	dir = argv[1];
	for (size_t i = 0; i < sizeof(tries) / sizeof(*tries); i++) {
		int status, pid = fork();

		if (!pid)
			_exit(tries[i].call() < 0 ? errno : 0);
		waitpid(pid, &status, 0);
		errno = WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
		tell(tries[i].name, errno ? -1 : 0);
	}
	return 0;
}
