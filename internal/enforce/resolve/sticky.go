package resolve

import (
	"bytes"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// protectsSymlinks is fs.protected_symlinks (proc_sys_fs(5)). A host that cannot be asked
// is taken for one that protects.
var protectsSymlinks = sync.OnceValue(func() bool {
	text, err := os.ReadFile("/proc/sys/fs/protected_symlinks")
	return err != nil || !bytes.Equal(bytes.TrimSpace(text), []byte("0"))
})

// mayFollow is fs.protected_symlinks: in a directory that is sticky and writable for all,
// only links of its owner or of the follower are followed.
func (t *Target) mayFollow(parent, link *Object) error {
	const shared = unix.S_ISVTX | unix.S_IWOTH
	if parent.Stat.Mode&shared == shared && link.Stat.Uid != parent.Stat.Uid && link.Stat.Uid != t.FSUID && protectsSymlinks() {
		return unix.EACCES
	}
	return nil
}
