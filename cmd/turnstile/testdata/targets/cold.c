// Passes arguments in pages that nobody has touched: a path, a struct msghdr with
// an address, a socket address, a struct open_how. They lie far from each other in
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define APART (1 << 20)
#define PIECES 8

static char *mapped;
static int file;

static void must(int ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "%s: %m\n", what);
		exit(1);
	}
}

// The control: the kernel says that the page is not in the page table.
static int is_present(const void *p)
{
	uint64_t entry = 0;
	int fd = open("/proc/self/pagemap", O_RDONLY);

	must(fd >= 0 && pread(fd, &entry, 8, (uintptr_t)p / getpagesize() * 8) == 8, "pagemap");
	close(fd);
	return entry >> 63;
}

// A copy of something, in a page that was never touched.
static void *cold(int piece, const void *content, size_t len)
{
	must(pwrite(file, content, len, (off_t)piece * APART + 100) == (ssize_t)len, "pwrite");
	must(!is_present(mapped + piece * APART + 100), "the page is present");
	return mapped + piece * APART + 100;
}

static void warm(const void *p, const char *what)
{
	must(is_present(p), what);
}

int main(int argc, char **argv)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct iovec iov = { "x", 1 };
	struct msghdr msg = { .msg_name = &addr, .msg_namelen = sizeof(addr), .msg_iov = &iov, .msg_iovlen = 1 };
	struct open_how how = { .flags = O_RDWR };
	struct clone_args child = { .exit_signal = SIGCHLD, .flags = CLONE_CLEAR_SIGHAND };
	int udp = socket(AF_INET, SOCK_DGRAM, 0);
	void *p;

	must(argc > 1 && chdir(argv[1]) == 0, "chdir");
	file = open("pages", O_CREAT | O_RDWR, 0600);
	must(ftruncate(file, PIECES * APART) == 0, "ftruncate");
	mapped = mmap(NULL, PIECES * APART, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
	must(mapped != MAP_FAILED && madvise(mapped, PIECES * APART, MADV_RANDOM) == 0, "mmap");

	p = cold(0, "cold_path", 10);
	must(open(p, O_RDONLY) >= 0, "open");
	warm(p, "nobody has read the path");
	p = cold(1, "cold_missing", 13);
	must(open(p, O_RDONLY) < 0 && errno == ENOENT, "open");
	p = cold(2, &how, sizeof(how));
	must(syscall(SYS_openat2, AT_FDCWD, "cold_how", p, sizeof(how)) >= 0, "openat2");
	p = cold(3, "cold_renamed", 13);
	must(rename("cold_old", p) == 0, "rename");

	addr.sin_port = htons(11);
	p = cold(4, &addr, sizeof(addr));
	must(sendto(udp, "x", 1, 0, p, sizeof(addr)) == 1, "sendto");
	warm(p, "nobody has read the address");
	addr.sin_port = htons(12);
	p = cold(5, &msg, sizeof(msg));
	must(sendmsg(udp, p, 0) == 1, "sendmsg");
	struct mmsghdr two[2] = { { .msg_hdr = msg }, { .msg_hdr = msg } };
	addr.sin_port = htons(13);
	p = cold(6, two, sizeof(two));
	must(sendmmsg(udp, p, 2, 0) == 2, "sendmmsg");

	p = cold(7, &child, sizeof(child));
	pid_t pid = syscall(SYS_clone3, p, sizeof(child));
	if (pid == 0)
		_exit(0);
	must(pid > 0 && waitpid(pid, NULL, 0) == pid, "clone3");
	return 0;
}
