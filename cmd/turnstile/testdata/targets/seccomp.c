// Makes two directories in argv[1], then lets a seccomp filter answer mkdirat with
// EPERM and tries seven times more.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mkdirat, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { .len = sizeof(code) / sizeof(code[0]), .filter = code };

	if (argc < 2 || chdir(argv[1]))
		return 1;
	if (syscall(SYS_mkdirat, AT_FDCWD, "first", 0700) || syscall(SYS_mkdirat, AT_FDCWD, "second", 0700))
		return 1;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter))
		return 1;
	for (int i = 0; i < 7; i++)
		if (syscall(SYS_mkdirat, AT_FDCWD, "denied", 0700) == 0 || errno != EPERM)
			return 1;
	return 0;
}
