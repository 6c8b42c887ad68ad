// Compares what /proc says about the process with what the process knows, as a thread of
// it, and as a grandchild.
#include "attack.h"
#include <sys/prctl.h>
#include <sys/wait.h>

static char marker[64];

// content is all of a file of /proc, with the zero bytes as spaces.
static char *content(const char *path)
{
	static char all[1 << 20];
	size_t at = 0;
	ssize_t n;
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		return format("(%s)", outcome(fd));
	while (at < sizeof(all) - 1 && (n = read(fd, all + at, sizeof(all) - 1 - at)) > 0)
		at += n;
	close(fd);
	for (size_t i = 0; i < at; i++)
		if (!all[i])
			all[i] = ' ';
	all[at] = 0;
	return all;
}

static void demand(const char *who, const char *file, const char *want)
{
	char *got = content(file);

	if (strstr(got, want))
		printf("%s %s ok\n", who, file);
	else
		printf("%s %s: no %s in %.100s\n", who, file, want, got);
	fflush(stdout);
}

static void look(const char *who)
{
	char link[4096] = "", want[64], here[32];
	int fd;

	prctl(PR_SET_NAME, who);
	demand(who, "/proc/thread-self/comm", who);
	sprintf(here, "Pid:\t%d\n", getpid());
	demand(who, "/proc/self/status", here);
	sprintf(here, "Pid:\t%d\n", gettid());
	demand(who, "/proc/thread-self/status", here);
	sprintf(here, "%d (", getpid());
	demand(who, "/proc/self/stat", here);
	sprintf(here, "%d (", gettid());
	demand(who, "/proc/thread-self/stat", here);
	demand(who, "/proc/self/environ", "ATTACK_MARKER=here");
	demand(who, "/proc/self/cmdline", marker);
	demand(who, "/proc/self/maps", "[stack]");
	sprintf(want, "Name:\t%s\n", who);
	demand(who, "/proc/thread-self/status", want);

	// What is in the memory is the memory of this process.
	fd = open("/proc/self/mem", O_RDONLY);
	if (fd < 0 || pread(fd, want, sizeof(marker), (intptr_t)marker) != sizeof(marker) ||
	    strcmp(want, marker))
		printf("%s /proc/self/mem: %s\n", who, outcome(fd));
	else
		printf("%s /proc/self/mem ok\n", who);
	close(fd);

	// A name can be given by writing it.
	fd = open("/proc/thread-self/comm", O_WRONLY);
	if (fd < 0 || write(fd, "renamed", 7) != 7)
		printf("%s writing comm: %m\n", who);
	else if (prctl(PR_GET_NAME, want) || strcmp(want, "renamed"))
		printf("%s writing comm renamed another one: %s\n", who, want);
	else
		printf("%s writing comm ok\n", who);
	close(fd);

	if (readlink("/proc/self", link, sizeof(link) - 1) < 0 || atoi(link) != getpid())
		printf("%s /proc/self leads to %s\n", who, link);
	else
		printf("%s /proc/self ok\n", who);
	fd = open("/proc/self/fd", O_RDONLY | O_DIRECTORY);
	printf("%s /proc/self/fd %s\n", who, outcome(fd));
	close(fd);
	fd = open("/proc/self/exe", O_RDONLY);
	printf("%s /proc/self/exe %s\n", who, outcome(fd));
	close(fd);
	fd = open("/proc/self/oom_score_adj", O_RDWR);
	printf("%s /proc/self/oom_score_adj %s\n", who, outcome(fd));
	close(fd);
	fflush(stdout);
}

static void *as_thread(void *unused)
{
	look("thread");
	return unused;
}

int main(int argc, char **argv)
{
	pthread_t t;

	// Not in the binary nor the arguments of anyone else.
	snprintf(marker, sizeof(marker), "%s", argv[1]);
	if (argc < 3) {
		setenv("ATTACK_MARKER", "here", 1);
		execv("/proc/self/exe", (char *[]){ argv[0], argv[1], "again", NULL });
		return 1;
	}
	look("leader");
	pthread_create(&t, NULL, as_thread, NULL);
	pthread_join(t, NULL);
	if (!fork()) {
		if (!fork()) {
			look("grandchild");
			exit(0);
		}
		wait(NULL);
		exit(0);
	}
	wait(NULL);
	return 0;
}
