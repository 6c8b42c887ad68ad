package enforce

import (
	"bytes"
	"strconv"

	"golang.org/x/sys/unix"
)

// pending are sets of signals that a thread would act upon: neither blocked nor ignored.
// Bit n-1 is signal n.
type pending struct {
	own    uint64 // for the thread itself
	shared uint64 // for its process: the kernel has chosen some thread
	// threads is how many its process has.
	threads int
}

// readPending asks what signals a thread has to deal with.
func readPending(file string, room []byte) (pending, error) {
	fd, err := unix.Open(file, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return pending{}, err
	}
	defer func() { _ = unix.Close(fd) }()
	n, err := unix.Read(fd, room)
	if err != nil {
		return pending{}, err
	}
	return parsePending(room[:n]), nil
}

// parsePending reads the sets of signals in proc_pid_status(5). A signal whose default
// action is to be ignored is no reason to interrupt a call, unless it has a handler.
func parsePending(text []byte) pending {
	var p pending
	var blocked, ignored, caught uint64
	for line := range bytes.Lines(text) {
		key, value, _ := bytes.Cut(line, []byte(":"))
		if string(key) == "Threads" {
			p.threads, _ = strconv.Atoi(string(bytes.TrimSpace(value)))
			continue
		}
		set, err := strconv.ParseUint(string(bytes.TrimSpace(value)), 16, 64)
		if err != nil {
			continue
		}
		switch string(key) {
		case "SigPnd":
			p.own = set
		case "ShdPnd":
			p.shared = set
		case "SigBlk":
			blocked = set
		case "SigIgn":
			ignored = set
		case "SigCgt":
			caught = set
		}
	}
	const harmless = 1<<(unix.SIGCHLD-1) | 1<<(unix.SIGCONT-1) | 1<<(unix.SIGURG-1) | 1<<(unix.SIGWINCH-1)
	deaf := blocked | ignored | harmless&^caught
	p.own, p.shared = p.own&^deaf, p.shared&^deaf
	return p
}
