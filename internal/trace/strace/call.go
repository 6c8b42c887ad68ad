package strace

import (
	"strconv"
	"strings"

	"github.com/turnstile-project/turnstile/internal/event"
)

// call is the text of one system call.
type call struct {
	name string
	nr   int32 // as the log has it, -1 if it does not
	args []string
	// returned says that the call came back, with result, or with errno.
	returned bool
	result   string
	errno    event.Errno
}

// parseCall takes the text of a call apart; false if it is none, or has no end.
func parseCall(s string) (call, bool) {
	name, ok := callName(s)
	if !ok {
		return call{}, false
	}
	args, end, closed := splitList(s[len(name)+1:], ')')
	if !closed {
		return call{}, false
	}
	c := call{name: name, nr: -1, args: args}
	result, ok := strings.CutPrefix(strings.TrimLeft(s[len(name)+1+end:], " "), "= ")
	if !ok {
		return call{}, false
	}
	c.setResult(result)
	return c, true
}

// callName is what stands before the arguments of a call.
func callName(s string) (string, bool) {
	for i := range len(s) {
		switch c := s[i]; {
		case c == '(' && i > 0:
			return s[:i], true
		case c == '_', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		default:
			return "", false
		}
	}
	return "", false
}

func (c *call) setResult(s string) {
	word, rest, _ := strings.Cut(s, " ")
	c.result = word
	if i := strings.IndexByte(s, '<'); i == len(word) || i > 0 && i < len(word) {
		c.result = s // an annotated descriptor, whose path may have spaces
	}
	// "-1 ENOENT (No such file)", and "? ERESTARTSYS (To be restarted)" of a call that a
	// signal interrupted.
	if word == "-1" || word == "?" {
		name, _, _ := strings.Cut(rest, " ")
		c.errno = event.ResultNamed(name)
		if text, numbered := strings.CutPrefix(rest, "(errno "); numbered {
			n, _ := strconv.ParseUint(strings.TrimSuffix(text, ")"), 10, 12)
			c.errno = event.Errno(n)
		}
	}
	c.returned = word != "?" || c.errno != 0
}

// splitList takes apart what stands between commas, up to a closing bracket, and says
// where that ends. Brackets, strings, comments and the annotations of descriptors nest.
func splitList(s string, closing byte) (items []string, end int, closed bool) {
	start := 0
	add := func(i int) {
		if item := strings.TrimSpace(s[start:i]); item != "" || items != nil {
			items = append(items, item)
		}
		start = i + 1
	}
	var nested []byte
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '"':
			i = afterString(s, i) - 1
		case '/':
			if strings.HasPrefix(s[i:], "/*") {
				n := strings.Index(s[i+2:], "*/")
				if n < 0 {
					return nil, 0, false
				}
				i += n + 3
			}
		case '<':
			i = afterAnnotation(s, i) - 1
		case '(':
			nested = append(nested, ')')
		case '[':
			nested = append(nested, ']')
		case '{':
			nested = append(nested, '}')
		case ',':
			if len(nested) == 0 {
				add(i)
			}
		case ')', ']', '}':
			if len(nested) == 0 {
				if c != closing {
					return nil, 0, false
				}
				add(i)
				return items, i + 1, true
			}
			if nested[len(nested)-1] != c {
				return nil, 0, false
			}
			nested = nested[:len(nested)-1]
		}
	}
	return nil, 0, false
}

// afterString is where the string that begins at i ends.
func afterString(s string, i int) int {
	for i++; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(s)
}

// afterAnnotation is where the annotation of a descriptor (strace -y) that begins at i
// ends; right behind the angle bracket if it is none.
func afterAnnotation(s string, i int) int {
	if i == 0 || !annotates(s[:i]) {
		return i + 1
	}
	if j := strings.IndexAny(s[i+1:], ":/>"); j > 0 && s[i+1+j] == ':' {
		return afterSocket(s, i+1+j)
	}
	depth := 0
	for j := i; j < len(s); j++ {
		switch s[j] {
		case '\\':
			j++
		case '<':
			depth++
		case '>':
			if depth--; depth == 0 {
				return j + 1
			}
		}
	}
	return len(s)
}

// annotates says whether an annotation may follow: it does a number or AT_FDCWD.
func annotates(before string) bool {
	c := before[len(before)-1]
	return c >= '0' && c <= '9' || strings.HasSuffix(before, "AT_FDCWD")
}

// afterSocket is where an annotation like TCP:[127.0.0.1:1->127.0.0.1:2] or
// UNIX-STREAM:[1->2,"/run/x"] ends: it has angle brackets that are arrows.
func afterSocket(s string, i int) int {
	for ; i < len(s); i++ {
		switch s[i] {
		case '"':
			i = afterString(s, i) - 1
		case ']':
			if i+1 < len(s) && s[i+1] == '>' {
				return i + 2
			}
		case '>':
			if s[i-1] != '-' {
				return i + 1
			}
		}
	}
	return len(s)
}
