// Something changes between what is judged and what is executed. argv: the way, the tries,
// and a directory with the programs allowed and denied, whose exit codes are 10 and 20, or
// 0 and 1.
#include "attack.h"

#include <sys/mman.h>
#include <sys/wait.h>


extern char **environ;
static char *path; // "a" or "d", in memory that others may share
static char *arguments[] = { NULL, NULL, NULL };

static void pause_a_little(void)
{
	for (volatile int i = 0; i < 3000; i++)
		;
}

static void *flip_path(void *unused)
{
	while (!sibling_ends) {
		__atomic_store_n(path, 'd', __ATOMIC_SEQ_CST);
		pause_a_little();
		__atomic_store_n(path, 'a', __ATOMIC_SEQ_CST);
		pause_a_little();
	}
	return unused;
}

static void *exchange(void *unused)
{
	while (!sibling_ends)
		syscall(SYS_renameat2, AT_FDCWD, "a", AT_FDCWD, "other", RENAME_EXCHANGE);
	return unused;
}

// The child shares all memory, as that of vfork does, and the threads beside go on.
static int execute(bool at)
{
	int status = 0;
	pid_t pid = vfork();

	if (pid == 0) {
		if (at)
			syscall(SYS_execveat, AT_FDCWD, path, arguments, environ, 0);
		else
			execve(path, arguments, environ);
		_exit(errno);
	}
	MUST(pid);
	MUST(waitpid(pid, &status, 0));
	return status;
}

// A thread that is not the first executes: it becomes the first.
static void *execute_there(void *unused)
{
	execve(path, arguments, environ);
	_exit(errno);
	return unused;
}

static int execute_from_thread(void)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		pthread_t flipping, executing;

		pthread_create(&flipping, NULL, flip_path, NULL);
		pthread_create(&executing, NULL, execute_there, NULL);
		pthread_join(executing, NULL);
	}
	MUST(waitpid(pid, &status, 0));
	return status;
}

int main(int argc, char **argv)
{
	const char *way = argv[1];
	int tries = atoi(argv[2]), escaped = 0, innocent = 0, refused = 0, killed = 0, odd = 0;
	pid_t peer = 0;

	(void)argc;
	MUST(chdir(argv[3]));
	path = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	strcpy(path, "a");
	arguments[0] = path;
	arguments[1] = "./dfalse"; // for a dynamic linker
	if (!strcmp(way, "peer")) {
		peer = fork();
		if (peer == 0)
			flip_path(NULL);
	} else if (!strcmp(way, "exchange") || !strcmp(way, "script") || !strcmp(way, "linker")) {
		start_sibling(exchange, NULL);
	} else if (strcmp(way, "from_thread")) {
		start_sibling(flip_path, NULL);
	}
	for (int i = 0; i < tries; i++) {
		int status = !strcmp(way, "from_thread") ? execute_from_thread() : execute(!strcmp(way, "execveat"));

		if (WIFSIGNALED(status))
			killed++;
		else if (WEXITSTATUS(status) == 20 || WEXITSTATUS(status) == 1)
			escaped++;
		else if (WEXITSTATUS(status) == 10 || WEXITSTATUS(status) == 0)
			innocent++;
		else if (WEXITSTATUS(status) == EACCES)
			refused++;
		else
			odd++;
	}
	if (peer)
		kill(peer, SIGKILL);
	else
		sibling_ends = true;
	count("escaped", escaped);
	count("innocent", innocent);
	count("refused", refused);
	count("killed", killed);
	count("odd", odd);
	return 0;
}
