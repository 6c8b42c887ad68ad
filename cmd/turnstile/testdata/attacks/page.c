// The page of a path goes away and comes back while the main thread opens it. argv: the
// way, the tries, the public path, the secret path.
#include "attack.h"
#include <sys/mman.h>

static char *page;

static void *protect(void *unused)
{
	while (!sibling_ends) {
		mprotect(page, 4096, PROT_NONE);
		mprotect(page, 4096, PROT_READ | PROT_WRITE);
	}
	return unused;
}

// The page is replaced by nothing, and by one with the same content from a file in memory.
static void *unmap(void *file)
{
	while (!sibling_ends) {
		munmap(page, 4096);
		mmap(page, 4096, PROT_READ, MAP_SHARED | MAP_FIXED, (intptr_t)file, 0);
	}
	return file;
}

int main(int argc, char **argv)
{
	int escaped = 0, innocent = 0, fault = 0, denied = 0, odd = 0, tries = atoi(argv[2]);
	int memory = MUST(memfd_create("page", 0));
	long other = 0;

	// Away from what the C library maps, so that nothing else comes to lie there.
	page = mmap((void *)0x500000000000, 4096, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	if (page == MAP_FAILED)
		return 1;
	MUST(ftruncate(memory, 4096));
	for (int round = 0; round < 2; round++) {
		const char *path = argv[3 + round];

		munmap(page, 4096);
		MUST(pwrite(memory, path, strlen(path) + 1, 0));
		if (!strcmp(argv[1], "unmap")) {
			mmap(page, 4096, PROT_READ, MAP_SHARED | MAP_FIXED, memory, 0);
		} else {
			mmap(page, 4096, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
			strcpy(page, path);
		}
		sibling_ends = false;
		start_sibling(!strcmp(argv[1], "unmap") ? unmap : protect,
			      (void *)(intptr_t)memory);
		for (int i = 0; i < tries / 2; i++) {
			int fd = open(page, O_RDONLY), err = errno;
			char c = starts_with(fd);

			if (c == 'S')
				escaped++;
			else if (c == 'P')
				innocent++;
			else if (fd < 0 && err == EFAULT)
				fault++;
			else if (fd < 0 && err == EACCES)
				denied++;
			else {
				odd++;
				other = err;
			}
		}
		end_sibling();
	}
	count("escaped", escaped);
	count("innocent", innocent);
	count("fault", fault);
	count("denied", denied);
	count("odd", odd);
	if (odd)
		count("other_errno", other);
	return 0;
}
