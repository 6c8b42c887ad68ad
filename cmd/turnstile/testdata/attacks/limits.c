// What a limit of the process says about a call holds whoever performs it. argv: a
// directory with a file called file.
#include "attack.h"
#include <sys/resource.h>
#include <sys/wait.h>

static volatile sig_atomic_t number;

static void on_signal(int n)
{
	number = n;
}

static void descriptors(void)
{
	struct rlimit r = { 20, 20 };
	struct open_how how = { .flags = O_RDONLY };
	struct stat st;
	int n = 0;

	for (int fd = 3; fd < 20; fd++)
		close(fd);
	MUST(setrlimit(RLIMIT_NOFILE, &r));
	while (open("file", O_RDONLY) >= 0)
		n++;
	count("opens", n);
	tell("full", open("file", O_RDONLY));
	tell("full_openat2", syscall(SYS_openat2, AT_FDCWD, "file", &how, sizeof(how)));
	tell("full_create", open("new", O_CREAT | O_WRONLY, 0600));
	tell("full_created", access("new", F_OK));
	tell("full_truncate", open("file", O_RDONLY | O_TRUNC));
	MUST(stat("file", &st));
	printf("full_truncated %d\n", st.st_size == 0);
	tell("full_missing", open("missing", O_RDONLY));
	tell("full_mkdir", mkdir("dir", 0700));
	tell("full_unlink", rmdir("dir"));
	close(10);
	n = open("file", O_RDONLY);
	printf("free_again %d\n", n);
	fflush(stdout);
	r.rlim_cur = 0;
	MUST(setrlimit(RLIMIT_NOFILE, &r));
	tell("none_allowed", open("file", O_RDONLY));
}

static void size(void)
{
	struct rlimit r = { 1000, RLIM_INFINITY };
	struct stat st;

	MUST(truncate("file", 3));
	MUST(setrlimit(RLIMIT_FSIZE, &r));
	signal(SIGXFSZ, on_signal);
	tell("truncate_small", truncate("file", 500));
	tell("truncate_limit", truncate("file", 1000));
	tell("truncate_large", truncate("file", 5000));
	printf("signal %d\n", number == SIGXFSZ);
	MUST(stat("file", &st));
	printf("size %ld\n", (long)st.st_size);
	signal(SIGXFSZ, SIG_IGN);
	tell("truncate_ignored", truncate("file", 5000));
	fflush(stdout);
	signal(SIGXFSZ, SIG_DFL);
	truncate("file", 5000);
	printf("survived\n");
}

static int in_child(void (*f)(void))
{
	int status, pid = fork();

	if (!pid) {
		f();
		exit(0);
	}
	MUST(waitpid(pid, &status, 0));
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	MUST(chdir(argv[1]));
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("descriptors %d\n", in_child(descriptors));
	printf("size %d\n", in_child(size));
	return 0;
}
