// Has another address under a call than the one that was judged. argv: how, and the number
// of tries. A receiver of its own at 127.0.0.2, which is secret, counts what escaped, and
// one at 127.0.0.3 what is innocent.
#include "attack.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

static struct sockaddr_in there, public, secret;
static struct msghdr message;
static int moving, datagrams, stream;

static void *flip_byte(void *arg)
{
	volatile unsigned char *last = (unsigned char *)&there.sin_addr + 3;

	while (!sibling_ends)
		*last = *last == 2 ? 3 : 2;
	return NULL;
}

static void *flip_pointer(void *arg)
{
	void *volatile *name = &message.msg_name;

	while (!sibling_ends) {
		*name = &secret;
		*name = &public;
		*name = NULL;
	}
	return NULL;
}

// flip_descriptor puts sockets under one number: one that is connected, for which an
// address has no meaning, and one that sends where it says.
static void *flip_descriptor(void *arg)
{
	while (!sibling_ends) {
		dup2(stream, moving);
		dup2(datagrams, moving);
	}
	return NULL;
}

static int receiver(struct sockaddr_in *at)
{
	socklen_t len = sizeof(*at);
	int s = MUST(socket(AF_INET, SOCK_DGRAM, 0));

	MUST(bind(s, (void *)at, len));
	MUST(getsockname(s, (void *)at, &len));
	return s;
}

static long received(int s)
{
	char b[8];
	long n = 0;

	while (recv(s, b, sizeof(b), MSG_DONTWAIT) >= 0)
		n++;
	return n;
}

static bool reached_secret(int s)
{
	struct sockaddr_in peer = { 0 };
	socklen_t len = sizeof(peer);

	return !getpeername(s, (void *)&peer, &len) && peer.sin_addr.s_addr == secret.sin_addr.s_addr;
}

int main(int argc, char **argv)
{
	const char *how = argv[1];
	long tries = atol(argv[2]), escaped = 0, innocent = 0, i;
	struct iovec iov = { "x", 1 };
	int s, r, other = -1, l;
	struct sockaddr_in at = { AF_INET };
	socklen_t len = sizeof(at);

	secret = public = at;
	inet_pton(AF_INET, "127.0.0.2", &secret.sin_addr);
	inet_pton(AF_INET, "127.0.0.3", &public.sin_addr);
	s = receiver(&secret);
	public.sin_port = secret.sin_port;
	r = receiver(&public);
	there = public;
	message = (struct msghdr){ .msg_name = &there, .msg_namelen = len, .msg_iov = &iov, .msg_iovlen = 1 };
	datagrams = MUST(socket(AF_INET, SOCK_DGRAM, 0));
	moving = MUST(dup(datagrams));

	if (!strcmp(how, "descriptor")) {
		l = MUST(socket(AF_INET, SOCK_STREAM, 0));
		MUST(listen(l, 1));
		MUST(getsockname(l, (void *)&at, &len));
		inet_pton(AF_INET, "127.0.0.1", &at.sin_addr);
		stream = MUST(socket(AF_INET, SOCK_STREAM, 0));
		MUST(connect(stream, (void *)&at, len));
		other = MUST(accept(l, NULL, NULL));
		start_sibling(flip_descriptor, NULL);
	} else {
		start_sibling(strcmp(how, "pointer") ? flip_byte : flip_pointer, NULL);
	}
	for (i = 0; i < tries; i++) {
		if (i % 64 == 0)
			sched_yield(); // on a busy machine the sibling has to get a turn
		if (!strcmp(how, "sendto")) {
			sendto(datagrams, "x", 1, 0, (void *)&there, len);
		} else if (!strcmp(how, "sendmsg") || !strcmp(how, "pointer")) {
			sendmsg(datagrams, &message, 0);
		} else if (!strcmp(how, "sendmmsg")) {
			struct mmsghdr mm[2] = { { .msg_hdr = message }, { .msg_hdr = message } };

			sendmmsg(datagrams, mm, 2, 0);
		} else if (!strcmp(how, "connect")) {
			if (!connect(datagrams, (void *)&there, len)) {
				if (reached_secret(datagrams))
					escaped++;
				else
					innocent++;
			}
		} else {
			char b[8];

			sendto(moving, "x", 1, MSG_DONTWAIT, (void *)&secret, len);
			while (recv(other, b, sizeof(b), MSG_DONTWAIT) > 0)
				innocent++;
		}
		escaped += received(s);
		innocent += received(r);
	}
	end_sibling();
	escaped += received(s);
	count("escaped", escaped);
	count("innocent", innocent);
	return 0;
}
