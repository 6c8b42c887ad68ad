// Package procstat reads the stat files of processes and threads in /proc.
package procstat

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
)

// Stat is the beginning of a stat file (proc_pid_stat(5)).
type Stat struct {
	// State is R, S, D, Z and so on.
	State byte
	// PPID is the pid of the parent, 0 if it is not visible here.
	PPID int
	// Group is its process group.
	Group int
	// Session and TTY are its session and its controlling terminal: a device number,
	// 0 for none.
	Session int
	TTY     uint32
	// Start is when it was made, in clock ticks since the host was started.
	Start uint64
}

// Gone reports whether the thread has ended; a zombie has.
func (s Stat) Gone() bool { return s.State == 'Z' || s.State == 'X' }

// Read reads a file such as /proc/1/stat or /proc/1/task/1/stat.
func Read(file string) (Stat, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return Stat{}, err
	}
	s, err := parse(content)
	if err != nil {
		return Stat{}, fmt.Errorf("reading %q: %w", file, err)
	}
	return s, nil
}

// parse looks behind the command's name, which is in parentheses and may contain
// whatever separates fields.
func parse(content []byte) (s Stat, err error) {
	name := bytes.LastIndexByte(content, ')')
	if name < 0 {
		return Stat{}, errors.New("it has no name")
	}
	fields := bytes.Fields(content[name+1:])
	const state, ppid, group, session, tty, start = 0, 1, 2, 3, 4, 19 // fields 3 to 7, and 22
	if len(fields) <= start || len(fields[state]) == 0 {
		return Stat{}, fmt.Errorf("it has %d fields", len(fields))
	}
	s.State = fields[state][0]
	var errs [5]error
	s.PPID, errs[0] = strconv.Atoi(string(fields[ppid]))
	s.Group, errs[4] = strconv.Atoi(string(fields[group]))
	s.Session, errs[1] = strconv.Atoi(string(fields[session]))
	var device int
	device, errs[2] = strconv.Atoi(string(fields[tty]))
	s.TTY = uint32(device)
	s.Start, errs[3] = strconv.ParseUint(string(fields[start]), 10, 64)
	return s, errors.Join(errs[:]...)
}
