// Paths at the edge of what the kernel takes, all relative to the directory argv[1]. With
// a path of 4,095 bytes it opens the file argv[2] of it.
#include "attack.h"
#include <sys/mman.h>

static char *edge; // where the mapped memory ends

// at_edge puts a string so that its last byte is the last one before the unmapped page.
static char *at_edge(const char *s, size_t len)
{
	return memcpy(edge - len, s, len);
}

// filled is a path that leads to name and has len bytes, by "./././name".
static char *filled(const char *name, size_t len)
{
	char *s = malloc(len + 2);
	size_t at = 0, rest = len - strlen(name);

	if (rest % 2)
		s[at++] = '/', s[0] = '.', s[at++] = '/', s[at++] = '/';
	while (at + 2 <= rest) {
		s[at++] = '.';
		s[at++] = '/';
	}
	strcpy(s + at, name);
	return s;
}

static void opens(const char *name, const char *path)
{
	struct open_how how = { .flags = O_RDONLY };
	char *in = format("%s_openat", name), *in2 = format("%s_openat2", name);
	char *make = format("%s_mkdir", name);

	opened(in, openat(AT_FDCWD, path, O_RDONLY));
	opened(in2, syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how)));
	tell(make, mkdirat(AT_FDCWD, path, 0700));
}

int main(int argc, char **argv)
{
	size_t size = 3 * 4096;
	char *memory =
		mmap(NULL, size + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *name = argv[2], *one_too_long, *longest;

	MUST(chdir(argv[1]));
	if (memory == MAP_FAILED)
		return 1;
	edge = memory + size;
	MUST(mprotect(edge, 4096, PROT_NONE));

	opens("ends_at_edge", at_edge(name, strlen(name) + 1));
	opens("no_end", at_edge(name, strlen(name)));
	opens("nothing_there", edge);
	opens("null", NULL);
	opens("of_the_kernel", (char *)-4096);
	opens("not_an_address", (char *)0x8000000000000000);

	longest = filled(name, 4095);
	one_too_long = filled(name, 4096);
	opens("longest", at_edge(longest, 4096));
	opens("too_long", at_edge(one_too_long, 4097));
	// Without an end, but the kernel looks at 4,096 bytes only.
	opens("too_long_no_end", at_edge(one_too_long, 4096));
	opens("shorter", at_edge(filled(name, 4094), 4095));
	opens("long_name", memset(calloc(1, 300), 'n', 299));

	// A page that is only readable after the first one.
	opens("crosses", strcpy(memory + 4096 - 2, name));
	opens("empty", at_edge("", 1));
	return 0;
}
