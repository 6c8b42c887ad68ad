package resolve

import (
	"strings"

	"golang.org/x/sys/unix"
)

// Place is a name in a pinned directory: what a call makes, removes or renames. The name
// is not followed if it is a link.
type Place struct {
	// Dir is an O_PATH descriptor.
	Dir int
	// Name is one name. A slash at its end says that it has to be a directory, for the
	// kernel to see to.
	Name string
	// Path is the kernel's name of the directory, and the name.
	Path string
	// Fixed says that the name is ".", ".." or "/", of which nothing can be made:
	// the kernel has an error for every call.
	Fixed bool
	// Dev is the device of the directory.
	Dev uint64
}

// Close lets the directory go.
func (p *Place) Close() {
	if p.Dir >= 0 {
		_ = unix.Close(p.Dir)
		p.Dir = -1
	}
}

// Place pins the directory of a path.
func (t *Target) Place(dir int, name string) (Place, error) {
	nowhere := Place{Dir: -1}
	if name == "" {
		return nowhere, unix.ENOENT
	}
	before, last := Split(name)
	p := Place{Name: last, Fixed: last == "" || last == "." || last == ".."}
	if last == "" {
		p.Name = "/"
	}
	o, err := t.File(Lookup{Dir: dir, Name: before, Follow: true})
	switch {
	case err != nil:
		return nowhere, err
	case !o.Exists():
		o.Close()
		return nowhere, unix.ENOENT
	case !o.Is(unix.S_IFDIR):
		o.Close()
		return nowhere, unix.ENOTDIR
	}
	p.Dev = o.Stat.Dev
	p.Dir, p.Path = o.FD, strings.TrimSuffix(o.Path, "/")+"/"+last
	switch {
	case o.Path == "":
		p.Path = ""
	case o.Unlinked:
		p.Path = o.Path + " (deleted)/" + last
	}
	if strings.HasSuffix(name, "/") && !p.Fixed {
		p.Name += "/"
	}
	return p, nil
}

// At is what is in the place, not followed.
func (t *Target) At(p *Place) (Object, error) {
	name := strings.TrimSuffix(p.Name, "/")
	fd, err := unix.Openat(p.Dir, name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return none, err
	}
	o := Object{FD: fd, Dir: -1, Path: p.Path}
	if err := unix.Fstat(fd, &o.Stat); err != nil {
		o.Close()
		return none, err
	}
	return o, nil
}
