package enforce

import (
	"errors"
	"fmt"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/enforce/plan"
)

// viewDoors are those by which a process comes to a root directory or to namespaces of its
// own, in which the names of files and its rights mean something else than here.
const viewDoors = plan.ViewDoors

// errElsewhere is about a target that a policy has let go through one of viewDoors.
var errElsewhere = errors.New("the target has gone elsewhere, by an open door")

// view is what the names of files, and the rights of a process, are relative to.
type view struct {
	root, mount   uint64 // the root directory, and the mount that it is on
	device        [2]uint32
	mounts, users uint64 // the namespaces
}

// viewOf looks into a directory of /proc.
func viewOf(process string) (v view, err error) {
	var root unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, process+"/root", 0, unix.STATX_INO|unix.STATX_MNT_ID, &root); err != nil {
		return v, fmt.Errorf("looking at the root directory of %q: %w", process, err)
	}
	v.root, v.mount, v.device = root.Ino, root.Mnt_id, [2]uint32{root.Dev_major, root.Dev_minor}
	for name, number := range map[string]*uint64{"/ns/mnt": &v.mounts, "/ns/user": &v.users} {
		var namespace unix.Stat_t
		if err := unix.Stat(process+name, &namespace); err != nil {
			return v, fmt.Errorf("looking at the namespaces of %q: %w", process, err)
		}
		*number = namespace.Ino
	}
	return v, nil
}

// seesOtherwise says whether the target has gone through one of viewDoors. What it names
// cannot be found from here: the policy that opened the door has given its files up. Who has
// made a user namespace cannot even be looked at, until it executes a program.
func (c *call) seesOtherwise() bool {
	if c.ourView == nil {
		return false
	}
	theirs, err := viewOf("/proc/" + strconv.Itoa(c.tid()))
	return err != nil || theirs != *c.ourView
}
