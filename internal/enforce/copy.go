package enforce

import "github.com/turnstile-project/turnstile/internal/enforce/memory"

// The memory of the target is copied with the rights of this process, which the target's
// may not be enough for: somebody who was root is not to be looked into by others.

func (c *call) readString(address uint64, room []byte) (text []byte, err error) {
	c.asTracer(func() { text, err = c.memory().String(address, room) })
	return text, err
}

func (c *call) read(address uint64, b []byte) (err error) {
	c.asTracer(func() { err = c.memory().Read(address, b) })
	return err
}

func (c *call) write(address uint64, b []byte) (err error) {
	c.asTracer(func() { err = c.memory().Write(address, b) })
	return err
}

func (c *call) memory() memory.Memory { return memory.Memory(c.host()) }
