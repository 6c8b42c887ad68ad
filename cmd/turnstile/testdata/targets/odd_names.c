// Opens files in the directory argv[1] whose names are not UTF-8, or are text that
// a terminal would obey, under a thread name that is such text too.
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc < 2 || chdir(argv[1]))
		return 1;
	prctl(PR_SET_NAME, "\x1b[31m\n\xff\"x");
	if (open("bytes \xff\xfe\x80 \xc3", O_CREAT | O_WRONLY, 0600) < 0)
		return 1;
	if (open("\xed\xa0\x80 surrogate", O_CREAT | O_WRONLY, 0600) < 0)
		return 1;
	if (open("newline\nturnstile: forged", O_CREAT | O_WRONLY, 0600) < 0)
		return 1;
	if (open("quote\" = 3", O_CREAT | O_WRONLY, 0600) < 0)
		return 1;
	if (open("\x1b]0;title\x07\x1b[2J\x9b", O_CREAT | O_WRONLY, 0600) < 0)
		return 1;
	if (open("\xc2\x9b csi in utf-8 \xe2\x80\xae right to left", O_CREAT | O_WRONLY, 0600) < 0)
		return 1;
	if (mkdir("directory \xff", 0700) || open("directory \xff/inside", O_RDONLY) >= 0)
		return 1;
	return 0;
}
