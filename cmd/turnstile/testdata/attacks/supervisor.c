// Reaches into the process that is argv[1] generations up, and into its parent.
#include "attack.h"
#include <sys/uio.h>

static int parent_of(int pid)
{
	char line[512] = "", *after;
	int fd = open(format("/proc/%d/stat", pid), O_RDONLY);

	MUST(fd);
	if (read(fd, line, sizeof(line) - 1) <= 0)
		exit(1);
	close(fd);
	after = strrchr(line, ')');
	return atoi(after + 4);
}

static void reach(const char *who, int pid)
{
	static const struct {
		const char *name;
		int flags;
	} files[] = {
		{ "mem", O_RDONLY },  { "mem", O_RDWR },    { "environ", O_RDONLY },
		{ "maps", O_RDONLY }, { "auxv", O_RDONLY }, { "root/etc/hostname", O_RDONLY },
		{ "fd", O_RDONLY },   { "fd/0", O_RDONLY }, { "map_files", O_RDONLY },
		{ "fd/1", O_WRONLY }, { "fd/2", O_WRONLY }, { "cwd/.", O_RDONLY },
		{ "exe", O_RDONLY },  { "root", O_RDONLY }, { "ns/mnt", O_RDONLY },
	};
	char byte;
	struct iovec local = { &byte, 1 }, remote = { (void *)0x400000, 1 };
	int fd;

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		char *flags = files[i].flags == O_RDONLY ? "read" : "write";
		char *name = format("%s_%s_%s", who, files[i].name, flags);

		opened(name, open(format("/proc/%d/%s", pid, files[i].name), files[i].flags));
	}
	opened(format("%s_task_mem", who), open(format("/proc/%d/task/%d/mem", pid, pid), O_RDWR));
	opened(format("%s_link_mem", who),
	       open(format("/proc/self/root/proc/%d/mem", pid), O_RDONLY));
	opened(format("%s_dirfd_mem", who),
	       openat(open(format("/proc/%d", pid), O_PATH), "mem", O_RDONLY));
	tell(format("%s_process_vm_readv", who), process_vm_readv(pid, &local, 1, &remote, 1, 0));
	fd = syscall(SYS_pidfd_open, pid, 0);
	tell(format("%s_pidfd_getfd", who), syscall(SYS_pidfd_getfd, fd, 0, 0));
}

int main(int argc, char **argv)
{
	int pid = getpid();

	for (int i = 0; i < atoi(argv[1]); i++)
		pid = parent_of(pid);
	reach("parent", pid);
	reach("grandparent", parent_of(pid));
	opened("innocent", open("/etc/passwd", O_RDONLY));
	return 0;
}
