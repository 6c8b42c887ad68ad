// Gives up being root, and tries what only root may. argv: the way to give it up, and a
// directory with the file and the directory closed of root's, and the directory open.
#include "attack.h"
#include <grp.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/fsuid.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/xattr.h>

static char *dir;

static void tries(void)
{
	struct sockaddr_un a = { AF_UNIX, "closed/socket" }, to = { AF_UNIX, "socket" };
	struct sockaddr_in low = { AF_INET, htons(79), { htonl(INADDR_LOOPBACK) } };
	int fd;

	opened("read", open("file", O_RDONLY));
	opened("write", open("file", O_WRONLY));
	opened("create_there", open("file", O_CREAT | O_RDWR, 0600));
	opened("shadow", open("/etc/shadow", O_RDONLY));
	opened("create", open("closed/new", O_CREAT | O_WRONLY, 0600));
	opened("inside", open("closed/inside", O_RDONLY));
	opened("list", open("closed", O_RDONLY | O_DIRECTORY));
	opened("of_group", open("group", O_RDONLY));
	opened("tmpfile", open("closed", O_TMPFILE | O_RDWR, 0600));
	tell("mkdir", mkdir("closed/dir", 0700));
	tell("mknod", mknod("closed/node", S_IFREG | 0600, 0));
	tell("symlink", symlink("x", "closed/link"));
	tell("link", link("file", "open/link"));
	tell("rename", rename("file", "open/file"));
	tell("unlink", unlink("file"));
	tell("rmdir", rmdir("closed/empty"));
	tell("truncate", truncate("file", 0));
	tell("chmod", chmod("file", 0666));
	tell("chown", chown("file", 65534, 65534));
	tell("utime", utimensat(AT_FDCWD, "file", NULL, 0));
	tell("setxattr", setxattr("file", "user.x", "x", 1, 0));
	tell("trusted", setxattr("open", "trusted.x", "x", 1, 0));
	tell("access", faccessat(AT_FDCWD, "file", R_OK, AT_EACCESS));
	tell("bind", bind(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&a, sizeof(a)));
	tell("connect", connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&to, sizeof(to)));
	tell("low_port", bind(socket(AF_INET, SOCK_STREAM, 0), (void *)&low, sizeof(low)));
	opened("init_environ", open("/proc/1/environ", O_RDONLY));
	opened("own_memory", open("/proc/self/mem", O_RDWR));
	opened("memory", open("/dev/mem", O_RDONLY));
	opened("sysctl", open("/proc/sys/kernel/domainname", O_WRONLY));
	// What it makes belongs to who it is now.
	fd = open("open/mine", O_CREAT | O_RDWR, 0640);
	if (tell("mine", fd) >= 0) {
		struct stat st;

		MUST(fstat(fd, &st));
		printf("mine %o uid %d gid %d\n", st.st_mode, st.st_uid, st.st_gid);
		close(fd);
		tell("mine_gone", unlink("open/mine"));
	}
}

static void *as_thread(void *unused)
{
	tries();
	return unused;
}

static void capabilities(void)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2] = { 0 };

	MUST(syscall(SYS_capset, &h, d));
}

int main(int argc, char **argv)
{
	const char *way = argv[1];
	pthread_t t;

	dir = argv[2];
	MUST(chdir(dir));
	umask(022);
	if (!strcmp(way, "all")) {
		gid_t none[1];

		MUST(setgroups(0, none));
		MUST(setresgid(65534, 65534, 65534));
		MUST(setresuid(65534, 65534, 65534));
		tries();
	} else if (!strcmp(way, "user")) {
		MUST(setresuid(65534, 65534, 65534)); // the groups stay
		tries();
	} else if (!strcmp(way, "effective")) {
		MUST(seteuid(65534));
		tries();
	} else if (!strcmp(way, "fsuid")) {
		setfsuid(65534);
		tries();
	} else if (!strcmp(way, "capabilities")) {
		capabilities(); // still uid 0, which owns its files
		MUST(chdir("others"));
		tries();
	} else if (!strcmp(way, "thread")) {
		// Only this thread has changed, which the C library does not do.
		MUST(syscall(SYS_setresgid, 65534, 65534, 65534));
		MUST(syscall(SYS_setresuid, 65534, 65534, 65534));
		tries();
	} else {
		// The others have changed, and this thread has not.
		pthread_create(&t, NULL, as_thread, NULL);
		pthread_join(t, NULL);
	}
	return 0;
}
