package enforce

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/policy"
	"github.com/turnstile-project/turnstile/internal/syscalls"
)

// endpoint is a socket of the target, pinned: what is judged is what is used, whatever
// its number is a descriptor of by then.
type endpoint struct {
	fd                     int
	domain, kind, protocol int // as in socket(2)
}

// takeSocket pins the target's socket and looks what it is.
func (c *call) takeSocket() (endpoint, error) {
	e, err := c.pinSocket()
	if err != nil {
		return e, err
	}
	if err := e.look(); err != nil {
		e.close()
		return endpoint{}, err
	}
	return e, nil
}

// pinSocket pins what may be a socket. To send without an address nothing else has to be
// known of it.
func (c *call) pinSocket() (endpoint, error) {
	fd, err := c.descriptor(c.operands[0].number)
	return endpoint{fd: fd}, err
}

// look learns what the socket is. The error is ENOTSOCK if it is none.
func (e *endpoint) look() (err error) {
	for _, o := range []struct {
		option int
		value  *int
	}{{unix.SO_DOMAIN, &e.domain}, {unix.SO_TYPE, &e.kind}, {unix.SO_PROTOCOL, &e.protocol}} {
		if *o.value, err = unix.GetsockoptInt(e.fd, unix.SOL_SOCKET, o.option); err != nil {
			return err
		}
	}
	return nil
}

func (e *endpoint) close() { _ = unix.Close(e.fd) }

// describe says in an address what socket it is used with.
func (e *endpoint) describe(s *event.Socket) {
	s.Type, s.Protocol, s.TypeKnown = uint16(e.kind), uint16(e.protocol), true
}

func (e *endpoint) isTCP() bool { return e.speaks(policy.TCP) }
func (e *endpoint) isUDP() bool { return e.speaks(policy.UDP) }

func (e *endpoint) speaks(p policy.Protocol) bool {
	s := event.Socket{Addr: netip.IPv4Unspecified()}
	e.describe(&s)
	return e.isIP() && policy.AddressOf(&s).Protocol == p
}

func (e *endpoint) isIP() bool {
	return e.domain == unix.AF_INET || e.domain == unix.AF_INET6 || e.domain == unix.AF_SMC
}

// own is the address that the socket has.
func (e *endpoint) own() (s event.Socket, err error) {
	b := make([]byte, maxAddress)
	n, err := getsockname(e.fd, b)
	if err != nil {
		return s, err
	}
	syscalls.ParseSockaddr(b[:min(n, len(b))], &s)
	e.describe(&s)
	return s, nil
}

// waits says whether a call may wait.
func (e *endpoint) waits(flags uint64) bool {
	if flags&unix.MSG_DONTWAIT != 0 {
		return false
	}
	status, err := unix.FcntlInt(uintptr(e.fd), unix.F_GETFL, 0)
	return err == nil && status&unix.O_NONBLOCK == 0
}

// mayWait is [call.mayWait] for what waits for a socket to send.
func (e *endpoint) mayWait(c *call) error {
	limit, err := unix.GetsockoptTimeval(e.fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO)
	c.limited = err == nil && *limit != (unix.Timeval{})
	err = c.mayWait()
	if err != nil {
		c.judged = c.judged[:0]
	}
	return err
}
