package enforce

import (
	"bytes"
	"strconv"

	"golang.org/x/sys/unix"
)

// readPending is the set of signals that a thread will act upon when it can: pending, and
// neither blocked nor ignored. Bit n-1 is signal n.
func readPending(file string, room []byte) (uint64, error) {
	fd, err := unix.Open(file, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer func() { _ = unix.Close(fd) }()
	n, err := unix.Read(fd, room)
	if err != nil {
		return 0, err
	}
	return parsePending(room[:n]), nil
}

// parsePending reads the sets of signals in proc_pid_status(5). A signal whose default
// action is to be ignored is no reason to interrupt a call, unless it has a handler.
func parsePending(text []byte) uint64 {
	var pending, blocked, ignored, caught uint64
	for line := range bytes.Lines(text) {
		key, value, _ := bytes.Cut(line, []byte(":"))
		set, err := strconv.ParseUint(string(bytes.TrimSpace(value)), 16, 64)
		if err != nil {
			continue
		}
		switch string(key) {
		case "SigPnd", "ShdPnd":
			pending |= set
		case "SigBlk":
			blocked = set
		case "SigIgn":
			ignored = set
		case "SigCgt":
			caught = set
		}
	}
	const harmless = 1<<(unix.SIGCHLD-1) | 1<<(unix.SIGCONT-1) | 1<<(unix.SIGURG-1) | 1<<(unix.SIGWINCH-1)
	return pending &^ blocked &^ ignored &^ (harmless &^ caught)
}
