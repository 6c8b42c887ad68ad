// Tries the calls that would get around a gate for paths. argv: a directory with the
// files secret and public, and the directory covered.
#include "attack.h"
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/kcmp.h>
#include <linux/perf_event.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>

static char *dir;

static long in_child(long (*call)(void))
{
	int status, pid = fork();

	if (!pid)
		_exit(call() < 0 ? errno : 0);
	waitpid(pid, &status, 0);
	errno = WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
	return errno ? -1 : 0;
}

// Opens the secret file by io_uring, without any call of open.
static long by_uring(void)
{
	struct io_uring_params p = { 0 };
	struct io_uring_sqe *sqe;
	struct io_uring_cqe *cqe;
	unsigned *tail, *array;
	char *sq, *cq, *path = format("%s/secret", dir);
	int fd = syscall(SYS_io_uring_setup, 4, &p);

	if (fd < 0)
		return -1;
	sq = mmap(NULL, p.sq_off.array + p.sq_entries * sizeof(unsigned), PROT_READ | PROT_WRITE,
		  MAP_SHARED, fd, IORING_OFF_SQ_RING);
	cq = mmap(NULL, p.cq_off.cqes + p.cq_entries * sizeof(*cqe), PROT_READ | PROT_WRITE,
		  MAP_SHARED, fd, IORING_OFF_CQ_RING);
	sqe = mmap(NULL, p.sq_entries * sizeof(*sqe), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		   IORING_OFF_SQES);
	if (sq == MAP_FAILED || cq == MAP_FAILED || sqe == MAP_FAILED)
		return -1;
	sqe->opcode = IORING_OP_OPENAT;
	sqe->fd = AT_FDCWD;
	sqe->addr = (uintptr_t)path;
	sqe->open_flags = O_RDONLY;
	tail = (unsigned *)(sq + p.sq_off.tail);
	array = (unsigned *)(sq + p.sq_off.array);
	array[0] = 0;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
		return -1;
	cqe = (struct io_uring_cqe *)(cq + p.cq_off.cqes);
	errno = -cqe->res;
	return cqe->res < 0 ? -1 : 0;
}

static long by_handle(void)
{
	struct {
		struct file_handle h;
		char room[128];
	} handle = { .h.handle_bytes = 128 };
	int mount, at = open(dir, O_RDONLY);

	if (name_to_handle_at(at, "secret", &handle.h, &mount, 0))
		return -1;
	return open_by_handle_at(at, &handle.h, O_RDONLY);
}

static long new_namespaces(void)
{
	return unshare(CLONE_NEWUSER | CLONE_NEWNS);
}

static long new_mounts(void)
{
	return unshare(CLONE_NEWNS);
}

static long clone_namespaces(void)
{
	int pid = syscall(SYS_clone, CLONE_NEWUSER | CLONE_NEWNS | SIGCHLD, 0, 0, 0, 0);

	if (!pid)
		_exit(0);
	return pid;
}

static long enter_namespace(void)
{
	return setns(open("/proc/self/ns/ipc", O_RDONLY), 0);
}

static long change_root(void)
{
	return chroot(dir);
}

// The secret directory appears where everything is allowed.
static long bind_mount(void)
{
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -1;
	if (mount(dir, format("%s/covered", dir), NULL, MS_BIND, NULL))
		return -1;
	return 0;
}

static long mount_in_place(void)
{
	return mount("none", format("%s/covered", dir), "nothing", 0, NULL);
}

static long tree(void)
{
	return syscall(SYS_open_tree, AT_FDCWD, dir, 1 /* OPEN_TREE_CLONE */);
}

static long attach(void)
{
	int status, child = fork();
	long ret;

	if (!child)
		for (;;)
			pause();
	ret = ptrace(PTRACE_ATTACH, child, NULL, NULL);
	status = errno;
	kill(child, SIGKILL);
	errno = status;
	return ret;
}

static long read_other(void)
{
	char a, b;
	struct iovec local = { &a, 1 }, remote = { &b, 1 };

	return process_vm_readv(getpid(), &local, 1, &remote, 1, 0);
}

static long write_other(void)
{
	char a = 0, b;
	struct iovec local = { &a, 1 }, remote = { &b, 1 };

	return process_vm_writev(getpid(), &local, 1, &remote, 1, 0);
}

static long take_descriptor(void)
{
	return syscall(SYS_pidfd_getfd, syscall(SYS_pidfd_open, getpid(), 0), 1, 0);
}

static long make_map(void)
{
	union bpf_attr a = {
		.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1
	};

	return syscall(SYS_bpf, BPF_MAP_CREATE, &a, sizeof(a));
}

static long count_events(void)
{
	struct perf_event_attr a = { .type = PERF_TYPE_SOFTWARE,
				     .size = sizeof(a),
				     .config = PERF_COUNT_SW_TASK_CLOCK,
				     .exclude_kernel = 1 };

	return syscall(SYS_perf_event_open, &a, 0, -1, -1, 0);
}

static long handle_faults(void)
{
	return syscall(SYS_userfaultfd, UFFD_USER_MODE_ONLY);
}

static long compare(void)
{
	return syscall(SYS_kcmp, getpid(), getpid(), KCMP_VM, 0, 0);
}

static long with_clone3(void)
{
	struct {
		uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, rest[6];
	} a = { .exit_signal = SIGCHLD };
	int pid = syscall(SYS_clone3, &a, 64);

	if (!pid)
		_exit(0);
	return pid;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		long (*call)(void);
	} doors[] = {
		{ "io_uring", by_uring },
		{ "open_by_handle_at", by_handle },
		{ "unshare_user", new_namespaces },
		{ "unshare_mount", new_mounts },
		{ "clone_namespaces", clone_namespaces },
		{ "setns", enter_namespace },
		{ "chroot", change_root },
		{ "bind_mount", bind_mount },
		{ "mount", mount_in_place },
		{ "open_tree", tree },
		{ "ptrace", attach },
		{ "process_vm_readv", read_other },
		{ "process_vm_writev", write_other },
		{ "pidfd_getfd", take_descriptor },
		{ "bpf", make_map },
		{ "perf_event_open", count_events },
		{ "userfaultfd", handle_faults },
		{ "kcmp", compare },
		{ "clone3", with_clone3 },
	};

	dir = argv[1];
	for (size_t i = 0; i < sizeof(doors) / sizeof(*doors); i++)
		tell(doors[i].name, in_child(doors[i].call));
	opened("innocent", open(format("%s/public", dir), O_RDONLY));
	return 0;
}
