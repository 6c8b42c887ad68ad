package strace

import (
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
)

// call reads a call that has ended.
func (d *reader) call(t *thread, c *call) error {
	p := t.process
	executes := c.name == "execve" || c.name == "execveat"
	if executes && c.errno == 0 && c.returned && p == d.target && p.Exe == "" && d.argv == nil {
		d.argv = asStrings(d.argvOf(c)) // strace itself started the command
	} else if err := d.count(p, c); err != nil {
		return err
	}
	d.noteUnreturned(c)
	a := d.tell(p, c)
	switch c.name {
	case "exit_group", "exit":
		status, ok := c.number(0)
		p.leaving, p.status = ok && (c.name == "exit_group" || p.threads == 1), int(status&0xff)
	}
	if c.errno != 0 || !c.returned {
		if c.name == "close" { // whatever it returns, the descriptor is gone
			d.closed(p, c)
		}
		return nil
	}
	if executes {
		d.executed(p, c, a)
		return nil
	}
	if makesThread(c.name + "(") {
		return d.forked(t, c)
	}
	d.moved(p, c, a)
	d.opened(p, c, a)
	return nil
}

func asStrings(list [][]byte) []string {
	all := make([]string, len(list))
	for i, b := range list {
		all[i] = string(b)
	}
	return all
}

// executed gives a process its new image.
func (d *reader) executed(p *process, c *call, a *event.Access) {
	if len(a.Targets) == 0 {
		return
	}
	d.settle(p, event.ABIUnknown)
	p.abi = event.ABIUnknown
	p.Exe = string(a.Targets[0].Path)
	if p.Exe == "" {
		p.Exe = string(a.Targets[0].Asked)
	}
	p.Comm = path.Base(p.Exe)
	p.Comm = p.Comm[:min(len(p.Comm), 15)] // TASK_COMM_LEN - 1
	p.leaving = false
	p.fds = p.fds.fork() // of a vfork
	p.fds.closeIf(func(_ int32, o object) bool { return o.cloexec })
	// Which interpreters the program has is not in the log.
	d.lost[lostInterpreters]++
	e := event.Event{
		Process: &p.Process, Category: event.CategoryProcess, Call: event.Call{Nr: -1},
		Outcome: event.Outcome{Known: true}, Access: *a, Argv: d.argvOf(c),
	}
	d.emit(&e)
}

// forked begins the thread that a call made.
func (d *reader) forked(t *thread, c *call) error {
	if _, name, ok := strings.Cut(c.result, "<"); ok {
		c.result = c.result[:len(c.result)-len(name)-1] // its name (-Y)
	}
	tid, ok := number(c.result)
	if !ok || tid == 0 || tid > maxTID {
		return nil
	}
	if known := d.threads[int32(tid)]; known != nil {
		return nil // its lines did not wait, so that its parent is not known
	}
	flags, ok := c.number(0)
	if c.name == "clone3" {
		text, _ := field(c.arg(0), "flags")
		flags, ok = number(text)
	}
	if !ok && c.name != "fork" && c.name != "vfork" {
		d.lost[lostParents]++
	}
	if c.name == "fork" || c.name == "vfork" {
		flags = 0
	}
	if err := d.adopt(int32(tid), t, flags&unix.CLONE_THREAD != 0); err != nil {
		return err
	}
	if child := d.threads[int32(tid)]; child != nil && flags&unix.CLONE_FILES != 0 && !child.spoke {
		child.process.fds = t.process.fds
	}
	return nil
}

// maxDir bounds the name of a working directory, which a hostile log could have grow with
// each line.
const maxDir = 1 << 16

// moved follows where paths start from.
func (d *reader) moved(p *process, c *call, a *event.Access) {
	switch c.name {
	case "chdir", "fchdir":
		p.dir = nil
		if len(a.Targets) > 0 {
			if dir := a.Targets[0].Path; len(dir) <= maxDir {
				p.dir = append(p.dir, dir...)
			}
		}
	case "chroot", "pivot_root":
		p.chrooted = true
	case "getcwd":
		if dir, cut, ok := text(c.arg(0)); ok && !cut && len(dir) > 0 && dir[0] == '/' {
			p.dir = dir
		}
	}
}

// opened follows what descriptors stand for.
func (d *reader) opened(p *process, c *call, a *event.Access) {
	fd, _, ok := descriptor(c.result)
	if !ok {
		fd = -1
	}
	switch c.name {
	case "close":
		d.closed(p, c)
	case "close_range":
		first, ok1 := c.number(0)
		last, ok2 := c.number(1)
		if flags, _ := c.number(2); ok1 && ok2 && flags == 0 {
			p.fds.closeIf(func(fd int32, _ object) bool { return uint64(fd) >= first && uint64(fd) <= last })
		}
	case "open", "openat", "openat2", "creat":
		if len(a.Targets) == 0 || fd < 0 {
			return
		}
		t := &a.Targets[0]
		name := t.Path
		if a.Flags&unix.O_TMPFILE == unix.O_TMPFILE {
			name = nil // it has none
		}
		p.fds.set(fd, object{path: append([]byte(nil), name...), how: t.How, cloexec: a.Flags&unix.O_CLOEXEC != 0})
	case "dup", "dup2", "dup3", "fcntl", "fcntl64":
		d.duplicated(p, c, fd)
	case "socket":
		p.fds.set(fd, socketObject(c))
	case "accept", "accept4":
		from, _, _ := descriptor(c.arg(0))
		if o := p.fds.files[from]; o.socket != nil {
			s := *o.socket
			flags, _ := c.number(3)
			p.fds.set(fd, object{socket: &s, cloexec: flags&unix.SOCK_CLOEXEC != 0})
		} else {
			p.fds.close(fd)
		}
	case "bind":
		at, _, _ := descriptor(c.arg(0))
		if o := p.fds.files[at]; o.socket != nil {
			s := *o.socket
			s.bound = a.Socket
			if len(a.Targets) > 0 && a.Targets[0].Path != nil {
				s.bound.Path = append([]byte(nil), a.Targets[0].Path...)
			}
			o.socket = &s
			p.fds.set(at, o)
		}
	case "pipe", "pipe2":
		d.replaced(p, c.arg(0))
	case "socketpair":
		d.replaced(p, c.arg(3))
	default:
		if makesDescriptor[c.name] {
			p.fds.close(fd)
		}
	}
}

// makesDescriptor are the calls that return a descriptor of what is no file.
var makesDescriptor = map[string]bool{
	"epoll_create": true, "epoll_create1": true, "eventfd": true, "eventfd2": true, "timerfd_create": true,
	"signalfd": true, "signalfd4": true, "inotify_init": true, "inotify_init1": true, "fanotify_init": true,
	"memfd_create": true, "memfd_secret": true, "pidfd_open": true, "pidfd_getfd": true, "bpf": true,
	"perf_event_open": true, "userfaultfd": true, "io_uring_setup": true, "open_tree": true, "fsopen": true,
	"fsmount": true, "fspick": true, "open_by_handle_at": true, "landlock_create_ruleset": true, "seccomp": true,
}

func (d *reader) closed(p *process, c *call) {
	if fd, _, ok := descriptor(c.arg(0)); ok {
		p.fds.close(fd)
	}
}

// replaced forgets what descriptors, [3, 4], stood for.
func (d *reader) replaced(p *process, arg string) {
	items, _ := list(arg)
	for _, item := range items {
		if fd, _, ok := descriptor(item); ok {
			p.fds.close(fd)
		}
	}
}

func (d *reader) duplicated(p *process, c *call, fd int32) {
	from, _, _ := descriptor(c.arg(0))
	o, known := p.fds.files[from]
	switch command, _ := c.number(1); {
	case c.name == "fcntl" || c.name == "fcntl64":
		switch command {
		case unix.F_DUPFD, unix.F_DUPFD_CLOEXEC:
			o.cloexec = command == unix.F_DUPFD_CLOEXEC
		case unix.F_SETFD:
			flags, _ := c.number(2)
			o.cloexec = flags&unix.FD_CLOEXEC != 0
			fd = from
		default:
			return
		}
	case c.name == "dup2" && fd == from:
		return
	case c.name == "dup3":
		flags, _ := c.number(2)
		o.cloexec = flags&unix.O_CLOEXEC != 0
	default:
		o.cloexec = false
	}
	if known {
		p.fds.set(fd, o)
	} else {
		p.fds.close(fd)
	}
}

// socketObject is what socket(2) made.
func socketObject(c *call) object {
	family, _ := c.number(0)
	typ, ok := c.number(1)
	protocol, _ := c.number(2)
	if !ok {
		return object{}
	}
	s := &socket{family: uint16(family), typ: uint16(typ &^ (unix.SOCK_CLOEXEC | unix.SOCK_NONBLOCK)), protocol: uint16(protocol)}
	if s.protocol == 0 && (family == unix.AF_INET || family == unix.AF_INET6) {
		switch s.typ { // what the kernel takes for 0
		case unix.SOCK_STREAM:
			s.protocol = unix.IPPROTO_TCP
		case unix.SOCK_DGRAM:
			s.protocol = unix.IPPROTO_UDP
		}
	}
	return object{socket: s, cloexec: typ&unix.SOCK_CLOEXEC != 0}
}

// annotatedSockets are the types of sockets by how strace -yy calls them.
var annotatedSockets = []struct {
	name string
	socket
}{
	{"TCP:", socket{unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_TCP, event.Socket{}}},
	{"TCPv6:", socket{unix.AF_INET6, unix.SOCK_STREAM, unix.IPPROTO_TCP, event.Socket{}}},
	{"UDP:", socket{unix.AF_INET, unix.SOCK_DGRAM, unix.IPPROTO_UDP, event.Socket{}}},
	{"UDPv6:", socket{unix.AF_INET6, unix.SOCK_DGRAM, unix.IPPROTO_UDP, event.Socket{}}},
	{"UNIX-STREAM:", socket{unix.AF_UNIX, unix.SOCK_STREAM, 0, event.Socket{}}},
	{"UNIX-DGRAM:", socket{unix.AF_UNIX, unix.SOCK_DGRAM, 0, event.Socket{}}},
	{"UNIX-SEQPACKET:", socket{unix.AF_UNIX, unix.SOCK_SEQPACKET, 0, event.Socket{}}},
}

// socketOf is the socket of a descriptor, nil if it is not known.
func (p *process) socketOf(arg string) *socket {
	if _, name, ok := strings.Cut(arg, "<"); ok {
		for i := range annotatedSockets {
			if strings.HasPrefix(name, annotatedSockets[i].name) {
				return &annotatedSockets[i].socket
			}
		}
	}
	fd, _, _ := descriptor(arg)
	return p.fds.files[fd].socket
}

// describeSocket adds what is known of the socket beside the address that was passed.
func (d *reader) describeSocket(p *process, c *call, a *event.Access) {
	s := p.socketOf(c.arg(0))
	if fd, _, _ := descriptor(c.arg(0)); s != nil && p.fds.files[fd].socket != nil {
		bound := p.fds.files[fd].socket.bound
		s = &socket{s.family, s.typ, s.protocol, bound}
	}
	switch a.Op {
	case event.OpListen:
		if s != nil {
			a.Socket = s.bound
		}
		if s == nil || s.bound.Family == unix.AF_UNSPEC || s.bound.Addr.IsValid() && s.bound.Port == 0 {
			d.lost[lostAddresses]++ // the kernel chose it, or it was bound before
		}
	case event.OpAccept:
		if peer, ok := sockaddrPassed(c.arg(1)); ok && c.errno == 0 {
			a.Socket = peer
		}
	}
	if s == nil {
		return
	}
	a.Socket.Type, a.Socket.Protocol, a.Socket.TypeKnown = s.typ, s.protocol, true
	if a.Socket.Family == unix.AF_UNSPEC && (a.Op == event.OpListen || a.Op == event.OpAccept) {
		a.Socket.Family = s.family
	}
}
