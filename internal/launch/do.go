package launch

import (
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Do runs f with the rights of u, so that a path which u controls can be
// opened without lending it the powers of root. A nil user just runs f.
//
// f runs on an OS thread of its own. Only that thread changes: what f starts
// on other goroutines runs with the rights of the process.
func (u *User) Do(f func() error) error {
	if u == nil {
		return f()
	}
	return onOwnThread(func() error {
		if err := u.assume(); err != nil {
			return fmt.Errorf("acting as user %q: %w", u.Name, err)
		}
		return f()
	})
}

// assume gives the calling thread the groups and the effective ids of u. The
// ids for file access follow the effective ones, and the kernel clears the
// effective capabilities when the effective uid leaves 0 (capabilities(7),
// "Effect of user ID changes on capabilities").
//
// setfsuid(2) alone would not do: some files of /proc/sys are guarded by the
// effective uid (fs/proc/proc_sysctl.c, test_perm), others of /proc by
// CAP_SYS_PTRACE, and a symbolic link may point at any of them. The real and
// the saved ids stay root's, so that the user's own processes cannot send
// signals to this one (kill(2)).
//
// The calls are the raw ones, because the wrappers of Go change every thread.
func (u *User) assume() error {
	if _, _, errno := syscall.RawSyscall(unix.SYS_SETGROUPS, uintptr(len(u.Groups)),
		uintptr(unsafe.Pointer(unsafe.SliceData(u.Groups))), 0); errno != 0 {
		return fmt.Errorf("setting groups: %w", errno)
	}
	const same = ^uintptr(0)
	if _, _, errno := syscall.RawSyscall(unix.SYS_SETRESGID, same, uintptr(u.GID), same); errno != 0 {
		return fmt.Errorf("setting gid %d: %w", u.GID, errno)
	}
	if _, _, errno := syscall.RawSyscall(unix.SYS_SETRESUID, same, uintptr(u.UID), same); errno != 0 {
		return fmt.Errorf("setting uid %d: %w", u.UID, errno)
	}
	return nil
}
