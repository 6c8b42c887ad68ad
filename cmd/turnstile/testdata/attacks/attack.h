// What the attacks share. Each prints lines of a name and a result: "ok" or the name of
// an errno, or a number. A test reads them once without Turnstile, where the attack has
// to win, and once under it.
#ifndef ATTACK_H
#define ATTACK_H

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

// Numbers that the C library's headers may be too old for.
#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif
#ifndef SYS_setxattrat
#define SYS_setxattrat    463
#define SYS_getxattrat    464
#define SYS_listxattrat   465
#define SYS_removexattrat 466
#endif
#ifndef SYS_file_getattr
#define SYS_file_getattr 468
#define SYS_file_setattr 469
#endif

// outcome is the result of a call that failed with errno or did not.
static inline const char *outcome(long ret)
{
	return ret < 0 ? strerrorname_np(errno) : "ok";
}

// tell prints the result of a call.
static inline long tell(const char *name, long ret)
{
	int err = errno;

	printf("%s %s\n", name, outcome(ret));
	fflush(stdout);
	errno = err;
	return ret;
}

// opened prints the result of an open and closes what was opened.
static inline bool opened(const char *name, int fd)
{
	tell(name, fd);
	if (fd < 0)
		return false;
	close(fd);
	return true;
}

static inline void count(const char *name, long n)
{
	printf("%s %ld\n", name, n);
	fflush(stdout);
}

// must ends an attack that cannot even be tried.
static inline long must(long ret, const char *what)
{
	if (ret < 0) {
		fprintf(stderr, "%s: %m\n", what);
		exit(1);
	}
	return ret;
}
#define MUST(call) must(call, #call)

// starts_with says how the content of an open file begins: the protected ones with S,
// the others with P. 0 is none. It closes the file.
static inline char starts_with(int fd)
{
	char c = 0;

	if (fd < 0 || pread(fd, &c, 1, 0) != 1)
		c = 0;
	if (fd >= 0)
		close(fd);
	return c;
}

static inline void fill(const char *path, const char *content)
{
	int fd = MUST(open(path, O_CREAT | O_WRONLY | O_TRUNC, 0644));

	MUST(write(fd, content, strlen(content)));
	close(fd);
}

// format is a path in memory of its own.
__attribute__((format(printf, 1, 2))) static inline char *format(const char *f, ...)
{
	va_list list;
	char *s;

	va_start(list, f);
	if (vasprintf(&s, f, list) < 0)
		exit(1);
	va_end(list);
	return s;
}

// A sibling is a thread that makes things change while the main thread makes its calls.
static volatile bool sibling_ends;
static pthread_t sibling;

static inline void start_sibling(void *(*run)(void *), void *arg)
{
	if (pthread_create(&sibling, NULL, run, arg)) {
		fprintf(stderr, "no thread\n");
		exit(1);
	}
}

static inline void end_sibling(void)
{
	sibling_ends = true;
	pthread_join(sibling, NULL);
}

#endif
