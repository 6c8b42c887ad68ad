// Does one thing to one file by every call that there is for it. argv: the class, the
// path, which is absolute, and the path of a file that nothing protects.
#include "attack.h"
#include <linux/fs.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <utime.h>

struct xattr_args {
	uint64_t value;
	uint32_t size, flags;
};

static const char *path, *free_path, *leaf;
static int dir = -1, object = -1;
static char buffer[4096];

// The same call by number, where the machine has it.
#ifdef __x86_64__
#define LEGACY(name, call)      opened(name, call)
#define LEGACY_CALL(name, call) gone(name, call)
#else
#define LEGACY(name, call)
#define LEGACY_CALL(name, call)
#endif

static int how2(int at, const char *p, uint64_t flags, uint64_t mode, uint64_t resolve)
{
	struct open_how how = { .flags = flags, .mode = mode, .resolve = resolve };

	return syscall(SYS_openat2, at, p, &how, sizeof(how));
}

static void reads(void)
{
	LEGACY("open", syscall(SYS_open, path, O_RDONLY));
	LEGACY("open_rdwr", syscall(SYS_open, path, O_RDWR));
	opened("openat", syscall(SYS_openat, AT_FDCWD, path, O_RDONLY));
	opened("openat_dirfd", syscall(SYS_openat, dir, leaf, O_RDONLY));
	opened("openat_rdwr", syscall(SYS_openat, dir, leaf, O_RDWR));
	opened("openat_ignored_dirfd", syscall(SYS_openat, 777, path, O_RDONLY));
	opened("openat_access_3", syscall(SYS_openat, dir, leaf, O_ACCMODE));
	opened("openat_create", syscall(SYS_openat, dir, leaf, O_RDONLY | O_CREAT, 0600));
	opened("openat_high_bits",
	       syscall(SYS_openat, 0xffffffff00000000 | (unsigned)dir, leaf, O_RDONLY));
	opened("openat_unknown_flags", syscall(SYS_openat, dir, leaf, O_RDONLY | 0x40000000));
	opened("openat2", how2(AT_FDCWD, path, O_RDONLY, 0, 0));
	opened("openat2_dirfd", how2(dir, leaf, O_RDONLY, 0, 0));
	opened("openat2_beneath", how2(dir, leaf, O_RDONLY, 0, RESOLVE_BENEATH));
	opened("openat2_in_root", how2(dir, leaf, O_RDONLY, 0, RESOLVE_IN_ROOT));
	opened("openat2_in_root_slash",
	       how2(dir, format("/%s", leaf), O_RDONLY, 0, RESOLVE_IN_ROOT));
	opened("openat2_no_symlinks", how2(dir, leaf, O_RDONLY, 0, RESOLVE_NO_SYMLINKS));
	opened("openat2_no_xdev", how2(dir, leaf, O_RDONLY, 0, RESOLVE_NO_XDEV));
	opened("reopen", open(format("/proc/self/fd/%d", object), O_RDONLY));
}

static void writes(void)
{
	LEGACY("open", syscall(SYS_open, path, O_WRONLY));
	LEGACY("creat", syscall(SYS_creat, path, 0600));
	opened("openat", syscall(SYS_openat, AT_FDCWD, path, O_WRONLY));
	opened("openat_dirfd", syscall(SYS_openat, dir, leaf, O_WRONLY));
	opened("openat_rdwr", syscall(SYS_openat, dir, leaf, O_RDWR));
	opened("openat_append", syscall(SYS_openat, dir, leaf, O_WRONLY | O_APPEND));
	opened("openat_access_3", syscall(SYS_openat, dir, leaf, O_ACCMODE));
	opened("openat_trunc", syscall(SYS_openat, dir, leaf, O_WRONLY | O_TRUNC));
	opened("openat_rdonly_trunc", syscall(SYS_openat, dir, leaf, O_RDONLY | O_TRUNC));
	opened("openat_create", syscall(SYS_openat, dir, leaf, O_WRONLY | O_CREAT, 0600));
	opened("openat_create_trunc",
	       syscall(SYS_openat, dir, leaf, O_RDONLY | O_CREAT | O_TRUNC, 0600));
	opened("openat2", how2(AT_FDCWD, path, O_WRONLY, 0, 0));
	opened("openat2_rdwr", how2(dir, leaf, O_RDWR, 0, 0));
	opened("openat2_trunc", how2(dir, leaf, O_RDONLY | O_TRUNC, 0, RESOLVE_BENEATH));
	opened("reopen", open(format("/proc/self/fd/%d", object), O_WRONLY));
	opened("reopen_trunc", open(format("/proc/self/fd/%d", object), O_RDONLY | O_TRUNC));
	tell("truncate", syscall(SYS_truncate, path, 3));
	tell("truncate_reopen", truncate(format("/proc/self/fd/%d", object), 3));
	opened("openat_nofollow", syscall(SYS_openat, dir, leaf, O_WRONLY | O_NOFOLLOW));
}

// made prints the result of a call that makes the name, and removes it.
static void made(const char *name, long ret)
{
	tell(name, ret);
	if (ret >= 0 && unlinkat(dir, leaf, 0))
		unlinkat(dir, leaf, AT_REMOVEDIR);
	if (ret > 0)
		close(ret);
}

static void creates(void)
{
	struct sockaddr_un a = { AF_UNIX };
	int tmp = open(format("%s.d", free_path), O_TMPFILE | O_RDWR, 0600);

	strncpy(a.sun_path, path, sizeof(a.sun_path) - 1);
#ifdef __x86_64__
	made("open", syscall(SYS_open, path, O_CREAT | O_WRONLY, 0600));
	made("open_rdonly", syscall(SYS_open, path, O_CREAT | O_RDONLY, 0600));
	made("creat", syscall(SYS_creat, path, 0600));
	made("mkdir", syscall(SYS_mkdir, path, 0700));
	made("mknod", syscall(SYS_mknod, path, S_IFREG | 0600, 0));
	made("symlink", syscall(SYS_symlink, "to", path));
	made("link", syscall(SYS_link, free_path, path));
#endif
	made("openat", openat(dir, leaf, O_CREAT | O_WRONLY, 0600));
	made("openat_excl", openat(dir, leaf, O_CREAT | O_EXCL | O_RDWR, 0600));
	made("openat_nofollow", openat(dir, leaf, O_CREAT | O_NOFOLLOW | O_RDWR, 0600));
	made("openat2", how2(dir, leaf, O_CREAT | O_WRONLY, 0600, 0));
	made("openat2_beneath", how2(dir, leaf, O_CREAT | O_RDONLY, 0600, RESOLVE_BENEATH));
	made("mkdirat", mkdirat(dir, leaf, 0700));
	made("mkdirat_slash", mkdirat(dir, format("%s/", leaf), 0700));
	made("mknodat", mknodat(dir, leaf, S_IFREG | 0600, 0));
	made("mknodat_fifo", mknodat(dir, leaf, S_IFIFO | 0600, 0));
	made("mknodat_socket", mknodat(dir, leaf, S_IFSOCK | 0600, 0));
	made("symlinkat", symlinkat("to", dir, leaf));
	made("linkat", linkat(AT_FDCWD, free_path, dir, leaf, 0));
	made("linkat_tmpfile",
	     linkat(AT_FDCWD, format("/proc/self/fd/%d", tmp), dir, leaf, AT_SYMLINK_FOLLOW));
	made("bind", bind(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&a, sizeof(a)));
	made("bind_datagram", bind(socket(AF_UNIX, SOCK_DGRAM, 0), (void *)&a, sizeof(a)));
#ifdef __x86_64__
	fill(format("%s.r", free_path), "r");
	made("rename", syscall(SYS_rename, format("%s.r", free_path), path));
#endif
	fill(format("%s.r", free_path), "r");
	made("renameat", syscall(SYS_renameat2, AT_FDCWD, format("%s.r", free_path), dir, leaf, 0));
	fill(format("%s.r", free_path), "r");
	made("renameat2_noreplace", syscall(SYS_renameat2, AT_FDCWD, format("%s.r", free_path), dir,
					    leaf, RENAME_NOREPLACE));
}

// gone prints the result of a call that removes the name, and makes it again.
static void gone(const char *name, long ret)
{
	tell(name, ret);
	if (ret)
		return;
	rmdir(path); // what came in its place
	fill(path, "S");
}

static void deletes(void)
{
	char *away = format("%s.away", free_path);

	LEGACY_CALL("unlink", syscall(SYS_unlink, path));
	gone("unlinkat", unlinkat(AT_FDCWD, path, 0));
	gone("unlinkat_dirfd", unlinkat(dir, leaf, 0));
	LEGACY_CALL("rename", syscall(SYS_rename, path, away));
	gone("renameat", renameat(dir, leaf, AT_FDCWD, away));
	gone("renameat2", syscall(SYS_renameat2, dir, leaf, AT_FDCWD, away, 0));
	fill(away, "P");
	gone("exchange", syscall(SYS_renameat2, dir, leaf, AT_FDCWD, away, RENAME_EXCHANGE));
	fill(away, "P");
	gone("exchange_turned", syscall(SYS_renameat2, AT_FDCWD, away, dir, leaf, RENAME_EXCHANGE));
	fill(away, "P");
	gone("replaced", syscall(SYS_renameat2, AT_FDCWD, away, dir, leaf, 0));
	fill(away, "P");
	LEGACY_CALL("replaced_by_rename", syscall(SYS_rename, away, path));
	unlink(away);
}

static void directory_deletes(void)
{
#ifdef __x86_64__
	tell("rmdir", syscall(SYS_rmdir, path));
	mkdir(path, 0755);
#endif
	tell("unlinkat", unlinkat(dir, leaf, AT_REMOVEDIR));
	mkdir(path, 0755);
	tell("unlinkat_slash", unlinkat(dir, format("%s/", leaf), AT_REMOVEDIR));
	mkdir(path, 0755);
	tell("renameat", renameat(dir, leaf, AT_FDCWD, format("%s.away", free_path)));
	mkdir(path, 0755);
	rmdir(format("%s.away", free_path));
}

static void attributes(void)
{
	char *magic = format("/proc/self/fd/%d", object);
	int reader = open(path, O_RDONLY); // these want more than a place
	struct timespec times[2] = { { 1000, 0 }, { 1000, 0 } };
	struct xattr_args x = { (uintptr_t)"v", 1, 0 };
	uint64_t attr[3] = { 0 };
	int mode = 0644;

#ifdef __x86_64__
	struct timeval old[2] = { { 1000, 0 }, { 1000, 0 } };
	struct utimbuf u = { 1000, 1000 };

	tell("chmod", syscall(SYS_chmod, path, mode));
	tell("chown", syscall(SYS_chown, path, -1, -1));
	tell("lchown", syscall(SYS_lchown, path, -1, -1));
	tell("utime", syscall(SYS_utime, path, &u));
	tell("utimes", syscall(SYS_utimes, path, old));
	tell("futimesat", syscall(SYS_futimesat, dir, leaf, old));
#endif
	tell("fchmodat", syscall(SYS_fchmodat, dir, leaf, mode));
	tell("fchmodat2", syscall(SYS_fchmodat2, dir, leaf, mode, 0));
	tell("fchmodat2_nofollow", syscall(SYS_fchmodat2, dir, leaf, mode, AT_SYMLINK_NOFOLLOW));
	tell("fchmodat2_empty", syscall(SYS_fchmodat2, object, "", mode, AT_EMPTY_PATH));
	tell("chmod_magic", syscall(SYS_fchmodat, AT_FDCWD, magic, mode));
	tell("fchownat", syscall(SYS_fchownat, dir, leaf, -1, -1, 0));
	tell("fchownat_empty", syscall(SYS_fchownat, object, "", -1, -1, AT_EMPTY_PATH));
	tell("utimensat", syscall(SYS_utimensat, dir, leaf, times, 0));
	tell("utimensat_now", syscall(SYS_utimensat, dir, leaf, NULL, AT_SYMLINK_NOFOLLOW));
	tell("utimensat_empty", syscall(SYS_utimensat, object, "", times, AT_EMPTY_PATH));
	tell("setxattr", syscall(SYS_setxattr, path, "user.a", "v", 1, 0));
	tell("lsetxattr", syscall(SYS_lsetxattr, path, "user.b", "v", 1, 0));
	tell("setxattr_magic", syscall(SYS_setxattr, magic, "user.c", "v", 1, 0));
	tell("setxattrat", syscall(SYS_setxattrat, dir, leaf, 0, "user.d", &x, sizeof(x)));
	tell("setxattrat_empty",
	     syscall(SYS_setxattrat, reader, "", AT_EMPTY_PATH, "user.e", &x, sizeof(x)));
	tell("removexattr", syscall(SYS_removexattr, path, "user.z"));
	tell("lremovexattr", syscall(SYS_lremovexattr, path, "user.y"));
	tell("removexattrat", syscall(SYS_removexattrat, dir, leaf, 0, "user.x"));
	syscall(SYS_file_getattr, dir, leaf, attr, sizeof(attr), 0);
	tell("file_setattr", syscall(SYS_file_setattr, dir, leaf, attr, sizeof(attr), 0));
	tell("file_setattr_empty",
	     syscall(SYS_file_setattr, reader, "", attr, sizeof(attr), AT_EMPTY_PATH));
}

static void lists(void)
{
	int watch = inotify_init();

	LEGACY("open", syscall(SYS_open, path, O_RDONLY));
	LEGACY("open_directory", syscall(SYS_open, path, O_RDONLY | O_DIRECTORY));
	opened("openat", openat(AT_FDCWD, path, O_RDONLY));
	opened("openat_dirfd", openat(dir, leaf, O_RDONLY | O_DIRECTORY));
	opened("openat_slash", openat(dir, format("%s/", leaf), O_RDONLY));
	opened("openat_dot", openat(object, ".", O_RDONLY));
	opened("openat_up", openat(object, format("../%s", leaf), O_RDONLY));
	opened("openat2", how2(dir, leaf, O_RDONLY | O_DIRECTORY, 0, 0));
	opened("openat2_dot", how2(object, ".", O_RDONLY, 0, RESOLVE_BENEATH));
	opened("reopen", open(format("/proc/self/fd/%d", object), O_RDONLY));
	tell("inotify", inotify_add_watch(watch, path, IN_CREATE));
	tell("inotify_magic",
	     inotify_add_watch(watch, format("/proc/self/fd/%d", object), IN_CREATE));
}

static void stats(void)
{
	struct xattr_args x = { (uintptr_t)buffer, sizeof(buffer), 0 };
	struct stat st;
	struct statx sx;

#ifdef __x86_64__
	tell("stat", syscall(SYS_stat, path, &st));
	tell("lstat", syscall(SYS_lstat, path, &st));
	tell("access", syscall(SYS_access, path, R_OK));
	tell("readlink", syscall(SYS_readlink, path, buffer, sizeof(buffer)));
#endif
	tell("newfstatat", syscall(SYS_newfstatat, dir, leaf, &st, 0));
	tell("newfstatat_nofollow", syscall(SYS_newfstatat, dir, leaf, &st, AT_SYMLINK_NOFOLLOW));
	tell("statx", syscall(SYS_statx, dir, leaf, 0, STATX_ALL, &sx));
	tell("faccessat", syscall(SYS_faccessat, dir, leaf, F_OK));
	tell("faccessat2", syscall(SYS_faccessat2, dir, leaf, F_OK, 0));
	tell("readlinkat", syscall(SYS_readlinkat, dir, leaf, buffer, sizeof(buffer)));
	tell("statfs", syscall(SYS_statfs, path, buffer));
	tell("getxattr", syscall(SYS_getxattr, path, "user.z", buffer, sizeof(buffer)));
	tell("lgetxattr", syscall(SYS_lgetxattr, path, "user.z", buffer, sizeof(buffer)));
	tell("getxattrat", syscall(SYS_getxattrat, dir, leaf, 0, "user.z", &x, sizeof(x)));
	tell("listxattr", syscall(SYS_listxattr, path, buffer, sizeof(buffer)));
	tell("llistxattr", syscall(SYS_llistxattr, path, buffer, sizeof(buffer)));
	tell("listxattrat", syscall(SYS_listxattrat, dir, leaf, 0, buffer, sizeof(buffer)));
	opened("open_path", openat(dir, leaf, O_PATH));
	opened("openat2_path", how2(dir, leaf, O_PATH, 0, 0));
	opened("open_path_nofollow", openat(dir, leaf, O_PATH | O_NOFOLLOW));
}

int main(int argc, char **argv)
{
	const char *class = argv[1];
	char *slash;

	path = argv[2];
	free_path = argv[3];
	slash = strrchr(path, '/');
	leaf = slash + 1;
	// A place is enough, but a gate that judges those cannot hand one out.
	dir = open(strndup(path, slash - path), O_RDONLY | O_DIRECTORY);
	if (dir < 0)
		dir = MUST(open(strndup(path, slash - path), O_PATH));
	if (strcmp(class, "stat"))
		object = open(path, O_PATH);
	umask(0);
	if (!strcmp(class, "read"))
		reads();
	else if (!strcmp(class, "write"))
		writes();
	else if (!strcmp(class, "create"))
		creates();
	else if (!strcmp(class, "delete"))
		deletes();
	else if (!strcmp(class, "rmdir"))
		directory_deletes();
	else if (!strcmp(class, "attr"))
		attributes();
	else if (!strcmp(class, "list"))
		lists();
	else if (!strcmp(class, "stat"))
		stats();
	else
		return 1;
	opened("innocent", open(free_path, O_RDWR));
	opened("innocent_place", open(free_path, O_PATH));
	return 0;
}
