package ask

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// tty is the terminal while one question is on it. Whoever uses it is
// [unstoppable].
type tty struct {
	fd int // in non-blocking mode
	// withdrawn hangs up when nobody waits for the answer any more.
	withdrawn int
	// before are the modes to go back to, nil if they are not changed.
	before *unix.Termios
}

var (
	errWithdrawn = errors.New(byWithdrawn)
	errHungUp    = errors.New("the terminal has hung up")
)

// failure is err with what was being done, unless the terminal is gone.
func failure(doing string, err error) error {
	if errors.Is(err, unix.EIO) {
		return errHungUp
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// tick is how many milliseconds pass before one looks again whether the terminal is
// still ours: nothing tells.
const tick = 200

// inFront says whether our process group is the one that the terminal listens to.
func (t *tty) inFront() (bool, error) {
	group, err := unix.IoctlGetInt(t.fd, unix.TIOCGPGRP)
	if err != nil {
		return false, failure("finding out who has the terminal", err)
	}
	return group == unix.Getpgrp(), nil
}

// hold has the terminal send each key at once and echo none, and says whether it
// had to: the first time, and again when a shell or a target has come between.
// Ctrl-C stays the signal that it is.
func (t *tty) hold() (changed bool, err error) {
	now, err := unix.IoctlGetTermios(t.fd, unix.TCGETS)
	if err != nil {
		return false, failure("reading the modes of the terminal", err)
	}
	want := *now
	want.Lflag &^= unix.ICANON | unix.ECHO
	want.Cc[unix.VMIN], want.Cc[unix.VTIME] = 1, 0
	if want == *now {
		return false, nil
	}
	if err := unix.IoctlSetTermios(t.fd, unix.TCSETS, &want); err != nil {
		return false, failure("setting the modes of the terminal", err)
	}
	t.before = now
	return true, nil
}

// release puts back what hold has changed, and only that: somebody else may have
// changed more. What the group in front has is not touched, if it is not ours.
func (t *tty) release() {
	if t.before == nil {
		return
	}
	if front, err := t.inFront(); err != nil || !front {
		return
	}
	now, err := unix.IoctlGetTermios(t.fd, unix.TCGETS)
	if err != nil {
		return // there is no terminal any more
	}
	now.Lflag |= t.before.Lflag & (unix.ICANON | unix.ECHO)
	now.Cc[unix.VMIN], now.Cc[unix.VTIME] = t.before.Cc[unix.VMIN], t.before.Cc[unix.VTIME]
	_ = unix.IoctlSetTermios(t.fd, unix.TCSETS, now)
}

// forget drops what was typed and nobody has read yet.
func (t *tty) forget() error {
	if err := unix.IoctlSetInt(t.fd, unix.TCFLSH, unix.TCIFLUSH); err != nil {
		return failure("dropping what was typed", err)
	}
	return nil
}

// await waits a tick for events of the terminal, or without events for nothing.
func (t *tty) await(events int16) error {
	waits := []unix.PollFd{{Fd: int32(t.withdrawn)}, {Fd: int32(t.fd), Events: events}}
	if events == 0 {
		waits = waits[:1] // a hang-up would end each wait at once
	}
	if _, err := unix.Poll(waits, tick); err != nil && !errors.Is(err, unix.EINTR) {
		return failure("waiting for the terminal", err)
	}
	if waits[0].Revents != 0 {
		return errWithdrawn
	}
	return nil
}

// read is what was typed within a tick. It has room for all that a terminal keeps.
func (t *tty) read() ([]byte, error) {
	if err := t.await(unix.POLLIN); err != nil {
		return nil, err
	}
	input := make([]byte, 4096)
	n, err := unix.Read(t.fd, input)
	switch {
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
		return nil, nil
	case errors.Is(err, unix.EIO):
		// It is what reads in the background get, too.
		if front, err := t.inFront(); err != nil || front {
			return nil, errHungUp
		}
		return nil, nil
	case err != nil:
		return nil, failure("reading from the terminal", err)
	case n == 0:
		return nil, errHungUp
	}
	return input[:n], nil
}

// write waits for a terminal that somebody has told to pause (Ctrl-S).
func (t *tty) write(s string) error {
	for left := []byte(s); len(left) > 0; {
		n, err := unix.Write(t.fd, left)
		switch {
		case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
			if err := t.await(unix.POLLOUT); err != nil {
				return err
			}
		case err != nil:
			return failure("writing to the terminal", err)
		default:
			left = left[n:]
		}
	}
	return nil
}

// say writes a last word if the terminal takes it now.
func (t *tty) say(s string) { _, _ = unix.Write(t.fd, []byte(s)) }

// endOf is a descriptor that poll(2) finds hung up once ctx has ended.
func endOf(ctx context.Context) (fd int, done func(), err error) {
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_CLOEXEC); err != nil {
		return -1, nil, fmt.Errorf("making a pipe: %w", err)
	}
	hangUp := func() { _ = unix.Close(ends[1]) }
	stop := context.AfterFunc(ctx, hangUp)
	return ends[0], func() {
		if stop() {
			hangUp()
		}
		_ = unix.Close(ends[0])
	}, nil
}
