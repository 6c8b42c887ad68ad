package enforce

import (
	"bytes"
	"strconv"

	"golang.org/x/sys/unix"
)

// program is the real path of the program that the calling process executes, "" if that
// is not known. While its call waits the process executes no other: that would end the
// thread, and the call with it, which is looked at after this.
func (c *call) program() string {
	var room [40]byte
	file := strconv.AppendInt(append(room[:0], "/proc/"...), int64(c.tid()), 10)
	n, err := unix.Readlink(string(append(file, "/exe"...)), c.more)
	if err != nil || n == len(c.more) {
		return ""
	}
	path := c.more[:n]
	// A file that is gone, or that this process has no path to. A file whose name
	// ends like that is not told from one.
	if path[0] != '/' || bytes.HasSuffix(path, []byte(" (deleted)")) {
		return ""
	}
	if string(path) != c.lastProgram { // compared without a copy
		c.lastProgram = string(path)
	}
	return c.lastProgram
}
