// Speaks to the sockets of a peer by their paths, or makes such names. argv: a directory
// with the directories public and secret, which have the sockets stream and datagram,
// also with \xff\n behind the name; and connect or bind.
#include "attack.h"
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

static char *dir;

static socklen_t address(struct sockaddr_un *a, const char *path)
{
	size_t len = strlen(path);

	memset(a, 0, sizeof(*a));
	a->sun_family = AF_UNIX;
	memcpy(a->sun_path, path, len);
	return offsetof(struct sockaddr_un, sun_path) + len + 1;
}

static void speak(const char *how, const char *to, const char *stream, const char *datagram)
{
	struct sockaddr_un s, d;
	socklen_t slen = address(&s, stream), dlen = address(&d, datagram);
	struct iovec iov = { "x", 1 };
	struct msghdr m = { .msg_name = &d, .msg_namelen = dlen, .msg_iov = &iov, .msg_iovlen = 1 };
	struct mmsghdr mm[2] = { { .msg_hdr = m }, { .msg_hdr = m } };
	int u = socket(AF_UNIX, SOCK_DGRAM, 0), c = socket(AF_UNIX, SOCK_STREAM, 0);
	long sent;

	tell(format("%s_%s_connect", to, how), connect(c, (void *)&s, slen));
	// Without the zero byte behind the path.
	close(c);
	c = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	tell(format("%s_%s_connect_no_zero", to, how), connect(c, (void *)&s, slen - 1));
	tell(format("%s_%s_sendto", to, how), sendto(u, "x", 1, 0, (void *)&d, dlen));
	tell(format("%s_%s_sendmsg", to, how), sendmsg(u, &m, 0));
	sent = tell(format("%s_%s_sendmmsg", to, how), sendmmsg(u, mm, 2, 0));
	if (sent >= 0)
		count(format("%s_%s_sent", to, how), sent);
	tell(format("%s_%s_connect_datagram", to, how), connect(u, (void *)&d, dlen));
	close(c);
	close(u);
}

static void speaks(const char *to)
{
	char *there = format("%s/%s", dir, to);
	int at;

	speak("absolute", to, format("%s/stream", there), format("%s/datagram", there));
	speak("relative", to, format("%s/stream", to), format("%s/datagram", to));
	speak("dots", to, format("./%s/../%s/stream", to, to), format(".//%s/datagram", to));
	MUST(symlink(format("%s/stream", to), "s"));
	MUST(symlink(format("%s/datagram", to), "d"));
	speak("link", to, "s", "d");
	MUST(unlink("s"));
	MUST(unlink("d"));
	MUST(symlink(to, "l"));
	speak("link_between", to, "l/stream", "l/datagram");
	MUST(unlink("l"));
	at = MUST(open(to, O_RDONLY));
	speak("by_fd", to, format("/proc/self/fd/%d/stream", at),
	      format("/proc/self/fd/%d/datagram", at));
	speak("by_cwd", to, format("/proc/self/cwd/%s/stream", to),
	      format("/proc/self/cwd/%s/datagram", to));
	speak("bytes", to, format("%s/stream\xff\n", to), format("%s/datagram\xff\n", to));
	MUST(chdir(to));
	speak("in_cwd", to, "stream", "datagram");
	MUST(chdir(dir));
}

static void name(const char *how, const char *to, const char *path, int type)
{
	struct sockaddr_un a, got = { 0 };
	socklen_t len = address(&a, path), gotlen = sizeof(got);
	int s = socket(AF_UNIX, type, 0);
	struct stat st;

	if (!tell(format("%s_%s", to, how), bind(s, (void *)&a, len))) {
		// The name that a socket has is the one that it was given.
		MUST(getsockname(s, (void *)&got, &gotlen));
		if (gotlen != len || memcmp(&got, &a, len))
			printf("%s_%s has another name: %.100s\n", to, how, got.sun_path);
		MUST(stat(path, &st));
		printf("%s_%s_mode %o uid %d\n", to, how, st.st_mode, st.st_uid);
		tell(format("%s_%s_listen", to, how), type == SOCK_STREAM ? listen(s, 1) : 0);
		tell(format("%s_%s_again", to, how),
		     bind(socket(AF_UNIX, type, 0), (void *)&a, len));
		MUST(unlink(path));
	}
	close(s);
}

static void names(const char *to)
{
	int at = MUST(open(to, O_RDONLY));

	name("absolute", to, format("%s/%s/new", dir, to), SOCK_STREAM);
	name("relative", to, format("%s/new", to), SOCK_STREAM);
	name("datagram", to, format("%s/new", to), SOCK_DGRAM);
	name("packets", to, format("%s/new", to), SOCK_SEQPACKET);
	name("by_fd", to, format("/proc/self/fd/%d/new", at), SOCK_STREAM);
	MUST(symlink(to, "l"));
	name("link_between", to, "l/new", SOCK_STREAM);
	MUST(unlink("l"));
	// A link at the end is not followed.
	MUST(symlink(format("%s/new", to), "l"));
	name("dangling", to, "l", SOCK_STREAM);
	MUST(unlink("l"));
	name("bytes", to, format("%s/\xff\n\x1b", to), SOCK_STREAM);
	MUST(chdir(to));
	name("in_cwd", to, "new", SOCK_STREAM);
	MUST(chdir(dir));
}

static void odd_addresses(void)
{
	struct sockaddr_un a = { AF_UNIX };
	socklen_t len = sizeof(a);
	int s = socket(AF_UNIX, SOCK_STREAM, 0), pair[2];

	tell("autobind", bind(s, (void *)&a, sizeof(sa_family_t)));
	MUST(getsockname(s, (void *)&a, &len));
	printf("autobind_length %d first %d\n", len, a.sun_path[0]);
	tell("no_address", connect(socket(AF_UNIX, SOCK_STREAM, 0), NULL, 10));
	tell("short_address", connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&a, 1));
	tell("long_address", connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&a, 200));
	tell("huge_address", connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&a, 1 << 30));
	tell("not_a_socket", connect(MUST(open("/dev/null", O_RDWR)), (void *)&a, sizeof(a)));
	tell("not_open", connect(777, (void *)&a, sizeof(a)));
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	tell("pair", send(pair[0], "x", 1, 0));
	address(&a, "nothing_here");
	tell("missing", connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&a, sizeof(a)));
	address(&a, "public/file");
	tell("not_a_socket_there", connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&a, sizeof(a)));
	address(&a, "public/datagram");
	tell("wrong_type", connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&a, sizeof(a)));
}

int main(int argc, char **argv)
{
	dir = argv[1];
	MUST(chdir(dir));
	umask(022);
	if (!strcmp(argv[2], "connect")) {
		speaks("secret");
		speaks("public");
		odd_addresses();
	} else {
		names("secret");
		names("public");
	}
	return 0;
}
