// Does one thing of each kind with sockets; the expected trace is in TestSockets.
// argv[1] is a directory, argv[2] and argv[3] are the ports of TCP servers at
// 127.0.0.1 and ::1. Prints the ports that the kernel chose.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "check.h"
#define AT(a) ((struct sockaddr *)&(a)), sizeof(a)

static struct sockaddr_in v4(int port)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};

	return a;
}

static struct sockaddr_in6 v6(const char *addr, int port)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	inet_pton(AF_INET6, addr, &a.sin6_addr);
	return a;
}

static int port_of(int s)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);

	OK(getsockname(s, (struct sockaddr *)&a, &len));
	return ntohs(a.sin_port);
}

static int tcp(int family)
{
	return socket(family, SOCK_STREAM, 0);
}

static void connects(int port4, int port6)
{
	struct sockaddr_in server = v4(port4), nobody = v4(1);
	struct sockaddr_in6 server6 = v6("::1", port6), mapped = v6("::ffff:127.0.0.1", port4);
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	int s = tcp(AF_INET);

	OK(connect(s, AT(server)));
	FAILS(EISCONN, connect(s, AT(server)));
	OK(connect(tcp(AF_INET), AT(server)));
	FAILS(ECONNREFUSED, connect(tcp(AF_INET), AT(nobody)));
	FAILS(EINPROGRESS, connect(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), AT(server)));
	OK(connect(tcp(AF_INET6), AT(server6)));
	OK(connect(tcp(AF_INET6), AT(mapped)));
	FAILS(EBADF, connect(4711, AT(server)));
	FAILS(ENOTSOCK, connect(0, AT(server)));
	FAILS(EINVAL, connect(tcp(AF_INET), (struct sockaddr *)&server, 4));
	FAILS(EFAULT, connect(tcp(AF_INET), (struct sockaddr *)8, 16));
	s = socket(AF_INET, SOCK_DGRAM, 0);
	server.sin_port = htons(14);
	OK(connect(s, AT(server)));
	OK(send(s, "x", 1, 0)); // to the address of connect
	OK(connect(s, AT(none)));
}

// Binds, listens and accepts, with a client of its own.
static void serves(int taken)
{
	struct sockaddr_in any = v4(0), in_use = v4(taken), self;
	int l = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), client = tcp(AF_INET);

	OK(bind(l, AT(any)));
	OK(listen(l, 1));
	FAILS(EAGAIN, accept(l, NULL, NULL));
	self = v4(port_of(l));
	OK(connect(client, AT(self)));
	OK(accept4(l, NULL, NULL, SOCK_CLOEXEC));
	FAILS(EADDRINUSE, bind(tcp(AF_INET), AT(in_use)));
	printf("%d %d\n", port_of(l), port_of(client));

	struct sockaddr_in6 any6 = v6("::1", 0);
	l = tcp(AF_INET6);
	OK(bind(l, AT(any6)));
	OK(listen(l, 1));
	l = port_of(l);
	printf("%d\n", l);
}

static void sends(int port4)
{
	struct sockaddr_in a = v4(11), b = v4(12), c = v4(13), server = v4(port4);
	struct sockaddr_in6 d = v6("::1", 15);
	struct iovec iov = { "x", 1 };
	struct msghdr to_b = { .msg_name = &b, .msg_namelen = sizeof(b), .msg_iov = &iov, .msg_iovlen = 1 };
	struct msghdr to_c = { .msg_name = &c, .msg_namelen = sizeof(c), .msg_iov = &iov, .msg_iovlen = 1 };
	struct mmsghdr three[] = { { .msg_hdr = to_b }, { .msg_hdr = to_c }, { .msg_hdr = to_b } };
	int s = socket(AF_INET, SOCK_DGRAM, 0);

	for (int i = 0; i < 3; i++)
		OK(sendto(s, "x", 1, 0, AT(a)));
	OK(sendto(socket(AF_INET6, SOCK_DGRAM, 0), "x", 1, 0, AT(d)));
	OK(sendmsg(s, &to_b, 0));
	OK(sendmmsg(s, three, 3, 0));
	FAILS(EDESTADDRREQ, send(s, "x", 1, 0));
	OK(sendto(tcp(AF_INET), "x", 1, MSG_FASTOPEN, AT(server)));
}

static struct sockaddr_un at_path(const char *dir, const char *name)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int n = snprintf(a.sun_path, sizeof(a.sun_path), "%s/%s", dir, name);

	check(n < (int)sizeof(a.sun_path) ? 0 : -1, 0, "the directory's path is too long");
	return a;
}

static void unix_sockets(const char *dir)
{
	struct sockaddr_un stream = at_path(dir, "stream"), dgram = at_path(dir, "dgram");
	struct sockaddr_un nobody = at_path(dir, "nobody"), relative = { AF_UNIX, "relative" };
	struct sockaddr_un abstract = { AF_UNIX }, none = { AF_UNIX };
	socklen_t len = offsetof(struct sockaddr_un, sun_path) + 1 + strlen("turnstile-test");
	char name[32];
	int l = socket(AF_UNIX, SOCK_STREAM, 0), pair[2];

	OK(bind(l, AT(stream)));
	OK(listen(l, 5));
	OK(connect(socket(AF_UNIX, SOCK_STREAM, 0), AT(stream)));
	OK(connect(socket(AF_UNIX, SOCK_STREAM, 0), AT(stream)));
	OK(accept(l, NULL, NULL));
	FAILS(ENOENT, connect(socket(AF_UNIX, SOCK_STREAM, 0), AT(nobody)));
	OK(chdir("a"));
	FAILS(ENOENT, connect(socket(AF_UNIX, SOCK_STREAM, 0), AT(relative)));
	OK(chdir("../b"));
	FAILS(ENOENT, connect(socket(AF_UNIX, SOCK_STREAM, 0), AT(relative)));
	OK(bind(socket(AF_UNIX, SOCK_DGRAM, 0), AT(dgram)));
	OK(sendto(socket(AF_UNIX, SOCK_DGRAM, 0), "x", 1, 0, AT(dgram)));

	snprintf(name, sizeof(name), "turnstile-test");
	memcpy(abstract.sun_path + 1, name, strlen(name));
	OK(bind(socket(AF_UNIX, SOCK_DGRAM, 0), (struct sockaddr *)&abstract, len));
	OK(sendto(socket(AF_UNIX, SOCK_DGRAM, 0), "x", 1, 0, (struct sockaddr *)&abstract, len));
	abstract.sun_path[1] = 'T';
	FAILS(ECONNREFUSED, connect(socket(AF_UNIX, SOCK_SEQPACKET, 0), (struct sockaddr *)&abstract, len));
	OK(bind(socket(AF_UNIX, SOCK_DGRAM, 0), (struct sockaddr *)&none, sizeof(sa_family_t)));
	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	OK(send(pair[0], "x", 1, 0));
}

static void other_families(void)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK, .nl_groups = 0x10 };

	OK(bind(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), AT(kernel)));
}

int main(int argc, char **argv)
{
	OK(chdir(argv[1]));
	connects(atoi(argv[2]), atoi(argv[3]));
	serves(atoi(argv[2]));
	sends(atoi(argv[2]));
	unix_sockets(argv[1]);
	other_families();
	return 0;
}
