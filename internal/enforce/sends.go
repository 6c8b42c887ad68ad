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

func (c *call) sendto() error {
	size := min(c.arg(2), maxMessage)
	m := message{data: make([]byte, size)}
	if err := c.read(c.arg(1), m.data); err != nil {
		return err
	}
	if c.arg(4) != 0 {
		var err error
		if m.address, err = c.takeAddress(c.arg(4), c.arg(5)); err != nil {
			return err
		}
	}
	n, err := c.send(&m, uint64(uint32(c.arg(3))))
	if err != nil {
		return err
	}
	return c.returns(int64(n))
}

func (c *call) sendmsg() error {
	m, err := c.takeMessage(c.arg(1))
	if err != nil {
		return err
	}
	defer m.close()
	n, err := c.send(m, uint64(uint32(c.arg(2))))
	if err != nil {
		return err
	}
	return c.returns(int64(n))
}

// sendmmsg sends message after message, each with its own verdict. The first error ends
// it, and is told only if nothing was sent before (sendmmsg(2)).
func (c *call) sendmmsg() error {
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
				return err
			}
			break
		}
		sent++
	}
	return c.returns(int64(sent))
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
	}
	if err := c.copyVectors(m, word(2), word(3)); err != nil {
		return nil, err
	}
	if word(4) == 0 || word(5) == 0 {
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
	for v := vectors; len(v) > 0; v = v[size:] {
		base, length := binary.NativeEndian.Uint64(v), binary.NativeEndian.Uint64(v[8:])
		length = min(length, uint64(maxMessage-len(m.data)))
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
	const head = 16 // struct cmsghdr
	for at := 0; at+head <= len(m.control); {
		length := binary.NativeEndian.Uint64(m.control[at:])
		if length < head || length > uint64(len(m.control)-at) {
			return unix.EINVAL
		}
		level, kind := binary.NativeEndian.Uint32(m.control[at+8:]), binary.NativeEndian.Uint32(m.control[at+12:])
		body := m.control[at+head : at+int(length)]
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
	fd, err := c.takeSocket()
	if err != nil {
		return 0, err
	}
	defer func() { _ = unix.Close(fd) }()
	c.address = m.address
	p, err := c.judgePeer(m.address)
	if err != nil {
		return 0, err
	}
	defer p.close()
	n, err := sendOnce(fd, p.address, m, flags|unix.MSG_DONTWAIT)
	if errors.Is(err, unix.EAGAIN) && waits(fd, flags) {
		if err := c.mayWait(); err != nil {
			c.judged = c.judged[:0]
			return 0, err
		}
		err = c.blockingly(func() (err error) {
			n, err = sendOnce(fd, p.address, m, flags)
			return err
		})
		if err != nil {
			n = 0
		}
		return n, c.brokenPipe(err, flags)
	}
	return n, c.brokenPipe(err, flags)
}

// brokenPipe sends the target the signal that this process was spared.
func (c *call) brokenPipe(err error, flags uint64) error {
	if errors.Is(err, unix.EPIPE) && flags&unix.MSG_NOSIGNAL == 0 {
		c.asTracer(func() { _ = unix.Tgkill(c.tgid(), c.tid(), unix.SIGPIPE) })
	}
	return err
}

func sendOnce(fd int, address []byte, m *message, flags uint64) (int, error) {
	var h unix.Msghdr
	if len(address) > 0 {
		h.Name, h.Namelen = &address[0], uint32(len(address))
	}
	vector := unix.Iovec{Base: unsafe.SliceData(m.data)}
	vector.SetLen(len(m.data))
	h.Iov = &vector
	h.SetIovlen(1)
	if len(m.control) > 0 {
		h.Control = &m.control[0]
		h.SetControllen(len(m.control))
	}
	n, _, errno := unix.Syscall(unix.SYS_SENDMSG, uintptr(fd), uintptr(unsafe.Pointer(&h)), uintptr(flags|unix.MSG_NOSIGNAL))
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
