package enforce

import (
	"encoding/binary"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/enforce/resolve"
	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/syscalls"
)

// useSocket is connect, bind, listen and the sends, on the target's own socket and with a
// copy of the address: what is judged is what is used. The socket is closed here before
// the target runs on: who closes it then may have its address anew at once.
func (c *call) useSocket() error {
	var n int
	var err error
	switch c.spec.Name {
	case "connect":
		err = c.connect()
	case "bind":
		err = c.bind()
	case "listen":
		err = c.listen()
	case "sendto":
		n, err = c.sendto()
	case "sendmsg":
		n, err = c.sendmsg()
	default:
		n, err = c.sendmmsg()
	}
	if err != nil {
		return err
	}
	return c.returns(int64(n))
}

// maxAddress is the size of struct sockaddr_storage (include/uapi/linux/socket.h).
const maxAddress = 128

// takeAddress copies an address.
func (c *call) takeAddress(address, size uint64) ([]byte, error) {
	length := int32(size)
	if length < 0 || length > maxAddress {
		return nil, unix.EINVAL
	}
	b := make([]byte, length)
	err := c.read(address, b)
	return b, err
}

// socket is the address of a call, for its event.
func (c *call) socket() event.Socket {
	s := c.spoken
	if s.Family == 0 && len(c.address) > 0 {
		syscalls.ParseSockaddr(c.address, &s)
	}
	return s
}

// peer is an address that was judged, and what has to stay open while it is used.
type peer struct {
	address []byte
	object  resolve.Object
}

func (p *peer) close() { p.object.Close() }

// judgePeer decides about an address that something is sent to. A path is exchanged for
// the pinned socket.
func (c *call) judgePeer(e *endpoint, u use, address []byte, flags uint64) (peer, error) {
	p := peer{object: resolve.Object{FD: -1, Dir: -1}}
	m, err := e.read(u, address, flags)
	if err != nil {
		return p, err
	}
	p.address = m.bytes
	switch {
	case m.socket == nil:
		return p, nil
	case m.path() == "":
		return p, c.judgeAddress(event.Connect, m.socket)
	}
	err = c.judgePeerAt(&p, m.path())
	return p, err
}

// judgePeerAt decides about a socket in the file system.
func (c *call) judgePeerAt(p *peer, path string) error {
	dir, err := c.workingDirectory(path)
	if err != nil {
		return err
	}
	if dir >= 0 {
		defer func() { _ = unix.Close(dir) }()
	}
	p.object, err = c.target.File(resolve.Lookup{Dir: dir, Name: path, Follow: true})
	if err != nil {
		return err
	}
	if !p.object.Exists() {
		p.close()
		return unix.ENOENT
	}
	c.operands = append(c.operands[:1:1], operand{name: path, dir: -1})
	if err := c.judgeObject(event.Connect, &p.object); err != nil {
		p.close()
		return err
	}
	p.address = addressOf(resolve.LinkTo(p.object.FD))
	return nil
}

// workingDirectory pins what a path starts from, -1 if it is absolute.
func (c *call) workingDirectory(path string) (int, error) {
	if strings.HasPrefix(path, "/") {
		return -1, nil
	}
	o := operand{number: unix.AT_FDCWD}
	var err error
	c.asTracer(func() { err = c.pin(&o) })
	return o.dir, err
}

func addressOf(path string) []byte {
	b := binary.NativeEndian.AppendUint16(nil, unix.AF_UNIX)
	return append(append(b, path...), 0)
}

// takeAddressed copies the address of connect or bind, and pins the target's socket.
func (c *call) takeAddressed() (e endpoint, err error) {
	if c.address, err = c.takeAddress(c.arg(1), c.arg(2)); err != nil {
		return e, err
	}
	return c.takeSocket()
}

func (c *call) connect() error {
	e, err := c.takeAddressed()
	if err != nil {
		return err
	}
	defer e.close()
	p, err := c.judgePeer(&e, connecting, c.address, 0)
	if err != nil {
		return err
	}
	defer p.close()
	if !e.isUDP() && e.waits(0) {
		if err := e.mayWait(c); err != nil {
			return err
		}
	}
	return c.blockingly(func() error { return connect(e.fd, p.address) })
}

// bind gives a socket its name.
func (c *call) bind() error {
	e, err := c.takeAddressed()
	if err != nil {
		return err
	}
	defer e.close()
	m, err := e.read(binding, c.address, 0)
	if err != nil {
		return err
	}
	if path := m.path(); path != "" {
		return c.bindPath(e.fd, path)
	}
	if m.socket != nil {
		if err := c.judgeAddress(event.Bind, m.socket); err != nil {
			return err
		}
	}
	return bindTo(e.fd, m.bytes)
}

// listen is judged as bind is: a socket without a name gets one by it.
func (c *call) listen() error {
	e, err := c.takeSocket()
	if err != nil {
		return err
	}
	defer e.close()
	own, err := e.own()
	if err != nil {
		return err
	}
	if own.Addr.IsValid() && e.kind != unix.SOCK_DGRAM { // which cannot listen
		if err := c.judgeAddress(event.Bind, &own); err != nil {
			return err
		}
	}
	if err := unix.Listen(e.fd, int(int32(c.arg(1)))); err != nil {
		return err
	}
	// Another thread can have taken its name away meanwhile.
	if now, err := e.own(); err != nil || own.Port != 0 && (now.Port != own.Port || now.Addr != own.Addr) {
		_ = unix.Shutdown(e.fd, unix.SHUT_RDWR)
		return unix.EACCES
	}
	return nil
}

// bindPath makes the name of a socket. The kernel remembers the spelling, which
// getsockname(2) gives, so it gets the target's own, from a thread that is where the
// target is. It walks it once more: nobody in the target changes names meanwhile.
func (c *call) bindPath(fd int, path string) error {
	o := operand{number: unix.AT_FDCWD, dir: -1}
	var err error
	c.asTracer(func() { err = c.pin(&o) })
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(o.dir) }()
	c.naming.Lock()
	defer c.naming.Unlock()
	p, err := c.target.Place(o.dir, path)
	if err != nil {
		return err
	}
	defer p.Close()
	c.operands = append(c.operands[:1:1], operand{name: path, dir: -1})
	if there, err := c.target.At(&p); err == nil {
		there.Close()
		return unix.EADDRINUSE
	}
	if err := c.judgePlace(event.Bind|event.Create, &p, judgement{created: true}); err != nil {
		return err
	}
	dir, address := o.dir, c.address
	if !leadsTo(o.dir, path, &p) {
		dir, address = p.Dir, addressOf(p.Name)
	}
	return c.withUmask(func() error { return c.bindIn(dir, fd, address) })
}

// leadsTo says whether the directory of a path is the same for the kernel, which looks at
// this process where the path has links of procfs.
func leadsTo(dir int, path string, p *resolve.Place) bool {
	before, _ := resolve.Split(path)
	fd, err := unix.Openat2(dir, before, &unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_NO_MAGICLINKS})
	if err != nil {
		return false
	}
	defer func() { _ = unix.Close(fd) }()
	var theirs, ours unix.Stat_t
	return unix.Fstat(fd, &ours) == nil && unix.Fstat(p.Dir, &theirs) == nil && ours.Dev == theirs.Dev && ours.Ino == theirs.Ino
}

// bindIn binds from a working directory.
func (c *call) bindIn(dir, fd int, address []byte) error {
	if err := unix.Fchdir(dir); err != nil {
		return err
	}
	err := bindTo(fd, address)
	if back := unix.Fchdir(c.root); back != nil {
		panic(back)
	}
	return err
}
