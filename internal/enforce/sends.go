package enforce

import (
	"encoding/binary"
	"errors"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// message is what a send call is about: struct msghdr, with all that it points to copied.
type message struct {
	address []byte
	data    []byte
	// more says that there is more data than was copied.
	more    bool
	control []byte
	// descriptors are the copies of what control gives away.
	descriptors []int
}

func (m *message) close() {
	for _, fd := range m.descriptors {
		_ = unix.Close(fd)
	}
}

// maxMessage is how much of a message is copied at once. Datagrams are shorter; of a
// stream the rest follows.
const maxMessage = 1 << 20

func (c *call) sendto() (int, error) {
	return c.sendAll(func() (*message, error) {
		at, size := c.arg(1)+uint64(c.sent), c.arg(2)-uint64(c.sent)
		m := &message{data: make([]byte, min(size, maxMessage)), more: size > maxMessage}
		if err := c.read(at, m.data); err != nil || c.arg(4) == 0 {
			return m, err
		}
		var err error
		m.address, err = c.takeAddress(c.arg(4), c.arg(5))
		return m, err
	}, uint64(uint32(c.arg(3))))
}

func (c *call) sendmsg() (int, error) {
	return c.sendAll(func() (*message, error) { return c.takeMessage(c.arg(1)) }, uint64(uint32(c.arg(2))))
}

// sendAll sends what take copies, from c.sent on, until that is all.
func (c *call) sendAll(take func() (*message, error), flags uint64) (int, error) {
	for {
		m, err := take()
		if err != nil {
			return 0, err
		}
		n, err := c.send(m, flags)
		m.close()
		if err != nil {
			return 0, err
		}
		c.sent += n
		if n < len(m.data) || !m.more {
			return c.sent, nil
		}
	}
}

// sendmmsg sends message after message, each with its own verdict. The first error ends
// it, and is told only if nothing was sent before (sendmmsg(2)).
func (c *call) sendmmsg() (int, error) {
	const size, most = 64, 1024 // struct mmsghdr; UIO_MAXIOV
	count := min(uint64(uint32(c.arg(2))), most)
	sent := 0
	for i := range count {
		at := c.arg(1) + i*size
		m, err := c.takeMessage(at)
		n := 0
		if err == nil {
			n, err = c.send(m, uint64(uint32(c.arg(3))))
			m.close()
		}
		if err == nil {
			var length [4]byte
			binary.NativeEndian.PutUint32(length[:], uint32(n))
			err = c.write(at+56, length[:])
		}
		if err != nil {
			if sent == 0 {
				return 0, err
			}
			break
		}
		sent++
		if n < len(m.data) || m.more {
			break
		}
	}
	return sent, nil
}

// takeMessage copies a struct msghdr and what it points to.
func (c *call) takeMessage(at uint64) (m *message, err error) {
	c.asTracer(func() { m, err = c.copyMessage(at) })
	return m, err
}

func (c *call) copyMessage(at uint64) (*message, error) {
	var head [56]byte
	if err := c.read(at, head[:]); err != nil {
		return nil, err
	}
	word := func(i int) uint64 { return binary.NativeEndian.Uint64(head[8*i:]) }
	m := &message{}
	if word(0) != 0 {
		length := int32(word(1))
		if length < 0 {
			return nil, unix.EINVAL
		}
		var err error
		if m.address, err = c.takeAddress(word(0), uint64(min(length, maxAddress))); err != nil {
			return nil, err
		}
		if length == 0 {
			m.address = nil // other than for sendto
		}
	}
	if err := c.copyVectors(m, word(2), word(3)); err != nil {
		return nil, err
	}
	if word(4) == 0 || word(5) == 0 || c.sent > 0 {
		return m, nil
	}
	const maxControl = 1 << 16
	if word(5) > maxControl {
		return nil, unix.ENOBUFS
	}
	m.control = make([]byte, word(5))
	if err := c.read(word(4), m.control); err != nil {
		return nil, err
	}
	if err := c.translateControl(m); err != nil {
		m.close()
		return nil, err
	}
	return m, nil
}

func (c *call) copyVectors(m *message, at, count uint64) error {
	const size, most = 16, 1024 // struct iovec; UIO_MAXIOV
	if count > most {
		return unix.EMSGSIZE
	}
	vectors := make([]byte, count*size)
	if err := c.read(at, vectors); err != nil {
		return err
	}
	skip := uint64(c.sent)
	for v := vectors; len(v) > 0; v = v[size:] {
		base, length := binary.NativeEndian.Uint64(v), binary.NativeEndian.Uint64(v[8:])
		done := min(skip, length)
		base, length, skip = base+done, length-done, skip-done
		if room := uint64(maxMessage - len(m.data)); length > room {
			length, m.more = room, true
		}
		start := len(m.data)
		m.data = append(m.data, make([]byte, length)...)
		if err := c.read(base, m.data[start:]); err != nil {
			return err
		}
	}
	return nil
}

// translateControl makes the control messages ours: descriptors are copies of the
// target's, and credentials name who really sends (unix(7)).
func (c *call) translateControl(m *message) error {
	for at := 0; at+controlHead <= len(m.control); {
		length, level, kind := controlFields(m.control[at:])
		if length < controlHead || length > uint64(len(m.control)-at) {
			return unix.EINVAL
		}
		body := m.control[at+controlHead : at+int(length)]
		if level == unix.SOL_SOCKET {
			switch kind {
			case unix.SCM_RIGHTS:
				if err := c.copyRights(m, body); err != nil {
					return err
				}
			case unix.SCM_CREDENTIALS:
				if len(body) >= unix.SizeofUcred && int(binary.NativeEndian.Uint32(body)) == c.tgid() {
					binary.NativeEndian.PutUint32(body, uint32(os.Getpid()))
				}
			}
		}
		at += int(length+7) &^ 7
	}
	return nil
}

const controlHead = 16 // struct cmsghdr

// controlFields reads the head of a control message.
func controlFields(b []byte) (length uint64, level, kind uint32) {
	return binary.NativeEndian.Uint64(b), binary.NativeEndian.Uint32(b[8:]), binary.NativeEndian.Uint32(b[12:])
}

func (c *call) copyRights(m *message, body []byte) error {
	const most = 253 // SCM_MAX_FD, include/net/scm.h
	if len(body)/4 > most {
		return unix.EINVAL
	}
	for ; len(body) >= 4; body = body[4:] {
		fd, err := c.copyDescriptor(int32(binary.NativeEndian.Uint32(body)))
		if err != nil {
			return err
		}
		m.descriptors = append(m.descriptors, fd)
		binary.NativeEndian.PutUint32(body, uint32(fd))
	}
	return nil
}

// send sends a message on the target's socket, whole if it is a stream that waits.
func (c *call) send(m *message, flags uint64) (int, error) {
	e, err := c.pinSocket()
	if err != nil {
		return 0, err
	}
	defer e.close()
	if m.address != nil || m.more {
		if err := e.look(); err != nil {
			return 0, err
		}
	}
	if m.more && e.kind != unix.SOCK_STREAM {
		return 0, unix.EMSGSIZE
	}
	if flags, err = e.withoutPinning(flags); err != nil {
		return 0, err
	}
	if c.filter.Detours() && m.routes() {
		return 0, unix.EPERM
	}
	c.address = m.address
	p, err := c.judgePeer(&e, sending, m.address, flags)
	if err != nil {
		return 0, err
	}
	defer p.close()
	n, err := c.sendPart(&e, p.address, m, flags)
	return n, c.brokenPipe(err, flags)
}

// sendPart sends what there is room for. If the socket waits, it goes on where it may.
func (c *call) sendPart(e *endpoint, address []byte, m *message, flags uint64) (n int, err error) {
	if flags&unix.MSG_FASTOPEN == 0 || !e.waits(flags) { // else it would only be connected
		n, err = sendOnce(e.fd, address, m, flags|unix.MSG_DONTWAIT)
		switch {
		case err != nil && !errors.Is(err, unix.EAGAIN), err == nil && n == len(m.data), !e.waits(flags):
			return n, err
		case err == nil && c.is("sendmmsg"):
			return n, nil // which ends with it
		case err == nil: // of a stream
			c.sent += n
			m.data, m.control = m.data[n:], nil
		}
	}
	if err := e.mayWait(c); err != nil {
		return 0, err
	}
	err = c.blockingly(func() (err error) {
		n, err = sendOnce(e.fd, address, m, flags)
		return err
	})
	return n, err
}

// withoutPinning takes out of the flags what would have the kernel send from our memory
// after we have left it to others. Who asks for it is told that there is no room, as it
// may be any time (Documentation/networking/msg_zerocopy.rst).
func (e *endpoint) withoutPinning(flags uint64) (uint64, error) {
	if flags&unix.MSG_ZEROCOPY == 0 {
		return flags, nil
	}
	if on, err := unix.GetsockoptInt(e.fd, unix.SOL_SOCKET, unix.SO_ZEROCOPY); err == nil && on != 0 {
		return 0, unix.ENOBUFS
	}
	return flags &^ unix.MSG_ZEROCOPY, nil
}

// routes says whether control messages send a packet over hops that the sender names.
func (m *message) routes() bool {
	for at := 0; at+controlHead <= len(m.control); {
		length, level, kind := controlFields(m.control[at:])
		if level == unix.IPPROTO_IP && kind == unix.IP_RETOPTS ||
			level == unix.IPPROTO_IPV6 && (kind == unix.IPV6_RTHDR || kind == unix.IPV6_2292RTHDR) {
			return true
		}
		at += int(length+7) &^ 7
	}
	return false
}

// brokenPipe sends the target the signal that this process was spared.
func (c *call) brokenPipe(err error, flags uint64) error {
	if errors.Is(err, unix.EPIPE) && flags&unix.MSG_NOSIGNAL == 0 && c.sent == 0 {
		c.asTracer(func() { _ = unix.Tgkill(c.tgid(), c.tid(), unix.SIGPIPE) })
	}
	return err
}

func sendOnce(fd int, address []byte, m *message, flags uint64) (int, error) {
	flags |= unix.MSG_NOSIGNAL
	data := unsafe.Pointer(unsafe.SliceData(m.data))
	if len(m.control) == 0 {
		n, _, errno := unix.Syscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(data), uintptr(len(m.data)), uintptr(flags), uintptr(unsafe.Pointer(unsafe.SliceData(address))), uintptr(len(address)))
		return sentOr(n, errno)
	}
	h := unix.Msghdr{Control: &m.control[0]}
	h.SetControllen(len(m.control))
	if len(address) > 0 {
		h.Name, h.Namelen = &address[0], uint32(len(address))
	}
	vector := unix.Iovec{Base: (*byte)(data)}
	vector.SetLen(len(m.data))
	h.Iov = &vector
	h.SetIovlen(1)
	n, _, errno := unix.Syscall(unix.SYS_SENDMSG, uintptr(fd), uintptr(unsafe.Pointer(&h)), uintptr(flags))
	return sentOr(n, errno)
}

func sentOr(n uintptr, errno unix.Errno) (int, error) {
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

func connect(fd int, address []byte) error {
	_, _, errno := unix.Syscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(address))), uintptr(len(address)))
	if errno != 0 {
		return errno
	}
	return nil
}

func bindTo(fd int, address []byte) error {
	_, _, errno := unix.Syscall(unix.SYS_BIND, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(address))), uintptr(len(address)))
	if errno != 0 {
		return errno
	}
	return nil
}

// getsockname fills in an address and returns the length that it has.
func getsockname(fd int, address []byte) (int, error) {
	length := uint32(len(address))
	_, _, errno := unix.Syscall(unix.SYS_GETSOCKNAME, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(address))), uintptr(unsafe.Pointer(&length)))
	if errno != 0 {
		return 0, errno
	}
	return int(length), nil
}
