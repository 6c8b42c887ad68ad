package strace

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// line is one line of a log, taken apart as far as all lines are alike.
type line struct {
	// tid is the thread, if the line says one.
	tid    int32
	hasTID bool
	// at is the time of day or since the epoch, since is the time since the line
	// before: the log has one of them, or neither.
	at, since time.Duration
	hasAt     bool
	epoch     bool
	// nr is the number of the call (strace -n), -1 if the log does not have it.
	nr   int32
	text string
}

var (
	// What may stand before the text: the thread (with -Y its name), the time in each
	// of its forms, the number of the call (-n) and where the thread is (-i).
	pidColumn      = regexp.MustCompile(`^(\d+)(?:<[^>]*>)? +`)
	pidTag         = regexp.MustCompile(`^\[pid +(\d+)(?:<[^>]*>)?\] `)
	relativeColumn = regexp.MustCompile(`^(?:\(\+)? +(\d+\.\d+)\)? `)
	epochColumn    = regexp.MustCompile(`^(\d+)(\.\d+)? `)
	clockColumn    = regexp.MustCompile(`^(\d\d):(\d\d):(\d\d(?:\.\d+)?) `)
	numberColumn   = regexp.MustCompile(`^\[ *(\d+|0x[0-9a-f]+)\] `)
	whereColumn    = regexp.MustCompile(`^\[(?:[0-9a-f]{8,16}|\?{8,16})\] `)
)

// parseLine takes a line apart.
func parseLine(s string) line {
	l := line{nr: -1}
	if m := pidTag.FindStringSubmatch(s); m != nil {
		l.setTID(m[1])
		s = s[len(m[0]):]
	} else if m := pidColumn.FindStringSubmatch(s); m != nil {
		l.setTID(m[1])
		s = s[len(m[1]):]
		if s[0] == '<' {
			s = s[strings.IndexByte(s, '>')+1:]
		}
		// The space that ends the column is all that is surely not part of a
		// relative time.
		s = s[1:]
		if !relativeColumn.MatchString(s) {
			s = strings.TrimLeft(s, " ")
		}
	}
	s = l.parseTimes(s)
	if m := numberColumn.FindStringSubmatch(s); m != nil && len(m[1]) < 8 {
		if nr, err := strconv.ParseInt(m[1], 0, 32); err == nil {
			l.nr = int32(nr)
		}
		s = s[len(m[0]):]
	}
	l.text = s[len(whereColumn.FindString(s)):]
	return l
}

// maxTID is PID_MAX_LIMIT (include/linux/threads.h).
const maxTID = 1 << 22

func (l *line) setTID(s string) {
	if tid, err := strconv.ParseInt(s, 10, 32); err == nil && tid <= maxTID {
		l.tid, l.hasTID = int32(tid), true
	}
}

func (l *line) parseTimes(s string) string {
	for {
		switch {
		case l.clock(&s):
		case epochColumn.MatchString(s):
			m := epochColumn.FindStringSubmatch(s)
			l.at, l.hasAt, l.epoch = seconds(m[1]+m[2]), true, true
			s = s[len(m[0]):]
		case relativeColumn.MatchString(s):
			m := relativeColumn.FindStringSubmatch(s)
			l.since = seconds(m[1])
			s = s[len(m[0]):]
		default:
			return s
		}
	}
}

func (l *line) clock(s *string) bool {
	m := clockColumn.FindStringSubmatch(*s)
	if m == nil {
		return false
	}
	hours, _ := strconv.Atoi(m[1])
	minutes, _ := strconv.Atoi(m[2])
	l.at = time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute + seconds(m[3])
	l.hasAt = true
	*s = (*s)[len(m[0]):]
	return true
}

func seconds(s string) time.Duration {
	whole, fraction, _ := strings.Cut(s, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || n > 1<<33 {
		return 0
	}
	ns, _ := strconv.ParseInt((fraction + "000000000")[:9], 10, 64)
	return time.Duration(n)*time.Second + time.Duration(ns)
}
