// Uses what it was started with: directories as descriptors 0 and 3, the first without access
// (O_PATH), and the open file secret as 4. argv: the name of the directory.
#include "attack.h"

static void from(const char *what, int dir, const char *name)
{
	opened(format("%s_%s_openat", what, name), openat(dir, name, O_RDONLY));
	opened(format("%s_%s_above", what, name), openat(dir, format("covered/../%s", name), O_RDONLY));
	opened(format("%s_%s_proc", what, name),
	       open(format("/proc/self/fd/%d/%s", dir, name), O_RDONLY));
	if (fchdir(dir))
		tell(format("%s_%s_fchdir", what, name), -1);
	else
		opened(format("%s_%s_fchdir", what, name), open(name, O_RDONLY));
}

int main(int argc, char **argv)
{
	char c;

	from("stdin", 0, "secret");
	from("stdin", 0, "public");
	from("third", 3, "secret");
	from("third", 3, "public");
	tell("fourth_read", pread(4, &c, 1, 0));
	opened("fourth_again", open("/proc/self/fd/4", O_RDONLY));
	return 0;
}
