// Prints "ready" and its pid, and then "got N" for each signal N that comes, once for each
// time. SIGALRM ends it with 7. Signals that stop have their default action.
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

int main(void)
{
	sigset_t set;
	int sig;

	sigfillset(&set);
	sigdelset(&set, SIGTSTP);
	sigdelset(&set, SIGTTIN);
	sigdelset(&set, SIGTTOU);
	sigprocmask(SIG_SETMASK, &set, NULL);
	dprintf(1, "ready %d\n", getpid());
	while (sigwait(&set, &sig) == 0 && sig != SIGALRM)
		dprintf(1, "got %d\n", sig);
	return 7;
}
