// Binds sockets to two ports, by every spelling, and listens without having bound. argv:
// the ports, the first of which is secret, and an abstract name.
#include "attack.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

static const char *to;

static void named(const char *how, int family, int type, int protocol, void *a, socklen_t len)
{
	int s = socket(family, type, protocol), one = 1;

	if (s < 0) {
		tell(format("%s_%s_bind", to, how), s);
		return;
	}
	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (!tell(format("%s_%s_bind", to, how), bind(s, a, len)) && type == SOCK_STREAM)
		tell(format("%s_%s_listen", to, how), listen(s, 1));
	close(s);
}

static void names(int port, const char *name)
{
	struct sockaddr_in a = { AF_INET, htons(port) }, other = a;
	struct sockaddr_in6 a6 = { AF_INET6, htons(port) };
	struct sockaddr_un u = { AF_UNIX };

	named("any", AF_INET, SOCK_STREAM, 0, &a, sizeof(a));
	named("any_udp", AF_INET, SOCK_DGRAM, 0, &a, sizeof(a));
	named("any_mptcp", AF_INET, SOCK_STREAM, IPPROTO_MPTCP, &a, sizeof(a));
	other.sin_family = AF_UNSPEC;
	named("unspecified", AF_INET, SOCK_STREAM, 0, &other, sizeof(other));
	named("unspecified_udp", AF_INET, SOCK_DGRAM, 0, &other, sizeof(other));
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	named("loopback", AF_INET, SOCK_STREAM, 0, &a, sizeof(a));
	named("loopback_udp", AF_INET, SOCK_DGRAM, 0, &a, sizeof(a));
	named("any6", AF_INET6, SOCK_STREAM, 0, &a6, sizeof(a6));
	named("any6_udp", AF_INET6, SOCK_DGRAM, 0, &a6, sizeof(a6));
	inet_pton(AF_INET6, "::ffff:127.0.0.1", &a6.sin6_addr);
	named("mapped", AF_INET6, SOCK_STREAM, 0, &a6, sizeof(a6));
	named("mapped_udp", AF_INET6, SOCK_DGRAM, 0, &a6, sizeof(a6));
	inet_pton(AF_INET6, "::ffff:0.0.0.0", &a6.sin6_addr);
	named("mapped_any", AF_INET6, SOCK_STREAM, 0, &a6, sizeof(a6));
	memcpy(u.sun_path + 1, to, strlen(to));
	memcpy(u.sun_path + 1 + strlen(to), name, strlen(name));
	named("abstract", AF_UNIX, SOCK_STREAM, 0, &u, offsetof(struct sockaddr_un, sun_path) + 1 + strlen(to) + strlen(name));
}

int main(int argc, char **argv)
{
	struct sockaddr_un u = { AF_UNIX };
	int s = MUST(socket(AF_INET, SOCK_STREAM, 0));

	to = "secret";
	names(atoi(argv[1]), argv[3]);
	to = "public";
	names(atoi(argv[2]), argv[3]);
	tell("unbound_listen", listen(s, 1));
	tell("unbound_listen6", listen(MUST(socket(AF_INET6, SOCK_STREAM, 0)), 1));
	tell("listen_datagram", listen(MUST(socket(AF_INET, SOCK_DGRAM, 0)), 1));
	tell("autobind", bind(MUST(socket(AF_UNIX, SOCK_DGRAM, 0)), (void *)&u, sizeof(sa_family_t)));
	return 0;
}
