// Calls that move content between two descriptors: with the secret file argv[2] on one
// side, they need it open. argv: a directory, and there the names of a secret file and
// of a public one.
#include "attack.h"
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/mman.h>

static void copy(const char *what, int from, int to)
{
	loff_t in = 0, out = 0;
	off_t at = 0;

	tell(format("%s_copy_file_range", what), copy_file_range(from, &in, to, &out, 1, 0));
	tell(format("%s_sendfile", what), sendfile(to, from, &at, 1));
	tell(format("%s_splice", what), splice(from, NULL, to, NULL, 1, 0));
	tell(format("%s_read", what), pread(from, &at, 1, 0));
	tell(format("%s_mmap", what),
	     mmap(NULL, 4096, PROT_READ, MAP_SHARED, from, 0) == MAP_FAILED ? -1 : 0);
}

int main(int argc, char **argv)
{
	int secret, path, new;

	MUST(chdir(argv[1]));
	secret = open(argv[2], O_RDONLY);
	tell("secret_open", secret);
	path = open(argv[2], O_PATH);
	new = MUST(open("new", O_CREAT | O_RDWR, 0600));
	copy("secret", secret, new);
	// A place is no content.
	copy("place", path, new);
	tell("place_clone", ioctl(new, FICLONE, path));
	copy("public", open(argv[3], O_RDONLY), new);
	// Nor does a descriptor that may read get one that may write.
	tell("public_back", copy_file_range(new, NULL, open(argv[3], O_RDONLY), NULL, 1, 0));
	return 0;
}
