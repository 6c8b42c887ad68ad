package strace

import (
	"maps"

	"github.com/turnstile-project/turnstile/internal/event"
)

// thread is one thread of the log.
type thread struct {
	tid     int32
	process *process
	// open is the text of the call that has begun and not ended, nr its number.
	open   string
	openNr int32
	// spoke is set once the log has a line of it, ended when that was the last.
	spoke, ended bool
}

// process is one process of the log.
type process struct {
	event.Process
	threads int
	// abi is that of its calls, once it is known. Until then they are in pending.
	abi     event.ABI
	pending map[string]*pendingCalls
	// dir is the working directory, nil while it is not known. chrooted is set when
	// absolute paths start somewhere else.
	dir      []byte
	chrooted bool
	fds      *descriptors
	// leaving is set by exit_group(2), which has the status.
	leaving bool
	status  int
	ended   bool
}

// pendingCalls are calls of one name by a process whose ABI is not known yet.
type pendingCalls struct {
	count  uint64
	errors map[event.Errno]uint64
	values map[argumentValue]bool
}

// argumentValue is what an argument was, if that is known.
type argumentValue struct {
	index uint8
	value uint64
	known bool
}

// maxPendingValues bounds the values that are kept of one call.
const maxPendingValues = 256

// descriptors are the open files of a process, as far as the log tells. Processes share
// them until one of them opens or closes something.
type descriptors struct {
	files  map[int32]object
	shared bool
}

// object is what a descriptor stands for.
type object struct {
	path    []byte
	how     event.How
	cloexec bool
	socket  *socket
}

// socket is what is known of a socket beside its descriptor.
type socket struct {
	family, typ, protocol uint16
	bound                 event.Socket // what bind(2) gave it
}

// maxDescriptors of a process are kept.
const maxDescriptors = 1024

// fork makes the descriptors of a child.
func (d *descriptors) fork() *descriptors {
	d.shared = true
	return &descriptors{files: d.files, shared: true}
}

func (d *descriptors) own() {
	if d.shared || d.files == nil {
		files := make(map[int32]object, len(d.files))
		maps.Copy(files, d.files)
		d.files, d.shared = files, false
	}
}

func (d *descriptors) set(fd int32, o object) {
	if _, known := d.files[fd]; !known && len(d.files) >= maxDescriptors {
		return // it is not known, as if it had been there before the log
	}
	d.own()
	d.files[fd] = o
}

func (d *descriptors) close(fd int32) {
	if _, known := d.files[fd]; known {
		d.own()
		delete(d.files, fd)
	}
}

func (d *descriptors) closeIf(gone func(fd int32, o object) bool) {
	d.own()
	maps.DeleteFunc(d.files, gone)
}
