// Connects to who does not answer from many threads, and is interrupted. argv: the port,
// and the number of threads.
#include "attack.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

static struct sockaddr_in at = { AF_INET };

static void *waits(void *arg)
{
	int s = MUST(socket(AF_INET, SOCK_STREAM, 0));

	connect(s, (void *)&at, sizeof(at));
	return NULL;
}

static int signals;

static void caught(int sig)
{
	signals++;
}

// interrupts has a signal come while a connection is waited for.
static void interrupts(const char *what, int flags, int seconds)
{
	struct sigaction action = { .sa_handler = caught, .sa_flags = flags };
	struct timeval limit = { .tv_sec = seconds };
	int s = MUST(socket(AF_INET, SOCK_STREAM, 0));

	signals = 0;
	sigaction(SIGALRM, &action, NULL);
	MUST(setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)));
	ualarm(200000, 0);
	tell(what, connect(s, (void *)&at, sizeof(at)));
	count(format("%s_signals", what), signals);
	close(s);
}

int main(int argc, char **argv)
{
	struct timeval limit = { .tv_usec = 300000 };
	int many = atoi(argv[2]), s, i, l;
	socklen_t len = sizeof(at);
	struct sockaddr_in other = at;
	sigset_t set;

	at.sin_port = htons(atoi(argv[1]));
	inet_pton(AF_INET, "127.0.0.1", &at.sin_addr);
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	for (i = 0; i < many; i++) {
		pthread_t t;

		if (pthread_create(&t, NULL, waits, NULL))
			exit(1);
	}
	// Others are connected meanwhile, also those that do not wait themselves.
	l = MUST(socket(AF_INET, SOCK_STREAM, 0));
	MUST(listen(l, 10));
	MUST(getsockname(l, (void *)&other, &len));
	inet_pton(AF_INET, "127.0.0.1", &other.sin_addr);
	s = MUST(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
	tell("at_once", connect(s, (void *)&other, len));
	s = MUST(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
	tell("full_at_once", connect(s, (void *)&at, len));
	tell("full_again", connect(s, (void *)&at, len));
	s = MUST(socket(AF_INET, SOCK_DGRAM, 0));
	tell("datagram", connect(s, (void *)&other, len));

	if (many > 1) {
		pid_t child = fork();

		if (!child) {
			execl("/proc/self/exe", argv[0], argv[1], "0", NULL);
			_exit(127);
		}
		_exit(0); // with all that wait; what the child says is waited for
	}
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	interrupts("interrupted", 0, 0);
	// A limit that is set keeps a call from being restarted.
	interrupts("limited_interrupted", SA_RESTART, 30);
	s = MUST(socket(AF_INET, SOCK_STREAM, 0));
	MUST(setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)));
	tell("limited", connect(s, (void *)&at, sizeof(at)));
	return 0;
}
