// Package procstat reads the stat files of processes and threads in /proc.
package procstat

import (
	"bytes"
	"fmt"
	"os"
)

// Stat is the beginning of a stat file (proc_pid_stat(5)).
type Stat struct {
	// State is R, S, D, Z and so on.
	State byte
	// PPID is the pid of the parent, 0 if it is not visible here.
	PPID int
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
	fields := content[bytes.LastIndexByte(content, ')')+1:]
	var state string
	if _, err := fmt.Sscan(string(fields), &state, &s.PPID); err != nil {
		return Stat{}, err
	}
	s.State = state[0]
	return s, nil
}
