// Does one thing of each kind below the directory argv[1], which is empty. Without
// libc, so that no call depends on the library that it was built with: the trace
// differs only where kernels or processors do. It is in testdata/same-*.json.
//
// Ends with 0, or with the number of the step whose result was not as expected.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define NO_SUCH_CALL 1000

static long raw(long nr, long a, long b, long c, long d, long e, long f)
{
#if defined(__x86_64__)
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;

	__asm__ volatile("syscall"
			 : "+a"(nr)
			 : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return nr;
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
#endif
}

// CALL(name, arguments): the arguments that are not given are 0.
#define CALL(name, ...) CALL7(name, ##__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)
#define CALL7(name, a, b, c, d, e, f, ...) \
	raw(SYS_##name, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

static int step;

static void end(int status)
{
	CALL(exit_group, status);
	__builtin_unreachable();
}

static long check(bool expected, long ret)
{
	step++;
	if (!expected)
		end(step);
	return ret;
}

static long succeeds(long ret)
{
	return check(ret >= 0, ret);
}

#define OK(...)         succeeds(CALL(__VA_ARGS__))
#define FAILS(err, ...) check(CALL(__VA_ARGS__) == -(err), 0)

static const char *top; // the directory
static int dir;         // the same, open
static char buf[4096];

static char *append(char *to, const char *text)
{
	while ((*to = *text++))
		to++;
	return to;
}

// in is the path of a name in the directory, until it is called again.
static const char *in(const char *name)
{
	static char path[4096];

	append(append(append(path, top), "/"), name);
	return path;
}

static void contents(void)
{
	static struct open_how beneath = { .flags = O_RDONLY, .resolve = RESOLVE_BENEATH };
	int fd = OK(openat, dir, "file", O_CREAT | O_EXCL | O_RDWR, 0600);

	OK(write, fd, "content", 7);
	OK(lseek, fd, 0, SEEK_SET);
	check(CALL(read, fd, buf, sizeof(buf)) == 7, 0);
	OK(ftruncate, fd, 100);
	OK(close, fd);
	FAILS(EEXIST, openat, dir, "file", O_CREAT | O_EXCL | O_RDWR, 0600);

	for (int i = 0; i < 3; i++) // the same again is only counted
		OK(close, OK(openat, AT_FDCWD, in("file"), O_RDONLY));
	OK(close, OK(openat, dir, "file", O_WRONLY | O_TRUNC));
	OK(close, OK(openat, dir, "file", O_PATH));
	OK(close, OK(openat2, dir, "file", &beneath, sizeof(beneath)));
	FAILS(EXDEV, openat2, dir, "../beyond", &beneath, sizeof(beneath));
	for (int i = 0; i < 2; i++)
		FAILS(ENOENT, openat, dir, "missing", O_RDONLY);
	FAILS(ENOTDIR, openat, AT_FDCWD, in("file/below"), O_RDONLY);
	FAILS(EBADF, openat, 4711, "nowhere", O_RDONLY);
	OK(truncate, in("file"), 5);
	FAILS(ENOENT, truncate, in("missing"), 5);
}

static void names(void)
{
	OK(mkdirat, dir, "sub", 0700);
	FAILS(EEXIST, mkdirat, AT_FDCWD, in("sub"), 0700);
	OK(mknodat, dir, "fifo", S_IFIFO | 0600);
	OK(linkat, dir, "file", dir, "hard");
	OK(symlinkat, "file", dir, "soft");
	check(CALL(readlinkat, dir, "soft", buf, sizeof(buf)) == 4, 0);
	FAILS(EINVAL, readlinkat, dir, "file", buf, sizeof(buf));
	OK(close, OK(openat, dir, "soft", O_RDONLY));
	FAILS(ELOOP, openat, dir, "soft", O_RDONLY | O_NOFOLLOW);
	OK(renameat2, dir, "hard", dir, "renamed", RENAME_NOREPLACE);
	FAILS(ENOENT, renameat, dir, "missing", dir, "nowhere");
	OK(unlinkat, dir, "renamed");
	FAILS(ENOENT, unlinkat, dir, "renamed");
	OK(mkdirat, dir, "removed", 0700);
	FAILS(EISDIR, unlinkat, dir, "removed");
	OK(unlinkat, dir, "removed", AT_REMOVEDIR);
}

static void attributes(void)
{
	int fd = OK(openat, dir, "file", O_RDONLY);

	OK(fchmod, fd, 0640);
	OK(fchmodat, dir, "file", 0600);
	OK(fchown, fd, -1, -1);
	OK(fchownat, dir, "soft", -1, -1, AT_SYMLINK_NOFOLLOW);
	OK(utimensat, dir, "file");
	OK(fstat, fd, buf);
	OK(newfstatat, dir, "soft", buf, AT_SYMLINK_NOFOLLOW);
	OK(newfstatat, fd, "", buf, AT_EMPTY_PATH);
	OK(statx, dir, "file", 0, STATX_BASIC_STATS, buf);
	FAILS(ENOENT, statx, dir, "missing", 0, STATX_BASIC_STATS, buf);
	OK(faccessat, dir, "file", R_OK);
	OK(statfs, in("sub"), buf);
	OK(close, fd);
	check(CALL(getdents64, dir, buf, sizeof(buf)) > 0, 0);
	check(CALL(getdents64, dir, buf, sizeof(buf)) == 0, 0);
}

// Paths that begin at the working directory.
static void relative(void)
{
	OK(chdir, in("sub"));
	OK(close, OK(openat, AT_FDCWD, "inner", O_CREAT | O_WRONLY, 0600));
	OK(close, OK(openat, AT_FDCWD, "../file", O_RDONLY));
	OK(getcwd, buf, sizeof(buf));
	OK(fchdir, dir);
	OK(close, OK(openat, AT_FDCWD, "./sub//inner", O_RDWR));
	FAILS(ENOENT, chdir, "missing");
}

static void descriptors(void)
{
	static int ends[2];

	OK(pipe2, ends, O_CLOEXEC);
	check(CALL(dup3, ends[1], 50, O_CLOEXEC) == 50, 0);
	FAILS(EINVAL, dup3, 50, 50);
	check(CALL(fcntl, 50, F_GETFD) == FD_CLOEXEC, 0);
	OK(fcntl, 50, F_SETFD, 0);
	OK(write, 50, "x", 1);
	check(CALL(read, ends[0], buf, sizeof(buf)) == 1, 0);
	OK(close, ends[0]);
	OK(close, ends[1]);
	OK(close, 50);
	FAILS(EBADF, close, 50);
}

static void memory(void)
{
	int fd = OK(openat, AT_FDCWD, "/proc/self/exe", O_RDONLY);
	long at = OK(mmap, 0, sizeof(buf), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	OK(mprotect, at, sizeof(buf), PROT_READ);
	OK(munmap, at, sizeof(buf));
	at = OK(mmap, 0, sizeof(buf), PROT_READ | PROT_EXEC, MAP_PRIVATE, fd);
	OK(munmap, at, sizeof(buf));
	FAILS(EBADF, mmap, 0, sizeof(buf), PROT_READ, MAP_PRIVATE, -1);
	OK(close, fd);
}

static void unix_sockets(void)
{
	static struct sockaddr_un server = { .sun_family = AF_UNIX };
	static struct sockaddr_un same = { AF_UNIX, "server" }, nobody = { AF_UNIX, "nobody" };
	int l = OK(socket, AF_UNIX, SOCK_STREAM), client = OK(socket, AF_UNIX, SOCK_STREAM);

	append(server.sun_path, in("server"));
	OK(bind, l, &server, sizeof(server));
	FAILS(EADDRINUSE, bind, client, &same, sizeof(same));
	OK(listen, l, 5);
	FAILS(ENOENT, connect, client, &nobody, sizeof(nobody));
	OK(connect, client, &same, sizeof(same));
	int peer = OK(accept4, l, 0, 0, SOCK_CLOEXEC);
	OK(sendto, client, "x", 1, 0); // to nobody but the peer
	check(CALL(recvfrom, peer, buf, sizeof(buf)) == 1, 0);
	OK(close, peer);
	OK(close, client);
	OK(close, l);
}

// Nobody reads what is sent, and no call waits for the answer that nobody does.
static void inet_sockets(void)
{
	static struct sockaddr_in discard = { .sin_family = AF_INET };
	static int on = 1;
	int connected = OK(socket, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP);
	int loose = OK(socket, AF_INET, SOCK_DGRAM), tcp = OK(socket, AF_INET, SOCK_STREAM);

	discard.sin_port = htons(9);
	discard.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	OK(connect, connected, &discard, sizeof(discard));
	OK(setsockopt, loose, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on));
	for (int i = 0; i < 2; i++)
		OK(sendto, loose, "x", 1, 0, &discard, sizeof(discard));
	FAILS(EDESTADDRREQ, sendto, OK(socket, AF_INET, SOCK_DGRAM), "x", 1);
	FAILS(EINVAL, connect, tcp, &discard, 4);
	FAILS(EINVAL, accept, tcp);
	FAILS(EBADF, connect, 4711, &discard, sizeof(discard));
	OK(close, connected);
	OK(close, loose);
	OK(close, tcp);
}

static void harmless(void)
{
	int self = OK(getpid);

	for (int i = 0; i < 4; i++)
		check(CALL(getpid) == self, 0);
	OK(kill, 0, 0);
	FAILS(EINVAL, kill, self, 1000);
	OK(prctl, PR_SET_NAME, "renamed");
	OK(prctl, PR_SET_DUMPABLE, 1);
	OK(clock_gettime, CLOCK_MONOTONIC, buf);
	OK(sched_yield);
	// What no kernel has is a call all the same.
	for (int i = 0; i < 2; i++)
		check(raw(NO_SUCH_CALL, 1, 2, 3, 4, 5, 6) == -ENOSYS, 0);
}

// One child after the other, so that their order is known.
static void child(void (*work)(void), int status)
{
	static int got;
	int pid = OK(clone, SIGCHLD);

	if (pid == 0) {
		work();
		end(1);
	}
	check(CALL(wait4, pid, &got) == pid && got == status, 0);
}

static void ends_by_itself(void)
{
	OK(getppid);
	OK(mkdirat, dir, "of_child", 0700);
	OK(close, OK(openat, dir, "file", O_RDONLY));
	end(3);
}

static void executes(void)
{
	static char *argv[] = { "same", "in", "another role", 0 };

	FAILS(ENOENT, execve, in("missing"), argv);
	FAILS(EACCES, execve, "file", argv);
	OK(execve, "/proc/self/exe", argv);
}

static void kills_itself(void)
{
	OK(kill, OK(getpid), SIGTERM);
}

// What the child does that executes the program.
static void another_role(void)
{
	OK(getuid);
	OK(close, OK(openat, AT_FDCWD, "file", O_RDONLY));
	end(4);
}

__attribute__((used)) static void begin(long *stack)
{
	long argc = stack[0];
	char **argv = (char **)&stack[1];

	if (argc == 3)
		another_role();
	if (argc != 2)
		end(1);
	top = argv[1];
	dir = OK(openat, AT_FDCWD, top, O_RDONLY | O_DIRECTORY);
	contents();
	names();
	attributes();
	relative();
	descriptors();
	memory();
	unix_sockets();
	inet_sockets();
	harmless();
	child(ends_by_itself, 3 << 8);
	child(executes, 4 << 8);
	child(kills_itself, SIGTERM);
	FAILS(ECHILD, wait4, -1);
	end(0);
}

// The kernel starts a program with argc on top of the stack, and argv behind it.
#if defined(__x86_64__)
__asm__(".globl _start\n_start: mov %rsp, %rdi\n\tcall begin\n");
#elif defined(__aarch64__)
__asm__(".globl _start\n_start: mov x0, sp\n\tbl begin\n");
#endif
