// Package stracelog reads what `strace -f -o LOG` writes, to compare it with what
// Turnstile saw of the same execution.
package stracelog

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

// Thread is what the log has of one thread, or of one process after
// [Log.Processes].
type Thread struct {
	// Calls counts calls by name.
	Calls map[string]int
	// Cut counts the calls that strace saw begin and that never returned,
	// because the thread was killed. The kernel stops a thread for strace
	// before the sys_enter tracepoint, so of these the tracepoint may have
	// seen none.
	Cut map[string]int
	// Leader is the process that the thread belongs to.
	Leader int

	open string // the call that has begun and not ended
}

// Log is a parsed log, by thread id.
type Log map[int]*Thread

var (
	line     = regexp.MustCompile(`^(\d+)\s+(.*)$`)
	begins   = regexp.MustCompile(`^(\w+)\(`)
	resumed  = regexp.MustCompile(`^<\.\.\. (\w+) resumed>`)
	result   = regexp.MustCompile(`\)\s+=\s+(\d+)`)
	noReturn = regexp.MustCompile(`\)\s+=\s+\?`)
	ended    = regexp.MustCompile(`^\+\+\+ (exited with|killed by) `)
	// A thread other than the first one executed a program: it goes on under
	// the number of the first.
	superseded = regexp.MustCompile(`^\+\+\+ superseded by execve in pid (\d+) \+\+\+`)
)

// Parse reads a log.
func Parse(r io.Reader) (Log, error) {
	log := make(Log)
	s := bufio.NewScanner(r)
	s.Buffer(nil, 1<<24)
	for s.Scan() {
		m := line.FindStringSubmatch(s.Text())
		if m == nil {
			return nil, fmt.Errorf("line without a pid: %q", s.Text())
		}
		tid, err := strconv.Atoi(m[1])
		if err != nil {
			return nil, fmt.Errorf("pid of line %q: %w", s.Text(), err)
		}
		log.read(tid, m[2])
	}
	if err := s.Err(); err != nil {
		return nil, fmt.Errorf("reading log: %w", err)
	}
	return log, nil
}

func (log Log) thread(tid int) *Thread {
	t := log[tid]
	if t == nil {
		t = &Thread{Calls: make(map[string]int), Cut: make(map[string]int), Leader: tid}
		log[tid] = t
	}
	return t
}

func (log Log) read(tid int, text string) {
	t := log.thread(tid)
	switch {
	case strings.HasPrefix(text, "---"), strings.HasPrefix(text, "strace: "), strings.HasPrefix(text, "["):
	case ended.MatchString(text):
		t.cut()
	case superseded.MatchString(text):
		// The thread that called execve continues as tid.
		old, _ := strconv.Atoi(superseded.FindStringSubmatch(text)[1])
		t.open = log.thread(old).open
		log.thread(old).open = ""
	case resumed.MatchString(text):
		call := t.open
		if noReturn.MatchString(text) {
			t.cut()
		}
		t.open = ""
		log.adopt(t, call, text)
	default:
		m := begins.FindStringSubmatch(text)
		if m == nil {
			return
		}
		t.Calls[m[1]]++
		if strings.HasSuffix(text, "<unfinished ...>") {
			t.open = text
			return
		}
		if noReturn.MatchString(text) {
			t.open = text
			t.cut()
		}
		log.adopt(t, text, text)
	}
}

// cut notes that the call that is open does not return.
func (t *Thread) cut() {
	m := begins.FindStringSubmatch(t.open)
	t.open = ""
	if m == nil || m[1] == "exit" || m[1] == "exit_group" {
		return // these never do
	}
	t.Cut[m[1]]++
}

// adopt makes the result of a clone that made a thread part of the same process.
func (log Log) adopt(t *Thread, call, end string) {
	if !strings.Contains(call, "CLONE_THREAD") {
		return
	}
	results := result.FindAllStringSubmatch(end, -1)
	if results == nil {
		return
	}
	child, err := strconv.Atoi(results[len(results)-1][1])
	if err == nil {
		log.thread(child).Leader = t.Leader
	}
}

// Processes sums the threads of each process.
func (log Log) Processes() Log {
	sum := make(Log)
	for _, t := range log {
		p := sum.thread(t.Leader)
		for name, n := range t.Calls {
			p.Calls[name] += n
		}
		for name, n := range t.Cut {
			p.Cut[name] += n
		}
	}
	return sum
}
