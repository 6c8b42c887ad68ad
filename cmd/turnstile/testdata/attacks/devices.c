// Makes devices in the directory argv[1], and opens what it made.
#include "attack.h"
#include <sys/sysmacros.h>

static void make(const char *name, int mode, dev_t dev)
{
	int ret = mknod(name, mode, dev);

	tell(name, ret);
	if (!ret) {
		opened(format("%s_opened", name), open(name, O_RDONLY | O_NONBLOCK));
		unlink(name);
	}
}

int main(int argc, char **argv)
{
	MUST(chdir(argv[1]));
	make("memory", S_IFCHR | 0600, makedev(1, 1));
	make("null", S_IFCHR | 0600, makedev(1, 3));
	make("zero", S_IFCHR | 0600, makedev(1, 5));
	make("disk", S_IFBLK | 0600, makedev(254, 0));
	make("whiteout", S_IFCHR | 0600, makedev(0, 0));
	tell("at", mknodat(open(".", O_PATH), "at", S_IFCHR | 0600, makedev(1, 3)));
	unlink("at");
	make("fifo", S_IFIFO | 0600, 0);
	make("file", S_IFREG | 0600, 0);
	make("no_type", 0600, 0);
	make("socket", S_IFSOCK | 0600, 0);
	make("directory", S_IFDIR | 0600, 0);
	opened("innocent", open("/dev/null", O_RDWR));
	return 0;
}
