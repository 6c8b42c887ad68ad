// What new files are like: mode, owner and group, by the umask of who makes them and by
// the directory. argv: a directory with the directories plain, setgid and acl.
#include "attack.h"
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/xattr.h>

static void *other_umask(void *unused)
{
	// The umask of a thread that shares none of the rest.
	MUST(unshare(CLONE_FS));
	umask(0777);
	close(MUST(open("thread", O_CREAT | O_WRONLY, 0666)));
	return unused;
}

static void show(const char *where, int mask, const char *name)
{
	struct stat st;
	char acl[512];
	ssize_t n;

	MUST(lstat(name, &st));
	n = getxattr(name, "system.posix_acl_access", acl, sizeof(acl));
	printf("%s %03o %s %o uid %d gid %d acl %zd\n", where, mask, name, st.st_mode, st.st_uid,
	       st.st_gid, n);
	MUST(remove(name));
}

static void make(const char *where, int mask)
{
	struct sockaddr_un a = { AF_UNIX, "socket" };
	struct open_how how = { .flags = O_CREAT | O_RDONLY, .mode = 06777 };
	pthread_t t;

	umask(mask);
	close(MUST(open("file", O_CREAT | O_WRONLY, 0666)));
	close(MUST(open("special", O_CREAT | O_EXCL | O_RDWR, 07777)));
	close(MUST(syscall(SYS_openat2, AT_FDCWD, "openat2", &how, sizeof(how))));
	MUST(mkdir("dir", 07777));
	MUST(mknod("fifo", S_IFIFO | 0666, 0));
	MUST(mknod("node", 07777, 0));
	MUST(symlink("to", "link"));
	MUST(bind(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&a, sizeof(a)));
	pthread_create(&t, NULL, other_umask, NULL);
	pthread_join(t, NULL);
	show(where, mask, "file");
	show(where, mask, "special");
	show(where, mask, "openat2");
	show(where, mask, "dir");
	show(where, mask, "fifo");
	show(where, mask, "node");
	show(where, mask, "link");
	show(where, mask, "socket");
	show(where, mask, "thread");
	// It is still the one that was set.
	printf("umask %03o\n", umask(mask));
}

int main(int argc, char **argv)
{
	static const int masks[] = { 022, 0, 077, 0777, 027 };
	static const char *const where[] = { "plain", "setgid", "acl" };

	for (int i = 0; i < 3; i++) {
		MUST(chdir(format("%s/%s", argv[1], where[i])));
		for (int j = 0; j < 5; j++)
			make(where[i], masks[j]);
	}
	return 0;
}
