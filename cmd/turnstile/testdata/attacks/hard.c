// Gives the secret file another name and opens it by that. argv: a directory with the
// files secret and public, and alias, which is another name of secret from before.
#include "attack.h"

static char *dir;

// by_link makes the name new with a link that has been tried, and looks what it gives.
static void by_link(const char *how, const char *file, long ret)
{
	tell(format("%s_%s", file, how), ret);
	printf("%s_%s_gives %d\n", file, how, starts_with(open("new", O_RDONLY)) != 0);
	unlink("new");
}

static void links(const char *file)
{
	char *path = format("%s/%s", dir, file), *magic;
	int at = open(dir, O_PATH), fd = open(file, O_PATH);

	magic = format("/proc/self/fd/%d", fd);
#ifdef SYS_link
	by_link("link", file, syscall(SYS_link, path, "new"));
#endif
	by_link("linkat", file, linkat(AT_FDCWD, file, AT_FDCWD, "new", 0));
	by_link("linkat_dirfd", file, linkat(at, file, at, "new", 0));
	MUST(symlink(file, "to_it"));
	by_link("linkat_follow", file, linkat(at, "to_it", at, "new", AT_SYMLINK_FOLLOW));
	MUST(unlink("to_it"));
	by_link("linkat_fd", file, linkat(AT_FDCWD, magic, at, "new", AT_SYMLINK_FOLLOW));
	by_link("linkat_empty", file, linkat(fd, "", at, "new", AT_EMPTY_PATH));
	by_link("linkat_up", file, linkat(at, format("sub/../%s", file), at, "sub/../new", 0));
}

int main(int argc, char **argv)
{
	dir = argv[1];
	MUST(chdir(dir));
	links("secret");
	links("public");
	opened("alias_read", open("alias", O_RDONLY));
	opened("alias_write", open("alias", O_WRONLY));
	opened("alias_truncate", open("alias", O_RDONLY | O_TRUNC));
	opened("alias_dirfd", openat(open(dir, O_PATH), "./alias", O_RDONLY));
	opened("alias_fd", open(format("/proc/self/fd/%d", open("alias", O_PATH)), O_RDONLY));
	tell("alias_truncate_path", truncate("alias", 0));
	tell("alias_chmod", chmod("alias", 0600));
	// A file that comes to have the name of the alias is another one.
	if (!tell("alias_unlink", unlink("alias"))) {
		fill("alias", "P");
		opened("alias_made_again", open("alias", O_RDWR));
	}
	return 0;
}
