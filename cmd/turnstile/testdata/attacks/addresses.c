// Speaks to a peer on the loopback by every call and by every spelling of its address.
// argv: the port of TCP, that of UDP and the abstract name of the secret peer, and the
// same of the public one.
#include "attack.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

struct address {
	socklen_t len;
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
		char bytes[128];
	};
};

static struct address in4(const char *ip, int port)
{
	struct address a = { .len = sizeof(a.in), .in = { AF_INET, htons(port) } };

	inet_pton(AF_INET, ip, &a.in.sin_addr);
	return a;
}

static struct address in6(const char *ip, int port)
{
	struct address a = { .len = sizeof(a.in6), .in6 = { AF_INET6, htons(port) } };

	inet_pton(AF_INET6, ip, &a.in6.sin6_addr);
	return a;
}

static struct address with(struct address a, int family, socklen_t len)
{
	a.any.sa_family = family;
	a.len = len;
	return a;
}

static struct address abstract(const char *name)
{
	struct address a = { .un = { AF_UNIX } };

	memcpy(a.un.sun_path + 1, name, strlen(name));
	a.len = offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name);
	return a;
}

static const char *to;

static void connects(const char *how, int family, int protocol, struct address a)
{
	int s = socket(family, SOCK_STREAM, protocol), one = 1;

	if (s < 0) {
		tell(format("%s_%s_connect", to, how), s);
		return;
	}
	tell(format("%s_%s_connect", to, how), connect(s, &a.any, a.len));
	close(s);
	// The connection is made by the first write.
	s = socket(family, SOCK_STREAM, protocol);
	if (!setsockopt(s, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &one, sizeof(one))) {
		long ret = connect(s, &a.any, a.len);

		tell(format("%s_%s_connect_late", to, how), ret < 0 ? ret : write(s, "x", 1));
	}
	close(s);
}

static void fast_opens(const char *how, int family, struct address a)
{
	struct iovec iov = { "x", 1 };
	struct msghdr m = { .msg_name = &a.any, .msg_namelen = a.len, .msg_iov = &iov, .msg_iovlen = 1 };
	struct mmsghdr mm = { .msg_hdr = m };
	int s = socket(family, SOCK_STREAM, 0);

	tell(format("%s_%s_fast_sendto", to, how), sendto(s, "x", 1, MSG_FASTOPEN, &a.any, a.len));
	close(s);
	s = socket(family, SOCK_STREAM, 0);
	tell(format("%s_%s_fast_sendmsg", to, how), sendmsg(s, &m, MSG_FASTOPEN));
	close(s);
	s = socket(family, SOCK_STREAM, 0);
	tell(format("%s_%s_fast_sendmmsg", to, how), sendmmsg(s, &mm, 1, MSG_FASTOPEN));
	close(s);
}

static void sends(const char *how, int family, int protocol, struct address a)
{
	struct iovec iov = { "x", 1 };
	struct msghdr m = { .msg_name = &a.any, .msg_namelen = a.len, .msg_iov = &iov, .msg_iovlen = 1 };
	struct mmsghdr mm[2] = { { .msg_hdr = m }, { .msg_hdr = m } };
	int type = family == AF_UNIX || family == AF_INET || family == AF_INET6 ? SOCK_DGRAM : 0;
	int s = socket(family, type, protocol);

	if (s < 0) {
		tell(format("%s_%s_sendto", to, how), s);
		return;
	}
	tell(format("%s_%s_sendto", to, how), sendto(s, "x", 1, 0, &a.any, a.len));
	tell(format("%s_%s_sendmsg", to, how), sendmsg(s, &m, 0));
	tell(format("%s_%s_sendmmsg", to, how), sendmmsg(s, mm, 2, 0));
	if (a.any.sa_family != AF_UNSPEC && !tell(format("%s_%s_connect_datagram", to, how), connect(s, &a.any, a.len)))
		MUST(send(s, "x", 1, 0));
	close(s);
}

static void speak(const char *tcp, const char *udp, const char *name)
{
	int t = atoi(tcp), u = atoi(udp);
	struct address a;
	int s;

	connects("v4", AF_INET, 0, in4("127.0.0.1", t));
	connects("v4_other", AF_INET, 0, in4("127.1.2.3", t));
	connects("v4_long", AF_INET, 0, with(in4("127.0.0.1", t), AF_INET, 128));
	connects("v4_nowhere", AF_INET, 0, in4("0.0.0.0", t));
	connects("v6", AF_INET6, 0, in6("::1", t));
	connects("v6_scope", AF_INET6, 0, with(in6("::1", t), AF_INET6, 24));
	connects("v6_mapped", AF_INET6, 0, in6("::ffff:127.0.0.1", t));
	connects("v6_nowhere", AF_INET6, 0, in6("::", t));
	connects("v6_mapped_nowhere", AF_INET6, 0, in6("::ffff:0.0.0.0", t));
	connects("mptcp", AF_INET, IPPROTO_MPTCP, in4("127.0.0.1", t));
	connects("mptcp_mapped", AF_INET6, IPPROTO_MPTCP, in6("::ffff:127.0.0.1", t));
	// Bound to an address, nowhere is that one.
	s = MUST(socket(AF_INET, SOCK_STREAM, 0));
	a = in4("127.0.0.9", 0);
	MUST(bind(s, &a.any, a.len));
	a = in4("0.0.0.0", t);
	tell(format("%s_v4_bound_connect", to), connect(s, &a.any, a.len));
	// A connection that has ended is no leave for another.
	close(s);

	fast_opens("v4", AF_INET, in4("127.0.0.1", t));
	fast_opens("v4_nowhere", AF_INET, in4("0.0.0.0", t));
	fast_opens("v6", AF_INET6, in6("::1", t));
	fast_opens("v6_mapped", AF_INET6, in6("::ffff:127.0.0.1", t));

	sends("udp", AF_INET, 0, in4("127.0.0.1", u));
	sends("udp_other", AF_INET, 0, in4("127.1.2.3", u));
	sends("udp_long", AF_INET, 0, with(in4("127.0.0.1", u), AF_INET, 128));
	sends("udp_nowhere", AF_INET, 0, in4("0.0.0.0", u));
	sends("udp_unspecified", AF_INET, 0, with(in4("127.0.0.1", u), AF_UNSPEC, sizeof(a.in)));
	sends("udp6", AF_INET6, 0, in6("::1", u));
	sends("udp6_nowhere", AF_INET6, 0, in6("::", u));
	sends("udp6_mapped", AF_INET6, 0, in6("::ffff:127.0.0.1", u));
	sends("udp6_v4", AF_INET6, 0, in4("127.0.0.1", u));
	sends("abstract", AF_UNIX, 0, abstract(format("%s.datagram", name)));
	a = abstract(format("%s.stream", name));
	s = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	tell(format("%s_abstract_connect", to), connect(s, &a.any, a.len));
	close(s);
}

// counts sends to the one and to the other: the count is of those that were sent.
static void counts(const char *secret, const char *public)
{
	struct address a[2] = { in4("127.0.0.1", atoi(public)), in4("127.0.0.1", atoi(secret)) };
	struct iovec iov = { "x", 1 };
	struct mmsghdr mm[4];
	int s = MUST(socket(AF_INET, SOCK_DGRAM, 0)), i;
	long sent;

	for (i = 0; i < 4; i++)
		mm[i] = (struct mmsghdr){
			.msg_hdr = { .msg_name = &a[i == 2].any, .msg_namelen = a[0].len, .msg_iov = &iov, .msg_iovlen = 1 },
			.msg_len = 77,
		};
	sent = sendmmsg(s, mm, 4, 0);
	count("mixed_sent", sent);
	for (i = 0; i < 4; i++)
		count(format("mixed_length_%d", i), mm[i].msg_len);
	tell("secret_mixed_rest", sendmmsg(s, mm + 2, 2, 0));
	close(s);
}

// detours sends to the public peer over hops, one of them the secret peer's.
static void detours(const char *public)
{
	struct address a = in4("127.0.0.1", atoi(public));
	unsigned char over[8] = { 131, 7, 4, 127, 0, 0, 1, 0 }; // IPOPT_LSRR
	struct {
		struct cmsghdr head;
		unsigned char options[8];
	} control = { { CMSG_LEN(8), IPPROTO_IP, IP_RETOPTS } };
	struct iovec iov = { "x", 1 };
	struct msghdr m = {
		.msg_name = &a.any, .msg_namelen = a.len, .msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	int s = MUST(socket(AF_INET, SOCK_DGRAM, 0));

	memcpy(control.options, over, sizeof(over));
	tell("detour_message", sendmsg(s, &m, 0));
	tell("detour_option", setsockopt(s, IPPROTO_IP, IP_OPTIONS, over, sizeof(over)));
	tell("detour_ttl", setsockopt(s, IPPROTO_IP, IP_TTL, &(int){ 9 }, sizeof(int)));
	close(s);
	// The memory of a message that is not copied is sent later, as it is then.
	m.msg_control = NULL;
	m.msg_controllen = 0;
	s = MUST(socket(AF_INET, SOCK_DGRAM, 0));
	tell("pinned_not_asked_for", sendmsg(s, &m, MSG_ZEROCOPY));
	MUST(setsockopt(s, SOL_SOCKET, SO_ZEROCOPY, &(int){ 1 }, sizeof(int)));
	tell("pinned", sendmsg(s, &m, MSG_ZEROCOPY));
	close(s);
}

int main(int argc, char **argv)
{
	to = "secret";
	speak(argv[1], argv[2], argv[3]);
	to = "public";
	speak(argv[4], argv[5], argv[6]);
	counts(argv[2], argv[5]);
	detours(argv[5]);
	return 0;
}
