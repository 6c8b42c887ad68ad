package main

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/syscalls"
)

// kernelLog is the log of the kernel, which says whom a filter has killed and because of
// which call (AUDIT_SECCOMP, include/uapi/linux/audit.h).
type kernelLog struct {
	fd      int
	runtime string
}

func openLog(runtime string) (*kernelLog, error) {
	fd, err := unix.Open("/dev/kmsg", unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: "/dev/kmsg", Err: err}
	}
	if _, err := unix.Seek(fd, 0, unix.SEEK_END); err != nil {
		return nil, fmt.Errorf("going to the end of the kernel's log: %w", err)
	}
	return &kernelLog{fd, runtime}, nil
}

func (l *kernelLog) Close() { _ = unix.Close(l.fd) }

var killed = regexp.MustCompile(`type=1326 .* comm="([^"]*)" .* sig=31 .* syscall=(\d+)`)

// killer is the call because of which the runtime, or the program as it starts, was killed
// last. It is empty if the log does not say.
func (l *kernelLog) killer() string {
	name := ""
	record := make([]byte, 8192)
	for {
		n, err := unix.Read(l.fd, record)
		if err != nil && err != unix.EPIPE { // EPIPE: some were overwritten
			return name
		}
		if err != nil {
			continue
		}
		match := killed.FindStringSubmatch(string(record[:n]))
		if match == nil || !l.concerns(match[1]) {
			continue
		}
		if nr, err := strconv.Atoi(match[2]); err == nil {
			name = syscalls.Name(native, int32(nr))
		}
	}
}

// concerns reports whether a process of this name is one of a start: the runtime, the
// program, or the shell that firejail starts the program with.
func (l *kernelLog) concerns(comm string) bool {
	return strings.HasPrefix(comm, l.runtime) || comm == "start" || l.runtime == "firejail" && comm == "bash"
}
