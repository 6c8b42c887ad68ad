// Puts filters of its own around itself, which are newer than that of the gate, so that they
// decide instead of it. argv: a directory with the files secret and public.
#include "attack.h"
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

static char *secret;

// answers installs a filter that says this about openat, and returns what seccomp(2) does.
static int answers(unsigned action, unsigned flags)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(*code), code };

	MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

static int open_secret(void)
{
	return syscall(SYS_openat, AT_FDCWD, secret, O_RDONLY, 0);
}

static void *serve(void *arg)
{
	int listener = *(int *)arg;
	struct seccomp_notif call = { 0 };
	struct seccomp_notif_resp answer = { 0 };

	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call))
		return NULL;
	answer.id = call.id;
	answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
	return NULL;
}

// A listener of its own lets its open go on.
static long by_listener(void)
{
	static int listener;

	listener = answers(SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER);
	if (listener < 0)
		return -1;
	start_sibling(serve, &listener);
	return open_secret();
}

// The same in a thread that shares its filters with all others.
static long by_synchronised_listener(void)
{
	int listener = answers(SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER |
							       SECCOMP_FILTER_FLAG_TSYNC |
							       SECCOMP_FILTER_FLAG_TSYNC_ESRCH);

	return listener;
}

static long by_allowing(void)
{
	return answers(SECCOMP_RET_ALLOW, 0) ? -1 : open_secret();
}

static long by_logging(void)
{
	return answers(SECCOMP_RET_LOG, 0) ? -1 : open_secret();
}

// Seccomp asks a tracer, which turns another call into the open.
static long by_tracer(void)
{
	int status, child = fork();

	if (!child) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
			_exit(errno);
		if (answers(SECCOMP_RET_TRACE, 0))
			_exit(errno);
		raise(SIGSTOP);
		_exit(open_secret() < 0 ? errno : 0);
	}
	while (waitpid(child, &status, 0) == child && WIFSTOPPED(status)) {
		ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL);
		ptrace(PTRACE_CONT, child, NULL, NULL);
	}
	errno = WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
	return errno ? -1 : 0;
}

// A tracer that suspends the filters of another.
static long by_suspending(void)
{
	int status, child = fork();
	long ret;

	if (!child) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
			_exit(errno);
		raise(SIGSTOP);
		_exit(open_secret() < 0 ? errno : 0);
	}
	waitpid(child, &status, 0);
	ret = ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_SUSPEND_SECCOMP | PTRACE_O_EXITKILL);
	if (ret < 0) {
		status = errno;
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		errno = status;
		return -1;
	}
	ptrace(PTRACE_CONT, child, NULL, NULL);
	waitpid(child, &status, 0);
	errno = WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
	return errno ? -1 : 0;
}

#ifdef __x86_64__
// A tracer turns a call that nobody asks about into the open, where it begins.
static long by_rewriting(void)
{
	struct user_regs_struct regs;
	int status, child = fork();

	if (!child) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
			_exit(errno);
		raise(SIGSTOP);
		_exit(syscall(SYS_getppid) < 0 ? errno : 0);
	}
	waitpid(child, &status, 0);
	if (!WIFSTOPPED(status)) {
		errno = WEXITSTATUS(status);
		return -1;
	}
	ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_EXITKILL);
	do {
		ptrace(PTRACE_SYSCALL, child, NULL, NULL);
		waitpid(child, &status, 0);
		if (!WIFSTOPPED(status))
			return -1;
		ptrace(PTRACE_GETREGS, child, NULL, &regs);
	} while (regs.orig_rax != SYS_getppid);
	regs.orig_rax = SYS_openat;
	regs.rdi = AT_FDCWD;
	regs.rsi = (uintptr_t)secret;
	regs.rdx = O_RDONLY;
	ptrace(PTRACE_SETREGS, child, NULL, &regs);
	ptrace(PTRACE_CONT, child, NULL, NULL);
	waitpid(child, &status, 0);
	errno = WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
	return errno ? -1 : 0;
}
#endif

static long in_child(long (*call)(void))
{
	int status, pid = fork();

	if (!pid)
		_exit(call() < 0 ? errno : 0);
	waitpid(pid, &status, 0);
	errno = WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
	return errno ? -1 : 0;
}

int main(int argc, char **argv)
{
	secret = format("%s/secret", argv[1]);
	tell("listener", in_child(by_listener));
	tell("listener_tsync", in_child(by_synchronised_listener));
	tell("allow", in_child(by_allowing));
	tell("log", in_child(by_logging));
	tell("tracer", in_child(by_tracer));
#ifdef __x86_64__
	tell("rewrite", in_child(by_rewriting));
#endif
	tell("suspend", in_child(by_suspending));
	opened("innocent", open(format("%s/public", argv[1]), O_RDONLY));
	return 0;
}
