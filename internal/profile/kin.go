package profile

import (
	"slices"
	"strings"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/syscalls"
)

// successors are what the C library calls where the kernel has no such call: arm64 came
// without those that a later one can do (include/uapi/asm-generic/unistd.h), and glibc
// has the same functions for all (sysdeps/unix/sysv/linux).
var successors = map[string]string{
	"open": "openat", "creat": "openat", "mkdir": "mkdirat", "mknod": "mknodat", "rmdir": "unlinkat",
	"unlink": "unlinkat", "link": "linkat", "symlink": "symlinkat", "readlink": "readlinkat",
	"rename": "renameat", "access": "faccessat", "chmod": "fchmodat", "chown": "fchownat", "lchown": "fchownat",
	"stat": "newfstatat", "lstat": "newfstatat", "utime": "utimensat", "utimes": "utimensat",
	"futimesat": "utimensat", "getdents": "getdents64",
	"dup2": "dup3", "pipe": "pipe2", "poll": "ppoll", "select": "pselect6", "pause": "ppoll",
	"epoll_create": "epoll_create1", "epoll_wait": "epoll_pwait", "inotify_init": "inotify_init1",
	"eventfd": "eventfd2", "signalfd": "signalfd4", "fork": "clone", "vfork": "clone",
	"getpgrp": "getpgid", "alarm": "setitimer", "time": "gettimeofday", "waitpid": "wait4",
	"send": "sendto", "recv": "recvfrom",
}

// narrow are what the C library of a 32-bit ABI calls as well: those that take 64 bits in
// two registers, have another name there, or are one call for many.
var narrow = map[string][]string{
	"mmap": {"mmap2"}, "lseek": {"_llseek"}, "select": {"_newselect"}, "getrlimit": {"ugetrlimit"}, "prlimit64": {"ugetrlimit"},
	"newfstatat": {"fstatat64", "statx"}, "stat": {"statx"}, "lstat": {"statx"}, "fstat": {"statx"},
	"fadvise64": {"fadvise64_64", "arm_fadvise64_64"}, "sync_file_range": {"arm_sync_file_range"},
	"sendto": {"send"}, "recvfrom": {"recv"},
}

// multiplexed are the calls of i386 that stand for many.
var multiplexed = map[string][]string{
	"socketcall": {
		"accept", "accept4", "bind", "connect", "getpeername", "getsockname", "getsockopt", "listen", "recvfrom",
		"recvmmsg", "recvmsg", "sendmmsg", "sendmsg", "sendto", "setsockopt", "shutdown", "socket", "socketpair",
	},
	"ipc": {
		"msgctl", "msgget", "msgrcv", "msgsnd", "semctl", "semget", "semop", "semtimedop", "shmat", "shmctl",
		"shmdt", "shmget",
	},
}

// Multiplexer is the call of i386 that stands for this one and others, "" if there is none.
func Multiplexer(name string) string {
	for one, many := range multiplexed {
		if slices.Contains(many, name) {
			return one
		}
	}
	return ""
}

// suffixes of the calls of 32-bit ABIs that do the same with wider times, offsets and ids.
var suffixes = []string{"_time64", "64", "32"}

// startup is what the C library calls in every program to set the thread pointer.
var startup = map[event.ABI]string{event.X8664: "arch_prctl", event.X32: "arch_prctl", event.I386: "set_thread_area", event.ARM: "set_tls"}

// kin are the calls of an ABI that a program is expected to make there if it makes one in
// another: that of the name, and those that the C library calls in its place. It is sorted.
func kin(from, to event.ABI, name string) []string {
	var found []string
	names := []string{name}
	if is32(from) && !is32(to) && !has(to, name) {
		names = append(names, wideOf(name)...)
	}
	for _, n := range names {
		found = append(found, successor(to, n)...)
		found = append(found, predecessors(from, to, n)...)
	}
	if !is32(from) && is32(to) {
		for _, n := range append(slices.Clone(found), name) {
			found = append(found, narrowOf(to, n)...)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// successor is the call itself or the first of those after it that an ABI has.
func successor(to event.ABI, name string) []string {
	for ; name != ""; name = successors[name] {
		if has(to, name) {
			return []string{name}
		}
	}
	return nil
}

// predecessors are the older calls that arm64 came without, which the C library of another
// ABI may still prefer.
func predecessors(from, to event.ABI, name string) []string {
	var found []string
	for old, n := range successors {
		if from == event.ARM64 && n == name && has(to, old) && !has(from, old) {
			found = append(found, old)
		}
	}
	return found
}

// narrowOf are the calls of a 32-bit ABI for a call of a 64-bit one.
func narrowOf(to event.ABI, name string) []string {
	candidates := slices.Clone(narrow[name])
	for _, s := range suffixes {
		candidates = append(candidates, name+s)
	}
	if m := Multiplexer(name); m != "" {
		candidates = append(candidates, m)
	}
	return slices.DeleteFunc(candidates, func(n string) bool { return !has(to, n) })
}

// wideOf are the names that 64-bit ABIs have for a call of a 32-bit one.
func wideOf(name string) []string {
	var found []string
	for _, s := range suffixes {
		if plain, ok := strings.CutSuffix(name, s); ok {
			found = append(found, plain)
		}
	}
	for wide, narrows := range narrow {
		if slices.Contains(narrows, name) && name != "statx" {
			found = append(found, wide)
		}
	}
	return found
}

func is32(abi event.ABI) bool { return abi == event.I386 || abi == event.ARM }

func has(abi event.ABI, name string) bool {
	_, ok := syscalls.Number(abi, name)
	return ok
}
