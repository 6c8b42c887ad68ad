// Executes programs in every way there is, in the working directory argv[1]: what begins
// with d is denied, also where something else is executed that leads to it. A line says
// "ok" if an instruction of it ran, and otherwise why not.
#include "attack.h"

#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>


#ifndef AT_EXECVE_CHECK
#define AT_EXECVE_CHECK 0x10000
#endif

extern char **environ;
static char *arguments[] = { "image", "argument", NULL };

// report is the result of a child that executes: 10 and 20 are images, the rest are
// errors.
static void report(const char *name, int status)
{
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;

	if (WIFSIGNALED(status))
		printf("%s SIG%s\n", name, sigabbrev_np(WTERMSIG(status)));
	else if (code == 0 || code == 10 || code == 20)
		printf("%s ok\n", name);
	else
		printf("%s %s\n", name, strerrorname_np(code));
	fflush(stdout);
}

#define TRY(name, call)                                      \
	do {                                                 \
		int status_;                                 \
		pid_t pid_ = fork();                         \
		if (pid_ == 0) {                             \
			call;                                \
			_exit(errno);                        \
		}                                            \
		MUST(waitpid(pid_, &status_, 0));            \
		report(name, status_);                       \
	} while (0)

static void *execute_there(void *path)
{
	execve(path, arguments, environ);
	_exit(errno);
}

static void by_thread(char *path)
{
	pthread_t thread;

	pthread_create(&thread, NULL, execute_there, path);
	pthread_join(thread, NULL);
}

static int copy_to_memory(const char *path, const char *name, unsigned flags)
{
	static char room[4 << 20];
	int in = MUST(open(path, O_RDONLY)), out = MUST(memfd_create(name, flags));
	ssize_t n = MUST(read(in, room, sizeof(room)));

	MUST(write(out, room, n));
	close(in);
	return out;
}

static void script(const char *name, const char *line)
{
	fill(name, line);
	MUST(chmod(name, 0755));
}

// with_linker copies a program and gives it a dynamic linker of the working directory.
static void with_linker(const char *from, const char *to, const char *linker)
{
	static char room[4 << 20];
	static const char *usual[] = { "/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1" };
	int in = MUST(open(from, O_RDONLY)), out = MUST(open(to, O_CREAT | O_WRONLY, 0755));
	ssize_t n = MUST(read(in, room, sizeof(room)));

	for (int i = 0; i < 2; i++) {
		char *at = memmem(room, n, usual[i], strlen(usual[i]));

		if (at)
			strcpy(at, linker);
	}
	MUST(write(out, room, n));
	close(in);
	close(out);
}

int main(int argc, char **argv)
{
	const char *linker = argc > 2 ? argv[2] : "/nonexistent";
	char *path = format("%s/denied", argv[1]);
	int dir, fd;
	pid_t pid;
	int status;

	MUST(chdir(argv[1]));
	dir = MUST(open(".", O_PATH));

	TRY("innocent", execve("allowed", arguments, environ));
	TRY("innocent_script", execve("runs_allowed", arguments, environ));
	TRY("denied_path", execve(path, arguments, environ));
	TRY("denied_relative", execve("denied", arguments, environ));
	TRY("denied_dots", execve("./sub/../denied", arguments, environ));
	TRY("denied_link", execve("link", arguments, environ));
	TRY("denied_hard_link", execve("hard", arguments, environ));
	TRY("denied_at", syscall(SYS_execveat, dir, "denied", arguments, environ, 0));
	TRY("denied_at_link", syscall(SYS_execveat, dir, "link", arguments, environ, 0));
	TRY("link_not_followed", syscall(SYS_execveat, dir, "link", arguments, environ, AT_SYMLINK_NOFOLLOW));
	fd = MUST(open("denied", O_PATH));
	TRY("denied_descriptor", syscall(SYS_execveat, fd, "", arguments, environ, AT_EMPTY_PATH));
	TRY("denied_proc", execve(format("/proc/self/fd/%d", fd), arguments, environ));
	TRY("denied_of_another", execve(format("/proc/%d/fd/%d", getppid(), fd), arguments, environ));
	TRY("denied_check", if (syscall(SYS_execveat, dir, "denied", arguments, environ, AT_EXECVE_CHECK) == 0) _exit(20));
	TRY("innocent_check", if (syscall(SYS_execveat, dir, "allowed", arguments, environ, AT_EXECVE_CHECK) == 0) _exit(10));
	TRY("denied_thread", by_thread(path));
	TRY("innocent_thread", by_thread("allowed"));
	pid = vfork();
	if (pid == 0) {
		execve("denied", arguments, environ);
		_exit(errno);
	}
	waitpid(pid, &status, 0);
	report("denied_vfork", status);
	errno = posix_spawn(&pid, "denied", NULL, NULL, arguments, environ);
	if (errno) {
		tell("denied_spawn", -1);
	} else {
		waitpid(pid, &status, 0);
		report("denied_spawn", status);
	}

	script("script", "#!denied\n");
	TRY("denied_interpreter", execve("script", arguments, environ));
	script("script_with_argument", format("#! \t%s -x\n", path));
	TRY("denied_interpreter_with_argument", execve("script_with_argument", arguments, environ));
	script("script_of_script", "#!script\n");
	TRY("denied_interpreter_of_interpreter", execve("script_of_script", arguments, environ));
	script("dscript", "#!allowed\n");
	TRY("denied_script", execve("dscript", arguments, environ));

	with_linker("/bin/true", "linked", "dlinker");
	TRY("denied_linker", execve("linked", arguments, environ));
	with_linker("/bin/true", "linked_well", "linker");
	TRY("innocent_linker", execve("linked_well", arguments, environ));
	TRY("denied_by_linker", execl(linker, linker, "./dtrue", NULL));
	TRY("denied_by_copied_linker", execl("linker", "linker", "./dtrue", NULL));

	// The new file has none of the names that are denied, but the descriptor is one of
	// a file that was.
	fd = MUST(open("ddeleted", O_PATH));
	MUST(unlink("ddeleted"));
	TRY("denied_deleted", syscall(SYS_execveat, fd, "", arguments, environ, AT_EMPTY_PATH));
	fd = copy_to_memory("denied", "image", 0);
	TRY("memory", fexecve(fd, arguments, environ));
	fd = copy_to_memory("denied", "image", MFD_CLOEXEC);
	TRY("memory_closing", fexecve(fd, arguments, environ));

	TRY("missing", execve("missing", arguments, environ));
	TRY("directory", execve("sub", arguments, environ));
	TRY("not_executable", execve("text", arguments, environ));
	TRY("nonsense", execve("nonsense", arguments, environ));
	TRY("bad_address", syscall(SYS_execve, 8, arguments, environ));
	TRY("bad_flags", syscall(SYS_execveat, dir, "allowed", arguments, environ, 0x4000000));
	return 0;
}
