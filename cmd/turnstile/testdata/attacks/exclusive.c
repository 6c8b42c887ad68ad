// O_CREAT with and without O_EXCL in the directory argv[1], alone and against another
// process, argv[2] times.
#include "attack.h"
#include <sys/mman.h>
#include <sys/wait.h>

static void alone(void)
{
	struct stat st;

	fill("there", "content");
	MUST(symlink("nothing", "dangling"));
	MUST(symlink("there", "link"));
	MUST(symlink("loop", "loop"));
	opened("there", open("there", O_CREAT | O_EXCL | O_WRONLY, 0600));
	opened("dangling", open("dangling", O_CREAT | O_EXCL | O_WRONLY, 0600));
	tell("dangling_made_nothing", lstat("nothing", &st));
	opened("link", open("link", O_CREAT | O_EXCL | O_WRONLY, 0600));
	opened("loop_exclusive", open("loop", O_CREAT | O_EXCL | O_WRONLY, 0600));
	opened("loop", open("loop", O_CREAT | O_WRONLY, 0600));
	opened("dangling_nofollow", open("dangling", O_CREAT | O_NOFOLLOW | O_WRONLY, 0600));
	opened("dangling_followed", open("dangling", O_CREAT | O_WRONLY, 0600));
	tell("dangling_made", lstat("nothing", &st));
	opened("directory", open(".", O_CREAT | O_WRONLY, 0600));
	opened("directory_read", open(".", O_CREAT | O_RDONLY, 0600));
	opened("directory_flag", open("new", O_CREAT | O_DIRECTORY | O_RDONLY, 0600));
	opened("below_file", open("there/new", O_CREAT | O_WRONLY, 0600));
	opened("no_directory", open("no/new", O_CREAT | O_WRONLY, 0600));
	opened("slash", open("new/", O_CREAT | O_WRONLY, 0600));
	opened("no_right_at_once", open("none", O_CREAT | O_RDWR, 0));
	opened("no_right_later", open("none", O_RDWR));
	opened("excl_without_creat", open("there", O_EXCL | O_RDONLY));
	opened("path_create", open("path", O_CREAT | O_PATH, 0600));
	MUST(stat("there", &st));
	printf("not_clobbered %ld\n", (long)st.st_size);
}

// Both make the same name at the same time: one of them did.
static void against(int times)
{
	struct {
		volatile int round[2];
	} *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int me, won = 0, status, child = MUST(fork()), odd = 0, together = 0;

	me = !child;
	for (int i = 1; i <= times; i++) {
		char *name = format("race%d", i);
		int fd;

		shared->round[me] = i;
		while (shared->round[!me] < i)
			sched_yield();
		fd = open(name, O_CREAT | O_EXCL | O_WRONLY, 0600);
		if (fd >= 0)
			won++;
		else
			odd += errno != EEXIST;
		close(fd);
		// Without O_EXCL both get it, and it is the same.
		name = format("both%d", i);
		fd = open(name, O_CREAT | O_WRONLY | O_APPEND, 0600);
		if (fd >= 0 && write(fd, "x", 1) == 1)
			together++;
		close(fd);
	}
	if (me)
		_exit(write(MUST(open("won", O_CREAT | O_WRONLY, 0600)),
			    format("%d %d %d", won, odd, together), 32) < 0);
	MUST(waitpid(child, &status, 0));

	char other[33] = "";
	int other_won, other_odd, other_together, whole = 0;
	struct stat st;

	MUST(read(MUST(open("won", O_RDONLY)), other, 32));
	sscanf(other, "%d %d %d", &other_won, &other_odd, &other_together);
	for (int i = 1; i <= times; i++)
		whole += !stat(format("both%d", i), &st) && st.st_size == 2;
	printf("one_each %d odd %d together %d whole %d\n", won + other_won == times,
	       odd + other_odd, together + other_together, whole);
}

int main(int argc, char **argv)
{
	MUST(chdir(argv[1]));
	umask(022);
	alone();
	fflush(stdout);
	against(atoi(argv[2]));
	return 0;
}
