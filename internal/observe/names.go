package observe

import "bytes"

// appendNames appends a path that the kernel side sent as names, the last one
// first and each with a NUL behind it: "b\x00a\x00" is /a/b, "" is /.
func appendNames(dst, names []byte) []byte {
	if len(names) == 0 {
		return append(dst, '/')
	}
	for len(names) > 0 {
		names = names[:len(names)-1] // the NUL
		i := bytes.LastIndexByte(names, 0) + 1
		dst = append(dst, '/')
		dst = append(dst, names[i:]...)
		names = names[:i]
	}
	return dst
}

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
