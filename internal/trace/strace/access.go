package strace

import (
	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/syscalls"
)

// memory gives what the arguments of a call point to, as far as strace wrote it.
type memory struct{ *call }

// String implements [syscalls.Memory].
func (m memory) String(i int) ([]byte, bool) {
	if withoutComments(m.arg(i)) == "NULL" {
		return nil, true
	}
	b, cut, ok := text(m.arg(i))
	return b, ok && !cut
}

// Sockaddr implements [syscalls.Memory].
func (m memory) Sockaddr(i int) ([]byte, bool) {
	switch m.name {
	case "sendmsg", "sendmmsg":
		return messageAddress(m.arg(i))
	}
	return sockaddr(m.arg(i))
}

// Word implements [syscalls.Memory].
func (m memory) Word(i int) (uint64, bool) {
	flags, _ := field(m.arg(i), "flags")
	return number(flags)
}

// tell makes the event of a call that touches something, and returns what it touched.
func (d *reader) tell(p *process, c *call) *event.Access {
	spec := specNamed(c.name)
	a := &d.access
	if spec == nil || spec.Op == event.OpNone {
		*a = event.Access{Targets: a.Targets[:0]}
		return a
	}
	e := event.Event{Process: &p.Process, Category: spec.Op.Category(), Outcome: event.Outcome{Known: c.returned, Errno: c.errno}}
	e.Call, _ = callOf(spec.Name)
	for i, role := range spec.Args {
		switch role {
		case syscalls.Flags, syscalls.Prot, syscalls.Selector:
			n, ok := c.number(i)
			if !ok && role != syscalls.Selector {
				d.unreadable(spec.Op)
			}
			e.Call.Args[i] = n
		}
	}
	for range syscalls.Decode(e.Call, memory{c}, a) {
		if c.errno != event.Errno(unix.EFAULT) { // or the kernel could not read it either
			d.unreadable(spec.Op)
		}
	}
	switch {
	case a.Op == event.OpNone:
		return a
	case a.Op.Category() == event.CategoryNetwork:
		d.describeSocket(p, c, a)
		if a.Op == event.OpSend && a.Socket.Family == unix.AF_UNSPEC {
			return a // to where the socket is connected
		}
	}
	d.resolve(p, c, spec, a)
	syscalls.Classify(a)
	e.Access = *a
	if a.Op == event.OpExec {
		if c.errno == 0 && c.returned {
			return a // the exec tells it
		}
		e.Argv = d.argvOf(c)
	}
	d.emit(&e)
	return a
}

// callOf is a number with the arguments of which strace writes those of a call.
func callOf(name string) (event.Call, bool) {
	for _, abi := range []event.ABI{event.X8664, event.I386, event.ARM64, event.ARM} {
		if nr, ok := syscalls.Number(abi, name); ok {
			return event.Call{ABI: abi, Nr: nr}, true
		}
	}
	return event.Call{}, false
}

// unreadable counts an argument that strace did not write, or not in full.
func (d *reader) unreadable(op event.Op) {
	if op.Category() == event.CategoryNetwork {
		d.lost[lostAddresses]++
	} else {
		d.lost[lostPaths]++
	}
}

// resolve adds to the targets where they are.
func (d *reader) resolve(p *process, c *call, spec *syscalls.Spec, a *event.Access) {
	network := a.Op.Category() == event.CategoryNetwork
	for i := range a.Targets {
		t := &a.Targets[i]
		operand := syscalls.Operand{Path: -1, Dir: -1, FD: -1}
		if !network && i < len(spec.Operands) {
			operand = spec.Operands[i]
		}
		base := p.dir
		how := event.HowJoined
		switch {
		case operand.FD >= 0:
			d.resolveDescriptor(p, c, operand.FD, t)
			continue
		case operand.Dir >= 0:
			base = d.base(p, c.arg(operand.Dir))
		}
		switch {
		case len(t.Asked) == 0:
			if operand.Dir >= 0 { // AT_EMPTY_PATH, or NULL: the descriptor itself
				t.Asked = nil
				d.resolveDescriptor(p, c, operand.Dir, t)
			}
			continue
		case t.Asked[0] == '/' && p.chrooted:
			d.lost[lostPlaces]++
			continue
		case t.Asked[0] == '/':
			base, how = nil, event.HowAsked
		case base == nil:
			d.lost[lostPlaces]++
			continue
		}
		t.Path, t.How = joined(base, t.Asked), how
	}
	if c.errno != 0 || !c.returned || !spec.ReturnsFD || network || len(a.Targets) == 0 {
		return
	}
	t := &a.Targets[0]
	t.Created = a.Flags&unix.O_CREAT != 0 // or it was there: a log does not tell
	if _, path, ok := descriptor(c.result); ok && path != nil && a.Flags&unix.O_TMPFILE != unix.O_TMPFILE {
		t.Path, t.How = path, event.HowFD
	}
}

// resolveDescriptor makes a target what the descriptor in an argument stands for.
func (d *reader) resolveDescriptor(p *process, c *call, i int, t *event.Target) {
	arg := c.arg(i)
	fd, path, ok := descriptor(arg)
	o, known := p.fds.files[fd]
	switch {
	case path != nil:
		t.Path, t.How = path, event.HowFD
	case known:
		t.Path, t.How = o.path, o.how
	case ok && (fd == -1 || fd == unix.AT_FDCWD || annotated(arg)):
		// No file, or the working directory.
		if fd == unix.AT_FDCWD && p.dir != nil {
			t.Path, t.How = p.dir, event.HowJoined
		}
	case c.errno != event.Errno(unix.EBADF):
		d.lost[lostDescriptors]++
	}
}

// annotated says whether the log has what a descriptor is.
func annotated(arg string) bool { return len(arg) > 0 && arg[len(arg)-1] == '>' }

// base is the directory that a path starts from, nil if it is not known.
func (d *reader) base(p *process, arg string) []byte {
	fd, path, ok := descriptor(arg)
	if fd == unix.AT_FDCWD {
		if path != nil {
			p.dir = path
		}
		return p.dir
	}
	if path == nil && ok {
		path = p.fds.files[fd].path
	}
	return path
}

// joined is path below base, with nothing that stands for no step.
func joined(base, path []byte) []byte {
	all := append(append(append(make([]byte, 0, len(base)+1+len(path)), base...), '/'), path...)
	b := make([]byte, 0, len(all))
	for start := 0; start < len(all); {
		end := start
		for end < len(all) && all[end] != '/' {
			end++
		}
		if name := all[start:end]; len(name) > 0 && string(name) != "." {
			b = append(append(b, '/'), name...)
		}
		start = end + 1
	}
	if len(b) == 0 {
		return []byte{'/'}
	}
	return b
}

// argvOf are the arguments of a new program.
func (d *reader) argvOf(c *call) [][]byte {
	i := 1
	if c.name == "execveat" {
		i = 2
	}
	items, ok := list(c.arg(i))
	if !ok {
		d.lost[lostArgv]++
		return nil
	}
	var argv [][]byte
	for _, item := range items {
		b, cut, ok := text(item)
		if cut || !ok { // too long, too many, or unreadable
			d.lost[lostArgv]++
		}
		if !ok {
			break
		}
		argv = append(argv, b)
	}
	return argv
}
