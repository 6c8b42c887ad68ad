// Opens names in the directory argv[1] that a terminal would obey.
#include "attack.h"
#include <sys/prctl.h>

int main(int argc, char **argv)
{
	static const char *const names[] = {
		"\x1b]0;title\x07",
		"\x1b[2J\x1b[H",
		"\x9b"
		"31m",
		"\xc2\x9b"
		"31m",
		"line\nturnstile: forged",
		"back\b\b\b\b",
		"return\rturnstile: forged",
		"\xe2\x80\xae right to left",
		"\x1bP+q\x1b\\",
		"\x7f\x00",
		"\xff\xfe",
	};

	MUST(chdir(argv[1]));
	prctl(PR_SET_NAME, "\x1b[31m\n\xff");
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		opened("read", open(names[i], O_RDONLY));
		opened("create", open(names[i], O_CREAT | O_WRONLY, 0600));
		tell("mkdir", mkdir(format("%s.d", names[i]), 0700));
		tell("rename", rename("from", names[i]));
		tell("unlink", unlink(names[i]));
	}
	return 0;
}
