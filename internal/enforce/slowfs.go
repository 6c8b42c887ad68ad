package enforce

import (
	"sync"

	"golang.org/x/sys/unix"
)

// slow remembers which devices are filesystems whose files may keep who opens them
// waiting for somebody else. A device number stands for one filesystem while it is
// mounted.
var slow sync.Map

// isQuick says whether a device is known to be a filesystem that does not wait for others.
func isQuick(dev uint64) bool {
	waits, known := slow.Load(dev)
	return known && !waits.(bool)
}

// isSlow asks the filesystem of a descriptor, once for each device, whether its files may
// wait for others: for a host on the network, or a process.
func isSlow(fd int, dev uint64) bool {
	if waits, known := slow.Load(dev); known {
		return waits.(bool)
	}
	var fs unix.Statfs_t
	if unix.Fstatfs(fd, &fs) != nil {
		return true
	}
	waits := false
	switch fs.Type {
	case unix.FUSE_SUPER_MAGIC, unix.NFS_SUPER_MAGIC, unix.AUTOFS_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC,
		unix.SMB2_SUPER_MAGIC, unix.SMB_SUPER_MAGIC, unix.V9FS_MAGIC, unix.CEPH_SUPER_MAGIC, unix.AFS_FS_MAGIC, unix.CODA_SUPER_MAGIC:
		waits = true
	}
	slow.Store(dev, waits)
	return waits
}
