// Tries the calls that would get around a gate for paths. argv: a directory with the
// files secret and public, and the directory covered. Each try is named after its door.
#include "attack.h"
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/kcmp.h>
#include <linux/perf_event.h>
#include <linux/userfaultfd.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/fanotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/swap.h>
#include <sys/sysmacros.h>
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

// A traced child executes a program.
static long execute_traced(void)
{
	int status, child = fork();

	if (!child) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
			_exit(errno);
		execl("/bin/true", "true", NULL);
		_exit(errno);
	}
	waitpid(child, &status, 0);
	if (WIFSTOPPED(status)) {
		ptrace(PTRACE_CONT, child, NULL, NULL);
		waitpid(child, &status, 0);
	}
	errno = WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
	return errno ? -1 : 0;
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

static long unshare_user(void)
{
	return unshare(CLONE_NEWUSER);
}

static long new_mount_context(void)
{
	return syscall(SYS_fsopen, "tmpfs", 0);
}

static long bind_covered(void)
{
	if (mount(dir, format("%s/covered", dir), NULL, MS_BIND, NULL))
		return -1;
	return umount2(format("%s/covered", dir), MNT_DETACH);
}

static long notify_group(void)
{
	int group = fanotify_init(FAN_CLASS_NOTIF | FAN_REPORT_FID, O_RDONLY);

	if (group < 0)
		return -1;
	return fanotify_mark(group, FAN_MARK_ADD, FAN_CREATE, AT_FDCWD, dir);
}

static long make_subvolume(void)
{
	char args[4096] = "";
	long ret = ioctl(open(dir, O_RDONLY), 0x5000940e /* BTRFS_IOC_SUBVOL_CREATE */, args);

	// No other filesystem has such.
	return ret < 0 && errno == ENOTTY ? 0 : ret;
}

// These are refused without the door before they are looked at, and fail with another
// errno than EPERM if they are.
static long or_nonsense(long ret)
{
	return ret < 0 && errno != EPERM && errno != ENOSYS ? 0 : ret;
}

static long swap_nothing(void)
{
	return or_nonsense(swapoff("/nonexistent"));
}

static long account_nothing(void)
{
	return or_nonsense(acct("/nonexistent"));
}

static long load_nothing(void)
{
	return or_nonsense(syscall(SYS_finit_module, -1, "", 0));
}

static long unload_nothing(void)
{
	return or_nonsense(syscall(SYS_delete_module, "nonexistent", O_NONBLOCK));
}

static long boot_nothing(void)
{
	return or_nonsense(syscall(SYS_kexec_load, 0, 1ul << 20, NULL, 0));
}

static long ask_for_nothing(void)
{
	return or_nonsense(syscall(SYS_lookup_dcookie, 0, NULL, 0));
}

static long make_disk(void)
{
	return mknod(format("%s/disk", dir), S_IFBLK | 0600, makedev(7, 7));
}

#ifdef __x86_64__
static long use_port(void)
{
	return syscall(SYS_ioperm, 0x80, 1, 1);
}

static long call_i386(void)
{
	long ret;

	asm volatile("int $0x80" : "=a"(ret) : "a"(20 /* getpid */) : "memory", "r8", "r9", "r10", "r11");
	if (ret > 0)
		return 0;
	errno = -ret;
	return -1;
}
#endif

static long own_key(void)
{
	return syscall(SYS_add_key, "user", "turnstile-test", "x", 1, -2 /* process keyring */);
}

static long session_key(void)
{
	return syscall(SYS_keyctl, 0 /* KEYCTL_GET_KEYRING_ID */, -3 /* session */, 0);
}

// Without a terminal they are tried on a file: the command is looked at first.
static long fake_input(void)
{
	return or_nonsense(ioctl(open("/dev/null", O_RDONLY), TIOCSTI, "x"));
}

static long fake_selection(void)
{
	return or_nonsense(ioctl(open("/dev/null", O_RDONLY), 0x541c /* TIOCLINUX */, "\3"));
}

static long raw_socket(void)
{
	return socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
}

static long packet_socket(void)
{
	return socket(AF_PACKET, SOCK_DGRAM, 0);
}

// Netlink that goes nowhere.
static long user_netlink_socket(void)
{
	return socket(AF_NETLINK, SOCK_RAW, 2 /* NETLINK_USERSOCK */);
}

static long vsock_socket(void)
{
	return socket(AF_VSOCK, SOCK_STREAM, 0);
}

static long other_map(void)
{
	return or_nonsense(prctl(PR_SET_MM, PR_SET_MM_MAP, dir, 1, 0));
}

// Sockets that need no door.
static long plain_sockets(void)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -1;
	if (socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_TCP) < 0)
		return -1;
	if (socket(AF_INET6, SOCK_DGRAM, 0) < 0 && errno != EAFNOSUPPORT)
		return -1;
	return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0 /* NETLINK_ROUTE */);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		long (*call)(void);
	} doors[] = {
		{ "io_uring/open", by_uring },
		{ "handles/open_by_handle_at", by_handle },
		{ "namespaces/unshare", unshare_user },
		{ "namespaces/unshare_two", new_namespaces },
		{ "namespaces/unshare_mount", new_mounts },
		{ "namespaces/clone", clone_namespaces },
		{ "namespaces/clone3", with_clone3 },
		{ "namespaces/setns", enter_namespace },
		{ "chroot/chroot", change_root },
		{ "mount/bind", bind_covered },
		{ "mount/none", mount_in_place },
		{ "mount/open_tree", tree },
		{ "mount/fsopen", new_mount_context },
		{ "ptrace/attach", attach },
		{ "ptrace/execute", execute_traced },
		{ "ptrace/process_vm_readv", read_other },
		{ "ptrace/process_vm_writev", write_other },
		{ "ptrace/pidfd_getfd", take_descriptor },
		{ "ptrace/kcmp", compare },
		{ "ptrace/mm_map", other_map },
		{ "bpf/map", make_map },
		{ "perf/clock", count_events },
		{ "userfaultfd/faults", handle_faults },
		{ "fanotify/mark", notify_group },
		{ "file_ioctls/subvolume", make_subvolume },
		{ "kernel_files/swapoff", swap_nothing },
		{ "kernel_files/acct", account_nothing },
		{ "modules/finit", load_nothing },
		{ "modules/delete", unload_nothing },
		{ "kexec/load", boot_nothing },
		{ "obsolete/lookup_dcookie", ask_for_nothing },
		{ "devices/disk", make_disk },
		{ "keyrings/add_key", own_key },
		{ "keyrings/keyctl", session_key },
		{ "tty_injection/TIOCSTI", fake_input },
		{ "tty_injection/TIOCLINUX", fake_selection },
		{ "raw_sockets/icmp", raw_socket },
		{ "raw_sockets/packet", packet_socket },
		{ "socket_families/netlink", user_netlink_socket },
		{ "socket_families/vsock", vsock_socket },
#ifdef __x86_64__
		{ "io_ports/ioperm", use_port },
		{ "foreign_abi/int80", call_i386 },
#endif
		{ "innocent/sockets", plain_sockets },
	};

	dir = argv[1];
	for (size_t i = 0; i < sizeof(doors) / sizeof(*doors); i++)
		tell(doors[i].name, in_child(doors[i].call));
	opened("innocent/open", open(format("%s/public", dir), O_RDONLY));
	return 0;
}
