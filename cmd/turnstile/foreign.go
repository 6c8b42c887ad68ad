package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/trace"
	"github.com/turnstile-project/turnstile/internal/trace/sandprint"
	"github.com/turnstile-project/turnstile/internal/trace/strace"
)

// openTrace opens a file, or stdin for "-".
func openTrace(name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(os.Stdin), nil
	}
	return openInput(name)
}

// openInput opens a file that somebody named, with quotes around its name in errors.
func openInput(name string) (*os.File, error) {
	f, err := os.Open(name)
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return nil, fmt.Errorf("opening %q: %w", name, path.Err)
	}
	return f, err
}

// firstField is the first field of a JSON object.
var firstField = regexp.MustCompile(`^\s*\{\s*"([^"\\]*)"`)

// decodeTrace reads a trace of our own or of another program, which it tells by how it
// begins.
func decodeTrace(r io.Reader) (*trace.Document, error) {
	const enough = 4096
	b := bufio.NewReaderSize(r, 1<<16)
	begin, _ := b.Peek(enough) // an error comes again when reading
	if m := firstField.FindSubmatch(begin); m != nil && sandprint.HasField(string(m[1])) {
		return sandprint.Read(b)
	}
	if text := bytes.TrimSpace(begin); len(text) > 0 && text[0] != '{' && strace.Looks(begin) {
		return strace.Read(b, machineABI())
	}
	return trace.Decode(b)
}

// machineABI is that of this machine's programs. A log of strace does not say which it is of.
func machineABI() event.ABI {
	abi, _ := event.ParseABI(hostInfo(false).Arch)
	return abi
}
