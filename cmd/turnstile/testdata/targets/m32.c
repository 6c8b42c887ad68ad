// For gcc -m32. Touches files in the directory argv[1], and sockets: to the TCP
// server at port argv[2] of 127.0.0.1 and with UDP, by socketcall and directly.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/net.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static void must(int ok, int line)
{
	if (!ok) {
		fprintf(stderr, "line %d: %m\n", line);
		exit(1);
	}
}
#define MUST(x) must(x, __LINE__)

static long socketcall(int call, unsigned long a, unsigned long b, unsigned long c,
		       unsigned long d, unsigned long e, unsigned long f)
{
	unsigned long args[] = { a, b, c, d, e, f };

	return syscall(SYS_socketcall, call, args);
}

static struct sockaddr_in local(int port)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};

	return a;
}

static void files(void)
{
	struct open_how how = { .flags = O_RDONLY };
	int fd = syscall(SYS_open, "new", O_CREAT | O_WRONLY, 0600);

	MUST(fd >= 0);
	MUST(syscall(SYS_open, "missing", O_RDONLY) < 0);
	MUST(syscall(SYS_ftruncate64, fd, 10, 0) == 0);
	MUST(syscall(SYS_mkdir, "dir", 0700) == 0);
	MUST(syscall(SYS_rename, "new", "dir/old") == 0);
	MUST(syscall(SYS_chown32, "dir/old", -1, -1) == 0);
	MUST(syscall(SYS_openat2, AT_FDCWD, "dir/old", &how, sizeof(how)) >= 0);
}

static void by_socketcall(int port)
{
	struct sockaddr_in server = local(port), refused = local(1), udp = local(7), any = local(0);
	struct iovec iov = { .iov_base = "x", .iov_len = 1 };
	struct msghdr msg = { .msg_name = &udp, .msg_namelen = sizeof(udp), .msg_iov = &iov, .msg_iovlen = 1 };
	struct mmsghdr two[2] = { { .msg_hdr = msg }, { .msg_hdr = msg } };
	int s = socketcall(SYS_SOCKET, AF_INET, SOCK_STREAM, 0, 0, 0, 0);
	int l = socketcall(SYS_SOCKET, AF_INET, SOCK_STREAM, 0, 0, 0, 0);
	int u = socketcall(SYS_SOCKET, AF_INET, SOCK_DGRAM, 0, 0, 0, 0);

	MUST(s >= 0 && u >= 0 && l >= 0);
	MUST(socketcall(SYS_CONNECT, s, (long)&refused, sizeof(refused), 0, 0, 0) < 0);
	MUST(socketcall(SYS_CONNECT, s, (long)&server, sizeof(server), 0, 0, 0) == 0);
	MUST(socketcall(SYS_BIND, l, (long)&any, sizeof(any), 0, 0, 0) == 0);
	MUST(socketcall(SYS_LISTEN, l, 1, 0, 0, 0, 0) == 0);
	for (int i = 0; i < 3; i++)
		socketcall(SYS_SENDTO, u, (long)"x", 1, 0, (long)&udp, sizeof(udp));
	socketcall(SYS_SENDMSG, u, (long)&msg, 0, 0, 0, 0);
	socketcall(SYS_SENDMMSG, u, (long)two, 2, 0, 0, 0);
}

static void directly(int port)
{
	struct sockaddr_in server = local(port), udp = local(9);
	struct sockaddr_un path = { AF_UNIX, "/nowhere/nobody" };
	int s = syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
	int u = syscall(SYS_socket, AF_INET, SOCK_DGRAM, 0);
	int n = syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0);

	MUST(syscall(SYS_connect, s, &server, sizeof(server)) == 0);
	MUST(syscall(SYS_connect, n, &path, sizeof(path)) < 0);
	syscall(SYS_sendto, u, "x", 1, 0, &udp, sizeof(udp));
}

// The arguments of a call may lie in a page that nobody has read yet. Only what
// the kernel reads then makes it present.
static void from_a_cold_page(int port)
{
	struct sockaddr_in udp = local(11);
	unsigned long args[6] = { 0, (long)"x", 1, 0, (long)&udp, sizeof(udp) };
	int u = syscall(SYS_socket, AF_INET, SOCK_DGRAM, 0);
	int fd = open("args", O_CREAT | O_RDWR, 0600);
	void *cold;

	args[0] = u;
	MUST(write(fd, args, sizeof(args)) == sizeof(args));
	cold = mmap(NULL, sizeof(args), PROT_READ, MAP_PRIVATE, fd, 0);
	MUST(cold != MAP_FAILED);
	MUST(syscall(SYS_socketcall, SYS_SENDTO, cold) == 1);
}

int main(int argc, char **argv)
{
	int port = argc > 2 ? atoi(argv[2]) : 0;

	MUST(chdir(argv[1]) == 0);
	files();
	by_socketcall(port);
	directly(port);
	if (argc > 3)
		from_a_cold_page(port);
	return 0;
}
