// Changes the attributes of a file through a descriptor that was opened to read. argv:
// the way, the tries, the public and the secret file. The way "calls" tries each call on
// both; "race" puts the secret file at a number while the main thread changes what is
// there.
#include "attack.h"
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>

static int public, secret, number = 50;

static void calls(const char *who, int fd)
{
	struct timespec times[2] = { { 1000, 0 }, { 1000, 0 } };
	struct fsxattr x = { 0 };
	int flags = 0;

	ioctl(fd, FS_IOC_GETFLAGS, &flags);
	ioctl(fd, FS_IOC_FSGETXATTR, &x);
	tell(format("%s_fchmod", who), fchmod(fd, 0640));
	tell(format("%s_fchown", who), fchown(fd, -1, -1));
	tell(format("%s_futimens", who), futimens(fd, times));
	tell(format("%s_utimensat_null", who), syscall(SYS_utimensat, fd, NULL, times, 0));
	tell(format("%s_fsetxattr", who), fsetxattr(fd, "user.a", "v", 1, 0));
	tell(format("%s_fremovexattr", who), fremovexattr(fd, "user.z"));
	tell(format("%s_setflags", who), ioctl(fd, FS_IOC_SETFLAGS, &flags));
	tell(format("%s_fssetxattr", who), ioctl(fd, FS_IOC_FSSETXATTR, &x));
	tell(format("%s_setflags_high_bits", who),
	     syscall(SYS_ioctl, fd, 0xffffffff00000000 | FS_IOC_SETFLAGS, &flags));
	tell(format("%s_fchmod_magic", who), chmod(format("/proc/self/fd/%d", fd), 0644));
}

static void *replace(void *unused)
{
	while (!sibling_ends) {
		dup2(secret, number);
		dup2(public, number);
	}
	return unused;
}

static void race(const char *way, int tries)
{
	int escaped = 0, innocent = 0;
	struct stat before, after;

	MUST(dup2(public, number));
	start_sibling(replace, NULL);
	for (int i = 0; i < tries; i++) {
		struct timespec times[2] = { { i, i }, { i, i } };
		int ret;

		MUST(fstat(secret, &before));
		ret = *way == 'm' ? fchmod(number, (before.st_mode & 0777) ^ 1)
				  : futimens(number, times);
		MUST(fstat(secret, &after));
		if (before.st_mode != after.st_mode ||
		    before.st_mtim.tv_nsec != after.st_mtim.tv_nsec)
			escaped++;
		else if (!ret)
			innocent++;
	}
	end_sibling();
	count("escaped", escaped);
	count("innocent", innocent);
}

int main(int argc, char **argv)
{
	public = MUST(open(argv[3], O_RDONLY));
	secret = MUST(open(argv[4], O_RDONLY));
	if (!strcmp(argv[1], "calls")) {
		calls("public", public);
		calls("secret", secret);
	} else {
		race(argv[1], atoi(argv[2]));
	}
	return 0;
}
