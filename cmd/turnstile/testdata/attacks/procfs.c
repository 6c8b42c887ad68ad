// Reaches the secret file argv[2] of the directory argv[1] through /proc, and the public
// one argv[3]. Both are names in the directory.
#include "attack.h"

static char *dir;

static void by(const char *how, const char *prefix, const char *file)
{
	opened(format("%s_%s", file, how), open(format("%s/%s", prefix, file), O_RDONLY));
}

static void reach(const char *file)
{
	int root = open("/", O_PATH), here = open(dir, O_PATH), below = open("below", O_PATH);
	struct open_how how = { .flags = O_RDONLY };

	by("plain", dir, file);
	by("self_root", format("/proc/self/root%s", dir), file);
	by("self_root_twice", format("/proc/self/root/proc/self/root%s", dir), file);
	by("thread_self_root", format("/proc/thread-self/root%s", dir), file);
	by("self_cwd", "/proc/self/cwd", file);
	by("self_cwd_up", format("/proc/self/cwd/../%s", strrchr(dir, '/') + 1), file);
	by("self_cwd_down", "/proc/self/cwd/below/..", file);
	by("thread_self_cwd", "/proc/thread-self/cwd", file);
	by("pid_root", format("/proc/%d/root%s", getpid(), dir), file);
	by("pid_cwd", format("/proc/%d/cwd", getpid()), file);
	by("task_root", format("/proc/self/task/%d/root%s", gettid(), dir), file);
	by("pid_task_root", format("/proc/%d/task/%d/root%s", getpid(), gettid(), dir), file);
	by("fd_root", format("/proc/self/fd/%d%s", root, dir), file);
	by("fd_here", format("/proc/self/fd/%d", here), file);
	by("fd_up", format("/proc/self/fd/%d/..", below), file);
	by("dev_fd", format("/dev/fd/%d", here), file);
	by("pid_fd", format("/proc/%d/fd/%d", getpid(), here), file);
	by("dots", format("/proc/../proc/./self//root/%s", dir), file);
	by("self_self", format("/proc/self/../self/root%s", dir), file);
	MUST(symlink("/proc/self/root", "to_root"));
	by("link_to_root", format("to_root%s", dir), file);
	MUST(unlink("to_root"));
	opened(format("%s_relative_to_proc", file),
	       openat(open("/proc/self", O_PATH), format("root%s/%s", dir, file), O_RDONLY));
	opened(format("%s_relative_to_proc_openat2", file),
	       syscall(SYS_openat2, open("/proc", O_PATH), format("self/cwd/%s", file), &how,
		       sizeof(how)));
	opened(format("%s_reopened", file),
	       open(format("/proc/self/fd/%d", open(file, O_PATH)), O_RDONLY));
	how.resolve = RESOLVE_NO_MAGICLINKS;
	opened(format("%s_no_magic_links", file),
	       syscall(SYS_openat2, AT_FDCWD, format("/proc/self/cwd/%s", file), &how,
		       sizeof(how)));
}

int main(int argc, char **argv)
{
	dir = argv[1];
	MUST(chdir(dir));
	reach(argv[2]);
	reach(argv[3]);
	// Who started this is outside, whatever its files are.
	by("parent_root", format("/proc/%d/root%s", getppid(), dir), argv[2]);
	by("init_root", format("/proc/1/root%s", dir), argv[2]);
	return 0;
}
