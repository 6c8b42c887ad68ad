package resolve

import (
	"sync"

	"golang.org/x/sys/unix"
)

// Filesystem is what has to be known of a filesystem.
type Filesystem struct {
	// Plain says that a file has just the names by which it is found, and that nobody
	// else is asked for it.
	Plain bool
	// Waits says that its files may wait for a host on the network, or a process.
	Waits bool
	// Proc says that it is procfs, in which names depend on who looks.
	Proc bool
}

// filesystems by type (statfs(2)). Those that are not here may fold the case of names.
var filesystems = map[int64]Filesystem{
	unix.EXT4_SUPER_MAGIC: plain, unix.XFS_SUPER_MAGIC: plain, unix.BTRFS_SUPER_MAGIC: plain,
	unix.F2FS_SUPER_MAGIC: plain, unix.TMPFS_MAGIC: plain, unix.RAMFS_MAGIC: plain,
	unix.OVERLAYFS_SUPER_MAGIC: plain, unix.SQUASHFS_MAGIC: plain, unix.EROFS_SUPER_MAGIC_V1: plain,
	unix.SYSFS_MAGIC: plain, unix.CGROUP2_SUPER_MAGIC: plain, unix.DEVPTS_SUPER_MAGIC: plain,
	unix.PROC_SUPER_MAGIC: {Proc: true},
	unix.FUSE_SUPER_MAGIC: waits, unix.NFS_SUPER_MAGIC: waits, unix.AUTOFS_SUPER_MAGIC: waits,
	unix.CIFS_SUPER_MAGIC: waits, unix.SMB2_SUPER_MAGIC: waits, unix.SMB_SUPER_MAGIC: waits,
	unix.V9FS_MAGIC: waits, unix.CEPH_SUPER_MAGIC: waits, unix.AFS_FS_MAGIC: waits, unix.CODA_SUPER_MAGIC: waits,
}

var (
	plain = Filesystem{Plain: true}
	waits = Filesystem{Waits: true}
)

// byDevice remembers the filesystems of devices. A number stands for one as long as it
// is mounted.
var byDevice sync.Map

// KnownFilesystem is the filesystem of a device that was asked for before.
func KnownFilesystem(dev uint64) (Filesystem, bool) {
	known, found := byDevice.Load(dev)
	if !found {
		return Filesystem{}, false
	}
	return known.(Filesystem), true
}

// FilesystemOf asks for the filesystem of a descriptor, once for each device.
func FilesystemOf(fd int, dev uint64) (Filesystem, error) {
	if known, found := KnownFilesystem(dev); found {
		return known, nil
	}
	var fs unix.Statfs_t
	if err := unix.Fstatfs(fd, &fs); err != nil {
		return Filesystem{}, err
	}
	found := filesystems[fs.Type]
	byDevice.Store(dev, found)
	return found, nil
}
