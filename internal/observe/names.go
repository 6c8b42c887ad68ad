package observe

import "bytes"

// appendNames appends a path that the kernel side sent as names, the last one
// first and each with a NUL behind it: "b\x00a\x00" is /a/b, "" is /. One more NUL
// says that there is no root: "b\x00a\x00\x00" is a/b, somewhere.
func appendNames(dst, names []byte) []byte {
	rooted := !areDetached(names)
	if !rooted {
		names = names[:len(names)-1]
	} else if len(names) == 0 {
		return append(dst, '/')
	}
	for start := len(dst); len(names) > 0; {
		names = names[:len(names)-1] // the NUL
		i := bytes.LastIndexByte(names, 0) + 1
		if rooted || len(dst) > start {
			dst = append(dst, '/')
		}
		dst = append(dst, names[i:]...)
		names = names[:i]
	}
	return dst
}

// areDetached says whether names do not lead to the root of a mount namespace.
func areDetached(names []byte) bool {
	return bytes.HasSuffix(names, []byte{0, 0}) || len(names) == 1 && names[0] == 0
}

// areNone says whether there is neither a name nor a root, as for a pipe.
func areNone(names []byte) bool { return len(names) > 0 && len(bytes.Trim(names, "\x00")) == 0 }

// appendJoined appends base and a path below it, without the double slashes and
// dots that change nothing. A ".." stays: what it means depends on symbolic links.
func appendJoined(dst, base, path []byte) []byte {
	start := len(dst)
	if string(base) != "/" {
		dst = append(dst, base...)
	}
	for len(path) > 0 {
		var name []byte
		name, path, _ = bytes.Cut(path, []byte{'/'})
		if len(name) == 0 || string(name) == "." {
			continue
		}
		dst = append(dst, '/')
		dst = append(dst, name...)
	}
	if len(dst) == start {
		dst = append(dst, '/')
	}
	return dst
}
