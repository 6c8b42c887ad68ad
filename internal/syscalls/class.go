package syscalls

import (
	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
)

// Classify sets the class of each target of a: what the access means in the
// words of a policy. It needs the operation, the flags, and of each target what
// is known of its type and whether the access made it.
func Classify(a *event.Access) {
	for i := range a.Targets {
		a.Targets[i].Class = class(a, i)
	}
}

func class(a *event.Access, i int) event.Class {
	t := &a.Targets[i]
	switch a.Op {
	case event.OpOpen:
		return openClass(a.Flags, t)
	case event.OpMkdir, event.OpMknod, event.OpSymlink:
		return event.Create
	case event.OpLink:
		if i == 0 {
			return event.Read
		}
		return event.Create
	case event.OpRename:
		return renameClass(a.Flags, i)
	case event.OpUnlink, event.OpRmdir:
		return event.Delete
	case event.OpTruncate:
		return event.Write
	case event.OpStat, event.OpAccess, event.OpReadlink, event.OpGetxattr, event.OpListxattr,
		event.OpStatfs, event.OpChdir, event.OpChroot, event.OpHandle:
		return event.Stat
	case event.OpWatch:
		return event.List
	case event.OpSetxattr, event.OpRemovexattr, event.OpChmod, event.OpChown, event.OpUtime,
		event.OpSetflags:
		return event.Attr
	case event.OpExec, event.OpMapExec:
		return event.Exec
	case event.OpConnect, event.OpSend:
		return event.Connect
	case event.OpBind:
		return event.Bind | event.Create
	}
	return 0
}

func openClass(flags uint64, t *event.Target) event.Class {
	if flags&unix.O_PATH != 0 {
		return event.Stat
	}
	if flags&unix.O_TMPFILE == unix.O_TMPFILE {
		return event.Create
	}
	var c event.Class
	switch flags & unix.O_ACCMODE {
	case unix.O_WRONLY:
		c = event.Write
	case unix.O_RDWR, unix.O_ACCMODE: // the kernel wants both rights for the latter
		c = event.Read | event.Write
	default:
		if t.Mode&unix.S_IFMT == unix.S_IFDIR || flags&unix.O_DIRECTORY != 0 {
			c = event.List
		} else {
			c = event.Read
		}
	}
	if flags&unix.O_TRUNC != 0 {
		c |= event.Write
	}
	if t.Created {
		c |= event.Create
	}
	return c
}

// renameClass counts a new name that may have existed as replaced: only
// RENAME_NOREPLACE proves that it did not.
func renameClass(flags uint64, i int) event.Class {
	switch {
	case i == 0 && flags&unix.RENAME_EXCHANGE == 0:
		return event.Delete
	case i == 0:
		return event.Delete | event.Create
	case flags&unix.RENAME_NOREPLACE != 0:
		return event.Create
	default:
		return event.Create | event.Delete
	}
}
