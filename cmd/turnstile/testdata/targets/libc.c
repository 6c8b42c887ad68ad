// Uses many functions of the C library, of each kind of call that an ABI may lack or have
// under another name. What comes of the calls does not matter.
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>

static char buf[200];

static void files(void)
{
	struct stat st;
	struct statfs fs;
	int fd = open("a", O_CREAT | O_RDWR, 0644);
	DIR *dir;

	(void)!write(fd, "hello", 5);
	lseek(fd, 0, SEEK_SET);
	(void)!read(fd, buf, 5);
	(void)!pread(fd, buf, 5, 0);
	(void)!ftruncate(fd, 3);
	fstat(fd, &st);
	posix_fadvise(fd, 0, 0, 0);
	fcntl(fd, F_GETFL);
	close(creat("g", 0600));
	stat("a", &st);
	lstat("a", &st);
	access("a", R_OK);
	chmod("a", 0600);
	(void)!chown("a", getuid(), getgid());
	(void)!lchown("a", getuid(), getgid());
	rename("a", "b");
	(void)!link("b", "c");
	(void)!symlink("b", "d");
	(void)!readlink("d", buf, sizeof(buf));
	utime("b", NULL);
	mkdir("e", 0755);
	rmdir("e");
	statfs(".", &fs);
	(void)!truncate("b", 1);
	mknod("f", S_IFIFO | 0600, 0);
	dir = opendir(".");
	while (readdir(dir))
		;
	closedir(dir);
	unlink("b");
	unlink("c");
	unlink("d");
	unlink("f");
	unlink("g");
}

static void waiting(void)
{
	struct timeval tv = {0, 1000};
	struct timespec ts = {0, 1000};
	struct epoll_event ev = {.events = EPOLLIN};
	struct pollfd pf = {.events = POLLIN};
	fd_set set;
	sigset_t signals;
	int p[2], ep = epoll_create(1);

	(void)!pipe(p);
	dup2(p[0], 100);
	pf.fd = p[0];
	poll(&pf, 1, 1);
	FD_ZERO(&set);
	FD_SET(p[0], &set);
	select(p[0] + 1, &set, NULL, NULL, &tv);
	epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &ev);
	epoll_wait(ep, &ev, 1, 1);
	eventfd(0, 0);
	inotify_init();
	sigemptyset(&signals);
	signalfd(-1, &signals, 0);
	nanosleep(&ts, NULL);
	clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL);
	alarm(0);
}

static void *thread(void *arg)
{
	return arg;
}

static void processes(void)
{
	struct rlimit limit;
	pthread_t t;

	if (!fork())
		_exit(0);
	wait(NULL);
	if (!vfork())
		_exit(0);
	wait(NULL);
	pthread_create(&t, NULL, thread, NULL);
	pthread_join(t, NULL);
	getrlimit(RLIMIT_NOFILE, &limit);
	getpgrp();
	geteuid();
	getegid();
	munmap(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 4096);
	semget(IPC_PRIVATE, 0, 0);
}

static void sockets(void)
{
	struct msghdr none = {0};
	int p[2], one = 1;
	socklen_t len = sizeof(one);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	bind(fd, NULL, 0);
	listen(fd, 1);
	connect(fd, NULL, 0);
	accept(fd, NULL, NULL);
	getsockopt(fd, SOL_SOCKET, SO_TYPE, &one, &len);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	socketpair(AF_UNIX, SOCK_STREAM, 0, p);
	send(p[0], "x", 1, 0);
	recv(p[1], buf, 1, 0);
	sendmsg(p[0], &none, MSG_DONTWAIT);
	recvmsg(p[1], &none, MSG_DONTWAIT);
	shutdown(p[0], SHUT_RDWR);
}

int main(int argc, char **argv)
{
	if (argc != 2 || chdir(argv[1]))
		return 1;
	files();
	waiting();
	processes();
	sockets();
	return 0;
}
