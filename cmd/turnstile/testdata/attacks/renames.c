// Gives names below denied/, to which a rule refuses creating and writing, by all the
// calls that rename, and by renaming the directories above. argv: a directory with
// top/middle/denied/was_there, and with the file source, and the directory other.
#include "attack.h"
#include <linux/fs.h>

static char *dir;

static int rename2(const char *from, const char *to, int flags)
{
	return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}

static void onto(const char *name)
{
	char *to = format("top/middle/denied/%s", name);
	char *absolute = format("%s/%s", dir, to);
	int at = open("top/middle/denied", O_PATH), there = open("top/middle", O_PATH);

#define TRY(how, call)                               \
	do {                                         \
		fill("source", "new");               \
		tell(format("%s_" how, name), call); \
	} while (0)
#ifdef SYS_rename
	TRY("rename", syscall(SYS_rename, "source", to));
	TRY("rename_absolute", syscall(SYS_rename, format("%s/source", dir), absolute));
#endif
	TRY("renameat", renameat(AT_FDCWD, "source", at, name));
	TRY("renameat_dots", renameat(AT_FDCWD, "source", at, format("../denied/./%s", name)));
	TRY("renameat2", rename2("source", to, 0));
	TRY("renameat2_absolute", rename2("source", absolute, 0));
	TRY("renameat2_fd", rename2("source", format("/proc/self/fd/%d/%s", at, name), 0));
	TRY("renameat2_fd_up",
	    rename2("source", format("/proc/self/fd/%d/../middle/denied/%s", there, name), 0));
	MUST(symlink("top/middle/denied", "to_denied"));
	TRY("renameat2_link", rename2("source", format("to_denied/%s", name), 0));
	MUST(unlink("to_denied"));
#undef TRY
}

static void flags(void)
{
	fill("source", "new");
	if (!tell("noreplace", rename2("source", "top/middle/denied/noreplace", RENAME_NOREPLACE)))
		MUST(unlink("top/middle/denied/noreplace"));
	fill("source", "new");
	if (!tell("exchange", rename2("source", "top/middle/denied/was_there", RENAME_EXCHANGE)))
		MUST(rename2("source", "top/middle/denied/was_there", RENAME_EXCHANGE));
	fill("source", "new");
	if (!tell("exchange_turned",
		  rename2("top/middle/denied/was_there", "source", RENAME_EXCHANGE)))
		MUST(rename2("source", "top/middle/denied/was_there", RENAME_EXCHANGE));
	fill("source", "new");
	// For root only: what stays behind is a device.
	if (!tell("whiteout", rename2("source", "top/middle/denied/whiteout", RENAME_WHITEOUT))) {
		MUST(unlink("top/middle/denied/whiteout"));
		MUST(unlink("source"));
	}
	// A directory that has the name, and what is in it.
	if (!tell("directory", rename2("other", "top/middle/denied/other", 0)))
		MUST(rename2("top/middle/denied/other", "other", 0));
}

// What a directory is called changes what everything below it is called.
static void ancestors(void)
{
	static const struct {
		const char *name, *old, *new;
	} ways[] = {
		{ "itself", "top/middle/denied", "top/middle/free" },
		{ "parent", "top/middle", "top/free" },
		{ "grandparent", "top", "free" },
		{ "elsewhere", "top/middle", "other/middle" },
	};

	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		const char *name = ways[i].name, *old = ways[i].old, *new = ways[i].new;

		if (!tell(format("%s_away", name), rename(old, new)))
			MUST(rename(new, old));
		if (!tell(format("%s_exchange", name), rename2(old, "other", RENAME_EXCHANGE)))
			MUST(rename2(old, "other", RENAME_EXCHANGE));
		if (!tell(format("%s_exchange_turned", name),
			  rename2("other", old, RENAME_EXCHANGE)))
			MUST(rename2("other", old, RENAME_EXCHANGE));
	}
}

// bring makes a directory with a file that may not be made at later*/denied/evil.
static void bring(const char *name)
{
	MUST(mkdir(name, 0755));
	MUST(mkdir(format("%s/denied", name), 0755));
	fill(format("%s/denied/evil", name), "x");
}

// A directory that brings a protected name with it.
static void brings(void)
{
	for (int i = 1; i <= 4; i++)
		bring(format("prepared%d", i));
	tell("brings", rename("prepared1", "later1"));
	MUST(mkdir("later2", 0755));
	tell("brings_over_empty", rename("prepared2", "later2"));
	MUST(mkdir("later3", 0755));
	tell("brings_exchange", rename2("prepared3", "later3", RENAME_EXCHANGE));
	MUST(mkdir("later4", 0755));
	tell("brings_itself", rename("prepared4/denied", "later4/denied"));
}

int main(int argc, char **argv)
{
	dir = argv[1];
	MUST(chdir(dir));
	onto("new");
	onto("was_there");
	flags();
	ancestors();
	brings();
	fill("source", "new");
	tell("innocent", rename("source", "other/renamed"));
	tell("innocent_directory", rename("other", "moved"));
	fill("moved/new", "x");
	return 0;
}
