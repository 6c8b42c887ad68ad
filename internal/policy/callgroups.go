package policy

import (
	"slices"
	"strings"
)

// callGroups are the names that stand for several calls in a [CallRule]. A group has the
// meaning that it has in the SystemCallFilter= of systemd.exec(5) where that has one of its
// name (src/shared/seccomp-util.c, version 257), with the calls that came later and do the
// same. Those of other architectures are left out. A word with @ is another group.
var callGroups = map[string]string{
	"@aio":           `io_cancel io_destroy io_getevents io_pgetevents io_setup io_submit @io_uring`,
	"@chown":         `chown fchown fchownat lchown`,
	"@clock":         `adjtimex clock_adjtime clock_settime settimeofday`,
	"@cpu-emulation": `modify_ldt vm86 vm86old`,
	"@debug":         `kcmp lookup_dcookie perf_event_open pidfd_getfd ptrace`,
	"@io-event": `epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old
		eventfd eventfd2 poll ppoll pselect6 select`,
	"@ipc": `memfd_create mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink msgctl msgget msgrcv msgsnd
		pipe pipe2 process_madvise process_vm_readv process_vm_writev semctl semget semop semtimedop shmat shmctl shmdt shmget`,
	"@keyring": `add_key keyctl request_key`,
	"@memlock": `mlock mlock2 mlockall munlock munlockall`,
	"@module":  `delete_module finit_module init_module`,
	"@mount": `chroot fsconfig fsmount fsopen fspick mount mount_setattr move_mount open_tree open_tree_attr
		pivot_root umount2`,
	"@network-io": `accept accept4 bind connect getpeername getsockname getsockopt listen recvfrom recvmmsg recvmsg
		sendmmsg sendmsg sendto setsockopt shutdown socket socketpair`,
	"@obsolete": `_sysctl afs_syscall create_module get_kernel_syms getpmsg putpmsg query_module security sysfs tuxcall
		uselib ustat vserver`,
	"@pkey": `pkey_alloc pkey_free pkey_mprotect`,
	"@privileged": `@chown @clock @module @raw-io @reboot @swap _sysctl acct bpf capset chroot fanotify_init fanotify_mark
		nfsservctl open_by_handle_at pivot_root quotactl quotactl_fd setdomainname setfsuid setgroups sethostname
		setresuid setreuid setuid vhangup`,
	"@raw-io": `ioperm iopl`,
	"@reboot": `kexec_file_load kexec_load reboot`,
	"@resources": `ioprio_set mbind migrate_pages move_pages prlimit64 sched_setaffinity sched_setattr sched_setparam
		sched_setscheduler set_mempolicy set_mempolicy_home_node setpriority setrlimit`,
	"@setuid": `setgid setgroups setregid setresgid setresuid setreuid setuid`,
	"@swap":   `swapoff swapon`,
	"@sync":   `fdatasync fsync msync sync sync_file_range syncfs`,
	"@timer": `alarm getitimer setitimer timer_create timer_delete timer_getoverrun timer_gettime timer_settime
		timerfd_create timerfd_gettime timerfd_settime times`,

	// Those that systemd does not have.
	"@io_uring":   `io_uring_enter io_uring_register io_uring_setup`,
	"@namespaces": `setns unshare`,
	"@ptrace":     `kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace`,
}

// CallGroups are the names of the groups, in order.
func CallGroups() []string {
	names := make([]string, 0, len(callGroups))
	for name := range callGroups {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// groupMembers are the calls of a group, in order and once each.
func groupMembers(group string) []string {
	var calls []string
	for word := range strings.FieldsSeq(callGroups[group]) {
		if strings.HasPrefix(word, "@") {
			calls = append(calls, groupMembers(word)...)
		} else {
			calls = append(calls, word)
		}
	}
	slices.Sort(calls)
	return slices.Compact(calls)
}
