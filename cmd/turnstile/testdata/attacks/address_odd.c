// Gives sockets of all kinds addresses of all families and lengths, and prints what comes
// of it.
#include "attack.h"
#include <arpa/inet.h>
#include <limits.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/socket.h>

static const struct {
	const char *name;
	int family, type, protocol;
} kinds[] = {
	{ "tcp", AF_INET, SOCK_STREAM, 0 },
	{ "tcp6", AF_INET6, SOCK_STREAM, 0 },
	{ "mptcp", AF_INET, SOCK_STREAM, 262 },
	{ "udp", AF_INET, SOCK_DGRAM, 0 },
	{ "udp6", AF_INET6, SOCK_DGRAM, 0 },
	{ "udplite", AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE },
	{ "ping", AF_INET, SOCK_DGRAM, IPPROTO_ICMP },
	{ "stream", AF_UNIX, SOCK_STREAM, 0 },
	{ "datagram", AF_UNIX, SOCK_DGRAM, 0 },
	{ "packet", AF_UNIX, SOCK_SEQPACKET, 0 },
	{ "netlink", AF_NETLINK, SOCK_RAW, NETLINK_ROUTE },
};

static const int families[] = { AF_UNSPEC, AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, 99 };
static const int lengths[] = { INT_MIN, -1, 0, 1, 2, 3, 12, 15, 16, 23, 24, 27, 28, 110, 111, 128, 129, INT_MAX };

// The same bytes are 127.0.0.1 of IPv4 and ::1 of IPv6, at port 9, an abstract name, and
// nobody of netlink.
static const unsigned char address[256] = { 0, 0, 0, 9, 127, 0, 0, 1, [23] = 1 };

static char bytes[256];

static long try(int s, const char *how, int len)
{
	struct iovec iov = { "\x08\0\0\0\0\0\0\0", 8 };
	struct msghdr m = { .msg_name = bytes, .msg_namelen = len, .msg_iov = &iov, .msg_iovlen = 1 };

	if (!strcmp(how, "connect"))
		return connect(s, (void *)bytes, len);
	if (!strcmp(how, "bind"))
		return bind(s, (void *)bytes, len);
	if (!strcmp(how, "sendto"))
		return sendto(s, iov.iov_base, 8, MSG_NOSIGNAL, (void *)bytes, len);
	if (!strcmp(how, "fast"))
		return sendto(s, iov.iov_base, 8, MSG_NOSIGNAL | MSG_FASTOPEN, (void *)bytes, len);
	return sendmsg(s, &m, MSG_NOSIGNAL);
}

int main(int argc, char **argv)
{
	const char *hows[] = { "connect", "bind", "sendto", "sendmsg", "fast" };
	unsigned k, f, l, h;

	for (k = 0; k < sizeof(kinds) / sizeof(*kinds); k++)
		for (h = 0; h < sizeof(hows) / sizeof(*hows); h++)
			for (f = 0; f < sizeof(families) / sizeof(*families); f++)
				for (l = 0; l < sizeof(lengths) / sizeof(*lengths); l++) {
					int s = socket(kinds[k].family, kinds[k].type, kinds[k].protocol);

					if (s < 0)
						continue;
					memcpy(bytes, address, sizeof(bytes));
					((struct sockaddr *)bytes)->sa_family = families[f];
					if (families[f] == AF_NETLINK)
						memset(bytes + 2, 0, 10);
					if (families[f] == AF_UNIX)
						bytes[3] = argc > 1 ? argv[1][0] : 'x';
					if (!strcmp(hows[h], "bind") && families[f] != AF_UNIX && families[f] != AF_NETLINK)
						bytes[2] = 0x9c; // a port that nobody minds
					tell(format("%s_%s_family_%d_length_%d", kinds[k].name, hows[h], families[f], lengths[l]),
					     try(s, hows[h], lengths[l]));
					close(s);
				}
	return 0;
}
