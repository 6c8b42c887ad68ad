package strace

import (
	"strconv"
	"strings"
)

// text is the bytes of a string as strace writes it, and whether strace cut it; false
// if the value is no string.
func text(s string) (b []byte, cut, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		return nil, false, false
	}
	end := afterString(s, 0)
	if end < 2 || s[end-1] != '"' {
		return nil, false, false
	}
	return unescape(s[1 : end-1]), strings.HasPrefix(s[end:], "..."), true
}

var escapes = map[byte]byte{'n': '\n', 't': '\t', 'r': '\r', 'f': '\f', 'v': '\v', 'b': '\b', 'a': '\a'}

// unescape undoes the escapes of C: letters, \x with two digits, and one to three octal
// digits.
func unescape(s string) []byte {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b = append(b, s[i])
			continue
		}
		i++
		switch c := s[i]; {
		case c == 'x' && i+2 < len(s):
			n, err := strconv.ParseUint(s[i+1:i+3], 16, 8)
			if err != nil {
				b = append(b, '\\', 'x')
				continue
			}
			b = append(b, byte(n))
			i += 2
		case c >= '0' && c <= '7':
			end := i
			for end < len(s) && end < i+3 && s[end] >= '0' && s[end] <= '7' {
				end++
			}
			n, _ := strconv.ParseUint(s[i:end], 8, 16)
			b = append(b, byte(n))
			i = end - 1
		case escapes[c] != 0:
			b = append(b, escapes[c])
		default:
			b = append(b, c)
		}
	}
	return b
}

// number is the value of an expression of numbers and the names of constants; false if
// one of them is not known.
func number(s string) (uint64, bool) {
	s = withoutComments(s)
	if inside, ok := strings.CutPrefix(s, "_IOC("); ok {
		return ioctlCommand(inside)
	}
	var sum uint64
	for term := range strings.SplitSeq(s, "|") {
		n, ok := numberTerm(strings.TrimSpace(term))
		if !ok {
			return 0, false
		}
		sum |= n
	}
	return sum, true
}

func numberTerm(s string) (uint64, bool) {
	if s == "" {
		return 0, false
	}
	if c := s[0]; c == '-' || c >= '0' && c <= '9' {
		if i := strings.IndexByte(s, '<'); i > 0 {
			s = s[:i] // an annotation
		}
		if n, err := strconv.ParseUint(s, 0, 64); err == nil {
			return n, true
		}
		n, err := strconv.ParseInt(s, 0, 64)
		return uint64(n), err == nil
	}
	// The same command of several drivers.
	for name := range strings.SplitSeq(s, " or ") {
		if n, ok := constantNamed(name); ok {
			return n, true
		}
	}
	return 0, false
}

// ioctlCommand is _IOC(dir, type, nr, size) of include/uapi/asm-generic/ioctl.h, which
// x86 and arm use.
func ioctlCommand(s string) (uint64, bool) {
	items, _, ok := splitList(s, ')')
	if !ok || len(items) != 4 {
		return 0, false
	}
	direction, ok := map[string]uint64{
		"_IOC_NONE": 0, "_IOC_WRITE": 1, "_IOC_READ": 2, "_IOC_READ|_IOC_WRITE": 3, "_IOC_WRITE|_IOC_READ": 3,
	}[items[0]]
	if !ok {
		return 0, false
	}
	var parts [3]uint64
	for i := range parts {
		n, err := strconv.ParseUint(items[i+1], 0, 32)
		if err != nil {
			return 0, false
		}
		parts[i] = n
	}
	return direction<<30 | parts[2]<<16 | parts[0]<<8 | parts[1], true
}

// withoutComments is s without what strace -X verbose adds.
func withoutComments(s string) string {
	for {
		i := strings.Index(s, "/*")
		if i < 0 {
			return strings.TrimSpace(s)
		}
		n := strings.Index(s[i:], "*/")
		if n < 0 {
			return strings.TrimSpace(s[:i])
		}
		s = s[:i] + s[i+n+2:]
	}
}

// field is the value of a field of a struct, {name=value, …}.
func field(s, name string) (string, bool) {
	inside, ok := strings.CutPrefix(s, "{")
	if !ok {
		return "", false
	}
	items, _, ok := splitList(inside, '}')
	if !ok {
		return "", false
	}
	for _, item := range items {
		if value, ok := strings.CutPrefix(item, name+"="); ok {
			return value, true
		}
	}
	return "", false
}

// list is what stands in [ and ].
func list(s string) ([]string, bool) {
	inside, ok := strings.CutPrefix(s, "[")
	if !ok {
		return nil, false
	}
	items, _, ok := splitList(inside, ']')
	return items, ok
}

// descriptor is the number of a descriptor, and its path if the log has it (strace -y).
// What is no file has none.
func descriptor(s string) (fd int32, path []byte, ok bool) {
	if i := strings.IndexByte(s, '<'); i > 0 {
		end := afterAnnotation(s, i)
		if inside := s[i+1 : max(i+1, end-1)]; strings.HasPrefix(inside, "/") {
			inside, _, _ = strings.Cut(inside, "<") // what device it is
			path = unescape(inside)
		}
		s = s[:i]
	}
	n, ok := number(s)
	return int32(n), path, ok && int64(n) == int64(int32(n))
}
