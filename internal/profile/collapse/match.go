package collapse

import "strings"

// anyDepth is, among names, any number of names.
const anyDepth = wild + wild

// namesOf are the names of a path, or of a pattern, that begins with a slash or is empty.
func namesOf(path string) []string {
	if path == "" || path == "/" {
		return nil
	}
	return strings.Split(path[1:], "/")
}

// meet says whether some path is had by both patterns. It can say so where none is, never
// that none is where there is one.
func meet(a, b []string) bool {
	switch {
	case len(a) > 0 && a[0] == anyDepth:
		return meet(a[1:], b) || len(b) > 0 && meet(a, b[1:])
	case len(b) > 0 && b[0] == anyDepth:
		return meet(b, a)
	case len(a) == 0 || len(b) == 0:
		return len(a) == len(b)
	default:
		return namesMeet(a[0], b[0]) && meet(a[1:], b[1:])
	}
}

// namesMeet says whether some name may be had by both. A wildcard at the beginning has no
// name with a leading dot.
func namesMeet(a, b string) bool {
	aWild, bWild := strings.Contains(a, wild), strings.Contains(b, wild)
	switch {
	case !aWild && !bWild:
		return a == b
	case !bWild:
		return nameHas(a, b)
	case !aWild:
		return nameHas(b, a)
	}
	if strings.HasPrefix(a, wild) && strings.HasPrefix(b, ".") || strings.HasPrefix(b, wild) && strings.HasPrefix(a, ".") {
		return false
	}
	aHead, bHead := a[:strings.Index(a, wild)], b[:strings.Index(b, wild)]
	aTail, bTail := a[strings.LastIndex(a, wild)+1:], b[strings.LastIndex(b, wild)+1:]
	return (strings.HasPrefix(aHead, bHead) || strings.HasPrefix(bHead, aHead)) &&
		(strings.HasSuffix(aTail, bTail) || strings.HasSuffix(bTail, aTail))
}

// nameHas says whether a name with wildcards has a plain one.
func nameHas(pattern, name string) bool {
	head, rest, isWild := strings.Cut(pattern, wild)
	if !isWild {
		return pattern == name
	}
	if head == "" && strings.HasPrefix(name, ".") || !strings.HasPrefix(name, head) {
		return false
	}
	name = name[len(head):]
	for {
		piece, after, more := strings.Cut(rest, wild)
		if !more {
			return strings.HasSuffix(name, piece)
		}
		i := strings.Index(name, piece)
		if i < 0 {
			return false
		}
		name, rest = name[i+len(piece):], after
	}
}
