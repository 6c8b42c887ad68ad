// Changes, in the way of argv[1], where names in the directory argv[2] begin, and
// opens files from there.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

static void relative_chdir(void)
{
	OK(chdir("down"));
	OK(open("file", O_RDONLY));
	OK(chdir("../link_to_other"));
	OK(open("file", O_RDONLY));
	FAILS(ENOENT, chdir("nowhere"));
	OK(fchdir(open("..", O_RDONLY | O_DIRECTORY)));
	OK(chdir("./down"));
}

static void deleted_cwd(void)
{
	OK(mkdir("gone", 0700));
	OK(chdir("gone"));
	OK(rmdir("../gone"));
	FAILS(ENOENT, open("file", O_CREAT | O_WRONLY, 0600));
	OK(open(".", O_RDONLY));
}

static void chrooted(char *dir)
{
	OK(chroot(dir));
	OK(open("/down/file", O_RDONLY));
	FAILS(ENOENT, open("/missing", O_RDONLY));
	OK(chdir("/down"));
	OK(open("file", O_RDONLY));
	OK(chroot("."));
	OK(open("/file", O_RDONLY));
	FAILS(ENOENT, chroot("/none"));
}

static void mounted(void)
{
	OK(unshare(CLONE_NEWNS));
	OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	OK(mount("tmpfs", "mnt", "tmpfs", 0, NULL));
	OK(open("mnt/on_tmpfs", O_CREAT | O_WRONLY, 0600));
	OK(mount("down", "bound", NULL, MS_BIND, NULL));
	OK(open("bound/file", O_RDONLY));
	FAILS(ENOENT, open("bound/none", O_RDONLY));
	OK(umount2("bound", MNT_DETACH));
}

// A file below a mount that is nowhere has no path.
static void detached(void)
{
	int tree = syscall(SYS_open_tree, AT_FDCWD, "down", 1 /* OPEN_TREE_CLONE */);

	OK(tree);
	OK(openat(tree, "file", O_RDONLY));
	FAILS(ENOENT, openat(tree, "none", O_RDONLY));

	OK(unshare(CLONE_NEWNS));
	OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	OK(mount("down", "bound", NULL, MS_BIND, NULL));
	OK(chdir("bound"));
	OK(umount2(".", MNT_DETACH));
	OK(open("file", O_RDONLY));
	FAILS(ENOENT, open("none", O_RDONLY));
}

int main(int argc, char **argv)
{
	OK(chdir(argv[2]));
	if (!strcmp(argv[1], "chdir"))
		relative_chdir();
	else if (!strcmp(argv[1], "deleted"))
		deleted_cwd();
	else if (!strcmp(argv[1], "chroot"))
		chrooted(argv[2]);
	else if (!strcmp(argv[1], "mount"))
		mounted();
	else if (!strcmp(argv[1], "detached"))
		detached();
	else
		return 1;
	return 0;
}
