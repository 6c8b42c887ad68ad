// Does one thing of each kind with files of the directory argv[1], which the test
// has prepared. The expected trace is in TestFiles.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "check.h"

static long openat2(int dir, const char *path, struct open_how how)
{
	return syscall(SYS_openat2, dir, path, &how, sizeof(how));
}

static void opens(const char *dir)
{
	char path[4096];

	OK(open("read", O_RDONLY));
	OK(open("read", O_RDONLY)); // the same again: only counted
	OK(open("read", O_RDONLY));
	OK(open("write", O_WRONLY));
	OK(open("both", O_RDWR));
	FAILS(ENOENT, open("missing", O_RDONLY));
	FAILS(ENOENT, open("missing", O_RDONLY));
	FAILS(ENOTDIR, open("read/below", O_RDONLY));
	OK(open("created", O_CREAT | O_WRONLY, 0600));
	OK(open("was_there", O_CREAT | O_RDWR, 0600));
	FAILS(EEXIST, open("exclusive", O_CREAT | O_EXCL | O_WRONLY, 0600));
	OK(open("truncated", O_RDONLY | O_TRUNC));
	OK(open("path", O_PATH));
	OK(open("dir_flag", O_RDONLY | O_DIRECTORY));
	OK(open("dir_plain", O_RDONLY));
	OK(creat("creat", 0600));

	// By symbolic links.
	OK(open("link", O_RDONLY));
	OK(open("link_to_dir/inside", O_RDONLY));
	FAILS(ENOENT, open("dangling", O_RDONLY));
	FAILS(ELOOP, open("not_followed", O_RDONLY | O_NOFOLLOW));
	OK(dup2(open("by_magic", O_RDONLY), 100));
	OK(open("/proc/self/fd/100", O_RDWR));

	// Other spellings.
	snprintf(path, sizeof(path), "%s//./spelling", dir);
	OK(open(path, O_RDONLY));
	OK(open("dir/../dots", O_RDONLY));
	FAILS(ENOENT, open("./dir//./nothing", O_RDONLY));

	struct open_how how = { .flags = O_CREAT | O_RDWR, .mode = 0600 };
	OK(openat2(AT_FDCWD, "how", how));
	struct open_how beneath = { .flags = O_RDONLY, .resolve = RESOLVE_BENEATH };
	int dirfd = open("dir", O_PATH);
	FAILS(EXDEV, openat2(dirfd, "../read", beneath));
	OK(openat(dirfd, "inside", O_RDONLY));
	FAILS(ENOENT, openat(dirfd, "none", O_RDONLY));
	FAILS(EBADF, openat(4711, "nowhere", O_RDONLY));
}

static void tmpfiles(void)
{
	int fd = open("tmpfiles", O_TMPFILE | O_RDWR, 0600);

	OK(fd);
	OK(linkat(fd, "", AT_FDCWD, "from_tmpfile", AT_EMPTY_PATH));
}

static void names(void)
{
	OK(rename("rename_old", "rename_new"));
	FAILS(ENOENT, rename("rename_none", "rename_nowhere"));
	OK(renameat2(AT_FDCWD, "exchange_a", AT_FDCWD, "exchange_b", RENAME_EXCHANGE));
	OK(renameat2(AT_FDCWD, "noreplace_old", AT_FDCWD, "noreplace_new", RENAME_NOREPLACE));
	OK(link("link_old", "link_new"));
	OK(symlink("text of the link", "symlink"));
	OK(unlink("unlink"));
	FAILS(EISDIR, unlink("unlink_dir"));
	OK(unlinkat(AT_FDCWD, "removedir", AT_REMOVEDIR));
	OK(rmdir("rmdir"));
	FAILS(ENOTEMPTY, rmdir("rmdir_full"));
	OK(mkdir("mkdir", 0700));
	FAILS(EEXIST, mkdir("mkdir_exists", 0700));
	OK(mknod("mknod", S_IFIFO | 0600, 0));
}

static void attributes(void)
{
	struct timespec now[2] = { { .tv_nsec = UTIME_NOW }, { .tv_nsec = UTIME_NOW } };
	int fd;

	OK(chmod("chmod", 0600));
	OK(fchmod(open("fchmod", O_RDONLY), 0600));
	OK(fchmodat(AT_FDCWD, "fchmodat", 0600, 0));
	OK(chown("chown", -1, -1));
	OK(lchown("lchown", -1, -1));
	OK(fchown(open("fchown", O_RDONLY), -1, -1));
	fd = open("fchownat", O_PATH);
	OK(fchownat(fd, "", -1, -1, AT_EMPTY_PATH));
	OK(utimensat(AT_FDCWD, "utimensat", now, 0));
	OK(futimens(open("futimens", O_RDONLY), now));
	OK(setxattr("setxattr", "trusted.name", "value", 5, 0));
	OK(fsetxattr(open("fsetxattr", O_RDONLY), "trusted.name", "value", 5, 0));
	OK(removexattr("setxattr", "trusted.name"));
	OK(truncate("truncate", 1));
	OK(ftruncate(open("ftruncate", O_WRONLY), 1));
}

static void looks(void)
{
	struct stat st;
	struct statfs fs;
	struct statx stx;
	char buf[64];

	OK(stat("stat", &st));
	OK(lstat("lstat", &st));
	OK(fstat(open("fstat", O_RDONLY), &st));
	OK(statx(AT_FDCWD, "statx", 0, STATX_ALL, &stx));
	OK(access("access", R_OK));
	OK(faccessat(AT_FDCWD, "faccessat", R_OK, AT_EACCESS));
	OK(readlink("readlink", buf, sizeof(buf)));
	OK(statfs("statfs", &fs));
	FAILS(ENODATA, getxattr("getxattr", "trusted.name", buf, sizeof(buf)));
	OK(listxattr("listxattr", buf, sizeof(buf)));
	OK(inotify_add_watch(inotify_init(), "watched", IN_MODIFY));
}

static void programs(void)
{
	char *argv[] = { "x", NULL };

	FAILS(EACCES, execv("not_executable", argv));
	FAILS(ENOENT, execv("no_program", argv));
	OK(mmap(NULL, 1, PROT_READ | PROT_EXEC, MAP_PRIVATE, open("mapped", O_RDONLY), 0) == MAP_FAILED ? -1 : 0);
	OK(mmap(NULL, 1, PROT_READ, MAP_PRIVATE, open("mapped_data", O_RDONLY), 0) == MAP_FAILED ? -1 : 0);
}

int main(int argc, char **argv)
{
	OK(chdir(argv[1]));
	opens(argv[1]);
	tmpfiles();
	names();
	attributes();
	looks();
	programs();
	return 0;
}
