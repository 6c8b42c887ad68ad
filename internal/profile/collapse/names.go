package collapse

import (
	"strings"

	"github.com/turnstile-project/turnstile/internal/event"
)

// wild stands in a name for any bytes: no name has a NUL. At the beginning of a name it
// stands for none that begins with a dot.
const wild = "\x00"

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
func isLower(c byte) bool { return 'a' <= c && c <= 'z' }
func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }
func isAlnum(c byte) bool { return isDigit(c) || isLower(c) || isUpper(c) }
func isHex(c byte) bool   { return isDigit(c) || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F' }

// run is where the bytes of a kind that begin at i end.
func run(s string, i int, kind func(byte) bool) int {
	for i < len(s) && kind(s[i]) {
		i++
	}
	return i
}

func all(s string, kind func(byte) bool) bool { return run(s, 0, kind) == len(s) }

// versionless puts wildcards behind the first number of each version of several numbers:
// libz.so.1.2.13 becomes libz.so.1.*, and python3.11 becomes python3.*. A single number, as
// in libc.so.6, says what it is compatible with, and stays. A name that is a version may
// have more in its end, as that of a kernel has: 6.1.0-18-amd64.
func versionless(name string) string {
	const python = "cpython-"
	if i := strings.Index(name, python); i >= 0 {
		if end := run(name, i+len(python), isDigit); end > i+len(python) {
			return versionless(name[:i]) + python + wild + versionless(name[end:])
		}
	}
	for i := 0; i < len(name); i++ {
		if !isDigit(name[i]) {
			continue
		}
		major := run(name, i, isDigit)
		end := major
		for end+1 < len(name) && name[end] == '.' && isDigit(name[end+1]) {
			end = run(name, end+1, isDigit)
		}
		switch {
		case end == major:
			i = end - 1
		case i == 0 && !isSuffix(name[end:]):
			return name[:major] + "." + wild
		default:
			return name[:major] + "." + wild + versionless(name[end:])
		}
	}
	return name
}

// isSuffix says whether the rest of a name says what kind of file it is.
func isSuffix(rest string) bool {
	return len(rest) > 1 && rest[0] == '.' && all(rest[1:], isAlnum)
}

// minHash is how many digits a hash has at least: those of git-rev-parse --short and the
// like are too short to be known as such.
const minHash = 16

// hashless puts a wildcard in the place of each hash, and of each UUID (RFC 9562).
func hashless(name string) string {
	for i := 0; i < len(name); i++ {
		if !isAlnum(name[i]) || i > 0 && isAlnum(name[i-1]) {
			continue
		}
		end := run(name, i, isAlnum)
		if uuid := uuidEnd(name, i); uuid > 0 {
			end = uuid
		} else if !isHash(name[i:end], name[end:]) {
			i = end - 1
			continue
		}
		return name[:i] + wild + hashless(name[end:])
	}
	return name
}

// isHash says whether a word is a hash: in hexadecimal, or as Nix writes it before a name.
func isHash(word, rest string) bool {
	const nix = 32
	if len(word) == nix && strings.HasPrefix(rest, "-") && all(word, func(c byte) bool { return isDigit(c) || isLower(c) }) {
		return strings.ContainsFunc(word, func(r rune) bool { return r <= '9' })
	}
	return len(word) >= minHash && all(word, isHex) && strings.ContainsFunc(word, func(r rune) bool { return r <= '9' })
}

// uuidEnd is where a UUID that begins at i ends, 0 if none does.
func uuidEnd(name string, i int) int {
	for k, length := range []int{8, 4, 4, 4, 12} {
		if k > 0 {
			if i == len(name) || name[i] != '-' {
				return 0
			}
			i++
		}
		end := run(name, i, isHex)
		if end-i != length {
			return 0
		}
		i = end
	}
	return i
}

// isFan says whether a name is one of the directories over which hashes are spread by
// their first byte.
func isFan(name string) bool { return len(name) == 2 && all(name, isHex) }

// place is where a name is.
type place uint8

const (
	elsewhere place = iota
	temporary       // directly in a directory for temporary files
)

// randomless puts a wildcard in the place of what was made up so that nothing has the name
// already: mkstemp(3), mktemp(1), tempfile of Python, os.MkdirTemp of Go, gcc. Made says
// what the program did to the name.
func randomless(name string, where place, made event.Class) string {
	created := made&event.Create != 0
	if strings.HasPrefix(name, ".#") && len(name) > 2 { // of Emacs
		return ".#" + wild
	}
	if short, ok := tmpName(name); ok {
		return short
	}
	if where == temporary {
		if made == event.Create|event.Delete && len(name) == pythonRandom && all(name, isPython) {
			return wild // by which Python looks whether it may make files there
		}
		if short, ok := gccName(name); ok {
			return short
		}
		if i, end := longNumber(name); end > i {
			return name[:i] + wild + randomless(name[end:], elsewhere, 0)
		}
	}
	if where == temporary || created {
		if i := strings.LastIndexAny(name, "._-~"); i >= 0 && (isRandom(name[i+1:]) || isAddress(name[i+1:])) {
			return name[:i+1] + wild
		}
	}
	return name
}

// tmpName is for names that begin with tmp.
func tmpName(name string) (string, bool) {
	start := strings.TrimPrefix(name, ".")
	rest, is := strings.CutPrefix(start, "tmp")
	if !is || rest == "" {
		return name, false
	}
	before := name[:len(name)-len(rest)]
	if run(rest, 0, isPython) == pythonRandom && (len(rest) == pythonRandom || isSuffix(rest[pythonRandom:])) {
		return before + wild + rest[pythonRandom:], true
	}
	i := strings.LastIndexAny(rest, "._-") + 1
	if const6 := 6; len(rest)-i >= const6 && all(rest[i:], isAlnum) && (i > 0 || isRandom(rest[i:])) {
		return before + rest[:i] + wild, true
	}
	return name, false
}

// pythonRandom is how many bytes tempfile of Python makes up.
const pythonRandom = 8

func isPython(c byte) bool { return isLower(c) || isDigit(c) || c == '_' }

// isAddress says whether a word is a number that is long enough for one of memory or of
// time, by which Python and others tell their temporary files apart.
func isAddress(word string) bool {
	const long = 8
	return len(word) >= long && all(word, isDigit)
}

// madeUp is how many bytes mkstemp(3) makes up.
const madeUp = 6

// gccName is for the temporary files of gcc: cc, bytes of mkstemp(3), and what kind of file
// it is.
func gccName(name string) (string, bool) {
	const length = len("cc") + madeUp
	if strings.HasPrefix(name, "cc") && run(name, 0, isAlnum) == length && (len(name) == length || name[length] == '.') {
		return "cc" + wild + name[length:], true
	}
	return name, false
}

// longNumber finds a number that is hardly counted.
func longNumber(name string) (from, to int) {
	const long = 4
	for i := 0; i < len(name); i++ {
		if end := run(name, i, isDigit); end-i >= long {
			return i, end
		} else if end > i {
			i = end - 1
		}
	}
	return 0, 0
}

// isRandom says whether a word looks made up: no word has digits among its letters, or
// capitals behind others.
func isRandom(word string) bool {
	const least, most = 6, 24
	if len(word) < least || len(word) > most || !all(word, isAlnum) {
		return false
	}
	digits, letters, capitals, small := 0, 0, 0, 0
	for i := range len(word) {
		switch c := word[i]; {
		case isDigit(c):
			digits++
		case isUpper(c):
			letters++
			if i > 0 {
				capitals++
			}
		default:
			letters++
			small++
		}
	}
	return digits > 0 && letters > 0 || capitals > 0 && small > 0
}
