package enforce

import (
	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
)

// checkArguments refuses what the kernel refuses before it looks at a path.
func (c *call) checkArguments() error {
	if known, has := c.knownFlags(); has && c.flags&^known != 0 {
		return unix.EINVAL
	}
	switch c.spec.Op {
	case event.OpOpen:
		_, err := c.openRequest()
		return err
	case event.OpTruncate:
		if int64(c.arg(1)) < 0 {
			return unix.EINVAL
		}
	case event.OpRename:
		const exchange = unix.RENAME_EXCHANGE
		if f := c.renameFlags(); f&exchange != 0 && f&(unix.RENAME_NOREPLACE|unix.RENAME_WHITEOUT) != 0 {
			return unix.EINVAL
		}
	case event.OpAccess:
		const all = unix.R_OK | unix.W_OK | unix.X_OK
		if c.accessMode()&^all != 0 {
			return unix.EINVAL
		}
	case event.OpReadlink:
		if _, size := c.linkRoom(); size <= 0 {
			return unix.EINVAL
		}
	case event.OpStat:
		const reserved = 1 << 31 // STATX__RESERVED, include/uapi/linux/stat.h
		if c.is("statx") && (c.flags&statxSync == statxSync || c.arg(3)&reserved != 0) {
			return unix.EINVAL
		}
	}
	return nil
}

// knownFlags are the AT_* and RENAME_* that a call takes.
func (c *call) knownFlags() (known uint64, has bool) {
	const object = unix.AT_SYMLINK_NOFOLLOW | unix.AT_EMPTY_PATH
	switch c.spec.Name {
	case "renameat2":
		return unix.RENAME_NOREPLACE | unix.RENAME_EXCHANGE | unix.RENAME_WHITEOUT, true
	case "linkat":
		return unix.AT_SYMLINK_FOLLOW | unix.AT_EMPTY_PATH, true
	case "unlinkat":
		return unix.AT_REMOVEDIR, true
	case "fchmodat2", "fchownat", "utimensat", "setxattrat", "removexattrat", "getxattrat", "listxattrat",
		"file_getattr", "file_setattr":
		return object, true
	case "execveat":
		return object | atExecveCheck, true
	case "faccessat2":
		return object | unix.AT_EACCESS, true
	case "newfstatat":
		return object | unix.AT_NO_AUTOMOUNT, true
	case "statx":
		return object | unix.AT_NO_AUTOMOUNT | statxSync, true
	}
	return 0, false
}

// statxSync is AT_STATX_SYNC_TYPE, include/uapi/linux/fcntl.h.
const statxSync = unix.AT_STATX_FORCE_SYNC | unix.AT_STATX_DONT_SYNC
