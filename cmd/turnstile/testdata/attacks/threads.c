// Opens by a thread that is not the leader, once while the leader waits and once when
// it is gone. argv: a directory with the files public and secret.
#include "attack.h"

static char *dir;

static void opens(const char *when)
{
	int at = open(dir, O_PATH | O_DIRECTORY);

	opened(format("%s_secret", when), open(format("%s/secret", dir), O_RDONLY));
	opened(format("%s_secret_dirfd", when), openat(at, "secret", O_RDONLY));
	opened(format("%s_secret_cwd", when), open("secret", O_RDONLY));
	opened(format("%s_public", when), open(format("%s/public", dir), O_RDONLY));
	opened(format("%s_public_dirfd", when), openat(at, "public", O_RDONLY));
	opened(format("%s_public_cwd", when), open("public", O_RDONLY));
	// Descriptors of this thread alone.
	close(at);
}

static void *while_it_waits(void *unused)
{
	opens("leader_there");
	return unused;
}

static void *apart(void *unused)
{
	MUST(unshare(CLONE_FILES | CLONE_FS));
	MUST(chdir(dir));
	opens("own_files");
	return unused;
}

static void *after_it(void *leader)
{
	pthread_join(*(pthread_t *)leader, NULL);
	opens("leader_gone");
	exit(0);
}

int main(int argc, char **argv)
{
	static pthread_t leader;
	pthread_t t;

	dir = argv[1];
	MUST(chdir(dir));
	pthread_create(&t, NULL, while_it_waits, NULL);
	pthread_join(t, NULL);
	pthread_create(&t, NULL, apart, NULL);
	pthread_join(t, NULL);
	leader = pthread_self();
	pthread_create(&t, NULL, after_it, &leader);
	pthread_exit(NULL);
}
