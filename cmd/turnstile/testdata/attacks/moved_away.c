// Gives a file that may not be read another name and reads it by that. argv: a directory
// with secret/deep/file and the directory free.
#include "attack.h"
#include <linux/fs.h>

static int rename2(const char *from, const char *to, int flags)
{
	return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}

// by says whether the content can be read by the name that a rename gave, and undoes it.
static void by(const char *how, const char *from, const char *to, const char *read, int flags)
{
	char *name = format("%s_read", how);
	int ret;

	if (flags & RENAME_EXCHANGE)
		fill(to, "P");
	ret = rename2(from, to, flags);
	tell(how, ret);
	printf("%s %d\n", name, starts_with(open(read, O_RDONLY)) == 'S');
	fflush(stdout);
	if (ret)
		return;
	MUST(rename2(to, from, flags & RENAME_EXCHANGE));
}

int main(int argc, char **argv)
{
	MUST(chdir(argv[1]));
	by("file", "secret/deep/file", "free/file", "free/file", 0);
	by("file_noreplace", "secret/deep/file", "free/file2", "free/file2", RENAME_NOREPLACE);
	by("file_beside", "secret/deep/file", "secret/../free/x", "free/x", 0);
	by("file_exchanged", "secret/deep/file", "free/other", "free/other", RENAME_EXCHANGE);
	by("parent", "secret/deep", "free/deeper", "free/deeper/file", 0);
	by("grandparent", "secret", "free/secret2", "free/secret2/deep/file", 0);
	fill("free/from", "P");
	tell("innocent", rename("free/from", "free/to"));
	return 0;
}
