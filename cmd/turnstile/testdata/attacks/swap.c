// A thread changes what a path leads to while the main thread opens it. argv: the way,
// the tries, and a directory with the directories public and secret, both with a file
// called file, and a directory base.
#include "attack.h"

static char *dir;

// What can be reached by base/here changes between the directory and a link to the
// secret one.
static void *exchange_directory(void *unused)
{
	while (!sibling_ends)
		syscall(SYS_renameat2, AT_FDCWD, "here", AT_FDCWD, "there", RENAME_EXCHANGE);
	return unused;
}

// The last part of a path is replaced by a link, and by another.
static void *replace_link(void *unused)
{
	while (!sibling_ends) {
		symlink("../secret/file", "next");
		rename("next", "here");
		symlink("../public/file", "next");
		rename("next", "here");
	}
	return unused;
}

// A file and a link to the secret one change places.
static void *exchange_file(void *unused)
{
	while (!sibling_ends)
		syscall(SYS_renameat2, AT_FDCWD, "here", AT_FDCWD, "there", RENAME_EXCHANGE);
	return unused;
}

static void *change_directory(void *unused)
{
	while (!sibling_ends) {
		chdir("../secret");
		chdir("../public");
	}
	return unused;
}

// Another thread of the same table puts another directory at the number.
static int number;

static void *replace_descriptor(void *unused)
{
	int public = MUST(open(format("%s/public", dir), O_PATH));
	int secret = MUST(open(format("%s/secret", dir), O_PATH));

	while (!sibling_ends) {
		dup2(secret, number);
		dup2(public, number);
	}
	return unused;
}

int main(int argc, char **argv)
{
	int escaped = 0, innocent = 0, tries = atoi(argv[2]), at = AT_FDCWD;
	const char *way = argv[1], *path = "here";

	dir = argv[3];
	MUST(chdir(format("%s/base", dir)));
	unlink("here");
	unlink("there");
	if (!strcmp(way, "directory")) {
		MUST(mkdir("here", 0755));
		fill("here/file", "P");
		MUST(symlink("../secret", "there"));
		path = "here/file";
		start_sibling(exchange_directory, NULL);
	} else if (!strcmp(way, "file")) {
		fill("here", "P");
		MUST(symlink("../secret/file", "there"));
		start_sibling(exchange_file, NULL);
	} else if (!strcmp(way, "link")) {
		MUST(symlink("../public/file", "here"));
		start_sibling(replace_link, NULL);
	} else if (!strcmp(way, "chdir")) {
		MUST(chdir("../public"));
		path = "file";
		start_sibling(change_directory, NULL);
	} else {
		number = at = MUST(open("../public", O_PATH));
		path = "file";
		start_sibling(replace_descriptor, NULL);
	}
	for (int i = 0; i < tries; i++) {
		switch (starts_with(openat(at, path, O_RDONLY))) {
		case 'S': escaped++; break;
		case 'P': innocent++; break;
		}
	}
	end_sibling();
	count("escaped", escaped);
	count("innocent", innocent);
	return 0;
}
