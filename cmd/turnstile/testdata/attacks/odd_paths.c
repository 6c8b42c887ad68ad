// Paths of odd spelling in the directory argv[1], which has the file file and the
// directory dir.
#include "attack.h"

static void every_call(const char *name, int at, const char *path)
{
	struct open_how how = { .flags = O_RDONLY };
	struct stat st;
	char buffer[64];

	opened(format("%s_read", name), openat(at, path, O_RDONLY));
	opened(format("%s_directory", name), openat(at, path, O_RDONLY | O_DIRECTORY));
	opened(format("%s_path", name), openat(at, path, O_PATH));
	opened(format("%s_write", name), openat(at, path, O_WRONLY));
	opened(format("%s_nofollow", name), openat(at, path, O_RDONLY | O_NOFOLLOW));
	opened(format("%s_exclusive", name), openat(at, path, O_CREAT | O_EXCL | O_RDWR, 0600));
	opened(format("%s_openat2", name), syscall(SYS_openat2, at, path, &how, sizeof(how)));
	tell(format("%s_stat", name), fstatat(at, path, &st, 0));
	tell(format("%s_stat_empty", name), fstatat(at, path, &st, AT_EMPTY_PATH));
	tell(format("%s_access", name), faccessat(at, path, R_OK, 0));
	tell(format("%s_readlink", name), readlinkat(at, path, buffer, sizeof(buffer)));
	tell(format("%s_mkdir", name), mkdirat(at, path, 0700));
	tell(format("%s_mknod", name), mknodat(at, path, S_IFREG | 0600, 0));
	tell(format("%s_symlink", name), symlinkat("x", at, path));
	tell(format("%s_link", name), linkat(at, path, at, path, 0));
	tell(format("%s_rename", name), renameat(at, path, at, path));
	tell(format("%s_rename_onto_file", name), renameat(at, path, AT_FDCWD, "file"));
	tell(format("%s_rename_onto_dir", name), renameat(at, path, AT_FDCWD, "dir"));
	tell(format("%s_rename_onto_it", name), renameat(AT_FDCWD, "dir", at, path));
	tell(format("%s_chmod", name), fchmodat(at, path, 0755, 0));
	tell(format("%s_chown", name), fchownat(at, path, -1, -1, 0));
	tell(format("%s_chown_empty", name), fchownat(at, path, -1, -1, AT_EMPTY_PATH));
	tell(format("%s_utime", name), utimensat(at, path, NULL, 0));
	tell(format("%s_rmdir", name), unlinkat(at, path, AT_REMOVEDIR));
	tell(format("%s_unlink", name), unlinkat(at, path, 0));
	// As it was. What took their names goes.
	if (lstat("file", &st) || !S_ISREG(st.st_mode)) {
		unlink("file");
		close(open("file", O_CREAT | O_RDWR, 0644));
	}
	if (lstat("dir", &st) || !S_ISDIR(st.st_mode)) {
		unlink("dir");
		mkdir("dir", 0755);
	}
}

static void new_names(const char *name, const char *path)
{
	if (opened(format("%s_create", name), open(path, O_CREAT | O_WRONLY, 0600)))
		tell(format("%s_remove", name), unlink(path));
	if (!tell(format("%s_mkdir", name), mkdir(path, 0700)))
		tell(format("%s_rmdir", name), rmdir(path));
	if (!tell(format("%s_symlink", name), symlink("to", path)))
		tell(format("%s_unlink", name), unlink(path));
	if (!tell(format("%s_mknod", name), mknod(path, S_IFIFO | 0600, 0)))
		tell(format("%s_delete", name), unlink(path));
}

int main(int argc, char **argv)
{
	int dir, file;

	MUST(chdir(argv[1]));
	dir = MUST(open("dir", O_RDONLY | O_DIRECTORY));
	file = MUST(open("file", O_RDONLY));
	every_call("slashes", AT_FDCWD, ".///file");
	every_call("dots", AT_FDCWD, "./././file");
	every_call("up", AT_FDCWD, "dir/../file");
	every_call("up_from_file", AT_FDCWD, "file/../file");
	every_call("slash_behind_file", AT_FDCWD, "file/");
	every_call("dot_behind_file", AT_FDCWD, "file/.");
	every_call("slash_behind_dir", AT_FDCWD, "dir/");
	every_call("dot_behind_dir", AT_FDCWD, "dir/.");
	every_call("dots_behind_dir", AT_FDCWD, "dir/..");
	every_call("dot", AT_FDCWD, ".");
	every_call("root", AT_FDCWD, "/");
	every_call("roots", AT_FDCWD, "//..//");
	every_call("empty", AT_FDCWD, "");
	every_call("empty_at_dir", dir, "");
	every_call("empty_at_file", file, "");
	every_call("at_file", file, "x");
	every_call("not_open", 777, "x");
	every_call("not_open_empty", 777, "");
	every_call("negative", -5, "x");
	every_call("missing", AT_FDCWD, "no/x");
	every_call("missing_slash", AT_FDCWD, "no/");
	every_call("below_file", AT_FDCWD, "file/x");
	MUST(symlink("loop", "loop"));
	every_call("loop", AT_FDCWD, "loop");
	unlink("loop");
	MUST(symlink("file", "link"));
	every_call("link", AT_FDCWD, "link");
	unlink("link");
	MUST(symlink("file", "link"));
	every_call("link_slash", AT_FDCWD, "link/");
	unlink("link");
	MUST(symlink("dir", "link"));
	every_call("link_to_dir", AT_FDCWD, "link");
	unlink("link");
	MUST(symlink("dir", "link"));
	every_call("link_to_dir_slash", AT_FDCWD, "link/");
	unlink("link");
	MUST(symlink("nothing", "link"));
	every_call("dangling", AT_FDCWD, "link");
	unlink("link");
	unlink("nothing");
	new_names("newline", "new\nline");
	new_names("bytes", "\xff\xfe\x80");
	new_names("escape", "\x1b[2J\x07");
	new_names("space", " ");
	new_names("backslash", "\\\"'`$(x)");
	new_names("glob", "*?[a]{b,c}");
	new_names("slash_behind_new", "new/");
	new_names("dot_behind_new", "new/.");
	new_names("three_dots", "...");
	return 0;
}
