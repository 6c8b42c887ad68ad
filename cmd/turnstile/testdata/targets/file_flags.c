// Sets the attributes of the file argv[1] to what they are, through a descriptor
// that may only read. Not every file system has any.
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

int main(int argc, char **argv)
{
	int flags = 0, fd = open(argv[1], O_RDONLY);

	if (fd < 0)
		return 1;
	ioctl(fd, FS_IOC_GETFLAGS, &flags);
	ioctl(fd, FS_IOC_SETFLAGS, &flags);
	return 0;
}
