// Opens the file argv[2] of the directory argv[1] by its handle.
#define _GNU_SOURCE
#include <fcntl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct { struct file_handle h; char room[128]; } handle = { .h.handle_bytes = 128 };
	int mount, dir = open(argv[1], O_RDONLY);

	if (name_to_handle_at(dir, argv[2], &handle.h, &mount, 0))
		return 1;
	return open_by_handle_at(dir, &handle.h, O_RDONLY) < 0;
}
