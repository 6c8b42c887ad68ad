package plan

import (
	"slices"
	"strings"
	"testing"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/policy"
	"github.com/turnstile-project/turnstile/internal/seccomp"
	"github.com/turnstile-project/turnstile/internal/syscalls"
)

// harmless are the calls that no filter stops: they name no file, and what they do to an
// open one was judged when it was opened. Each was looked at.
var harmless = strings.Fields(`
	read write pread64 pwrite64 readv writev preadv pwritev preadv2 pwritev2 lseek close close_range
	sendfile splice tee vmsplice copy_file_range readahead fallocate ftruncate fadvise64 sync_file_range
	fsync fdatasync sync syncfs flock getdents getdents64 dup dup2 dup3 pipe pipe2 fcntl cachestat
	io_setup io_destroy io_getevents io_submit io_cancel io_pgetevents
	fstat fstatfs fgetxattr flistxattr ustat sysfs statmount listmount getcwd umask
	chdir fchdir
	poll ppoll select pselect6 epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 epoll_ctl_old epoll_wait_old
	signalfd signalfd4 eventfd eventfd2 timerfd_create timerfd_settime timerfd_gettime memfd_create memfd_secret
	inotify_init inotify_init1 inotify_rm_watch
	mmap mprotect munmap brk mremap msync mincore madvise mlock mlock2 munlock mlockall munlockall remap_file_pages
	pkey_mprotect pkey_alloc pkey_free mseal map_shadow_stack membarrier mbind set_mempolicy get_mempolicy set_mempolicy_home_node migrate_pages move_pages
	rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigtimedwait rt_sigsuspend sigaltstack pause restart_syscall
	kill tkill tgkill rt_sigqueueinfo rt_tgsigqueueinfo pidfd_send_signal pidfd_open process_mrelease
	fork vfork exit exit_group wait4 waitid set_tid_address set_robust_list get_robust_list futex futex_waitv futex_wake futex_wait futex_requeue rseq rseq_slice_yield
	getpid gettid getppid getpgrp getpgid setpgid getsid setsid getuid geteuid getgid getegid getgroups getresuid getresgid capget
	getpriority setpriority sched_yield sched_setparam sched_getparam sched_setscheduler sched_getscheduler sched_get_priority_max sched_get_priority_min
	sched_rr_get_interval sched_setaffinity sched_getaffinity sched_setattr sched_getattr ioprio_set ioprio_get getcpu
	getrlimit setrlimit prlimit64 getrusage times sysinfo uname personality arch_prctl modify_ldt set_thread_area get_thread_area uretprobe uprobe
	nanosleep clock_nanosleep getitimer setitimer alarm time gettimeofday settimeofday adjtimex clock_adjtime clock_settime clock_gettime clock_getres
	timer_create timer_settime timer_gettime timer_getoverrun timer_delete
	listen accept accept4 recvfrom recvmsg recvmmsg shutdown getsockname getpeername setsockopt getsockopt
	shmget shmat shmctl shmdt semget semop semctl semtimedop msgget msgsnd msgrcv msgctl mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr
	seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self lsm_get_self_attr lsm_set_self_attr lsm_list_modules listns
	getrandom syslog reboot sethostname setdomainname vhangup
	_sysctl create_module get_kernel_syms query_module getpmsg putpmsg afs_syscall tuxcall security vserver
	setuid setgid setreuid setregid setresuid setresgid setfsuid setfsgid setgroups capset`)

// TestEveryCallIsLookedAt: a call is stopped by the filter, with some arguments, or is known
// to touch no file that was not judged.
func TestEveryCallIsLookedAt(t *testing.T) {
	table := Filter(Options{ABI: event.X8664, Classes: policy.Files, Verify: true}).Tables[0]
	for _, nr := range syscalls.All(event.X8664) {
		name := syscalls.Name(event.X8664, nr)
		stopped := slices.ContainsFunc(table.Rules[uint32(nr)], func(r seccomp.Rule) bool { return r.Action != seccomp.Allow })
		known := slices.Contains(harmless, name)
		switch {
		case !stopped && !known:
			t.Errorf("%s is not stopped, and nobody has looked at it", name)
		case stopped && known:
			t.Errorf("%s is stopped, and known to be harmless", name)
		}
	}
	for _, name := range harmless {
		if _, ok := syscalls.Number(event.X8664, name); !ok {
			t.Errorf("there is no call %q", name)
		}
	}
}

// TestStructsAndDescriptors: calls whose path is in a struct, or that act on files through
// descriptors, are in the table or closed.
func TestStructsAndDescriptors(t *testing.T) {
	table := Filter(Options{ABI: event.X8664, Classes: policy.Files, Verify: true}).Tables[0]
	for name := range strings.FieldsSeq(`
		connect bind sendto sendmsg sendmmsg openat2
		fchmod fchown fchownat fchmodat fchmodat2 utimensat futimesat fsetxattr fremovexattr setxattrat removexattrat file_setattr ioctl
		getxattrat listxattrat file_getattr name_to_handle_at open_by_handle_at execveat
		io_uring_setup io_uring_enter io_uring_register
		fsopen fsconfig fsmount fspick mount umount2 move_mount open_tree open_tree_attr mount_setattr pivot_root chroot setns unshare clone clone3
		quotactl quotactl_fd swapon swapoff acct inotify_add_watch fanotify_init fanotify_mark
		bpf perf_event_open userfaultfd ptrace process_vm_readv process_vm_writev process_madvise pidfd_getfd kcmp
		init_module finit_module delete_module kexec_load kexec_file_load uselib lookup_dcookie
		socket socketpair prctl add_key request_key keyctl iopl ioperm`) {
		nr, ok := syscalls.Number(event.X8664, name)
		if !ok {
			t.Errorf("there is no call %q", name)
			continue
		}
		if !slices.ContainsFunc(table.Rules[uint32(nr)], func(r seccomp.Rule) bool { return r.Action != seccomp.Allow }) {
			t.Errorf("%s is never stopped", name)
		}
	}
}
