// Reaches files over symbolic links. argv: a directory with the directories secret and
// public, both with a file called file, and a directory base.
#include "attack.h"

static char *dir;

static void reads(const char *to)
{
	char *file = format("%s/%s/file", dir, to), *relative = format("../%s/file", to);
	char *at = format("../%s", to);
	int base = MUST(open(".", O_PATH));
	struct open_how how = { .flags = O_RDONLY };

	MUST(symlink(file, "absolute"));
	MUST(symlink(relative, "relative"));
	MUST(symlink(at, "between"));
	MUST(symlink("..", "up"));
	MUST(symlink("absolute", "chain0"));
	for (int i = 0; i < 20; i++)
		MUST(symlink(format("chain%d", i), format("chain%d", i + 1)));
	MUST(symlink("/proc/self/cwd", "magic"));

	opened(format("%s_absolute", to), open("absolute", O_RDONLY));
	opened(format("%s_relative", to), open("relative", O_RDONLY));
	opened(format("%s_dirfd", to), openat(base, "relative", O_RDONLY));
	opened(format("%s_openat2", to), syscall(SYS_openat2, base, "relative", &how, sizeof(how)));
	opened(format("%s_between", to), open("between/file", O_RDONLY));
	opened(format("%s_up", to), open(format("up/%s/file", to), O_RDONLY));
	opened(format("%s_up_and_down", to),
	       open(format("up/base/up/public/../%s/file", to), O_RDONLY));
	opened(format("%s_through_link_and_up", to),
	       open(format("between/../%s/file", to), O_RDONLY));
	opened(format("%s_chain", to), open("chain20", O_RDONLY));
	opened(format("%s_magic", to), open("magic/relative", O_RDONLY));
	opened(format("%s_path_descriptor", to),
	       open(format("/proc/self/fd/%d", open("relative", O_PATH)), O_RDONLY));
	// The link itself is nothing that can be read.
	opened(format("%s_nofollow", to), open("relative", O_RDONLY | O_NOFOLLOW));
	how.resolve = RESOLVE_NO_SYMLINKS;
	opened(format("%s_no_symlinks", to),
	       syscall(SYS_openat2, base, "relative", &how, sizeof(how)));
	how.resolve = RESOLVE_BENEATH;
	opened(format("%s_beneath", to), syscall(SYS_openat2, base, "relative", &how, sizeof(how)));
	how.resolve = RESOLVE_IN_ROOT;
	opened(format("%s_in_root", to),
	       syscall(SYS_openat2, open(dir, O_PATH), format("base/../../%s/file", to), &how,
		       sizeof(how)));
	unlink("absolute");
	unlink("relative");
	unlink("between");
	unlink("up");
	unlink("magic");
	for (int i = 0; i <= 20; i++)
		unlink(format("chain%d", i));
}

// A link to a name that does not exist makes that name when it is opened to create.
static void creates(const char *to)
{
	char *new = format("%s/%s/new", dir, to);

	MUST(symlink(new, "dangling"));
	MUST(symlink(format("../%s", to), "between"));
	MUST(symlink("dangling", "twice"));
	opened(format("%s_create_dangling", to), open("dangling", O_CREAT | O_WRONLY, 0600));
	unlink(new);
	opened(format("%s_create_twice", to), open("twice", O_CREAT | O_RDONLY, 0600));
	unlink(new);
	opened(format("%s_create_between", to), open("between/new", O_CREAT | O_WRONLY, 0600));
	unlink(new);
	if (!tell(format("%s_mkdir_between", to), mkdir("between/new", 0700)))
		rmdir(new);
	opened(format("%s_exclusive", to), open("dangling", O_CREAT | O_EXCL | O_WRONLY, 0600));
	opened(format("%s_exists", to),
	       open(format("%s/file", "between"), O_CREAT | O_RDONLY, 0600));
	unlink("dangling");
	unlink("twice");
	unlink("between");
}

int main(int argc, char **argv)
{
	dir = argv[1];
	MUST(chdir(format("%s/base", dir)));
	reads("secret");
	reads("public");
	creates("secret");
	creates("public");
	return 0;
}
