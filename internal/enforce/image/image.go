// Package image reads what the kernel reads of a file that is executed: who interprets it
// (fs/binfmt_script.c, fs/binfmt_elf.c).
//
// The contents are the target's, and hostile. Start reading at [Read].
package image

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"io"
	"strings"
)

// Kind is how a file is executed.
type Kind uint8

// The kinds.
const (
	// Unknown is what the kernel asks others about, or does not execute.
	Unknown Kind = iota
	// Script begins with "#!" and the file that executes it.
	Script
	// Native is an ELF file for this processor.
	Native
	// Foreign is an ELF file with the system calls of another ABI that the kernel may
	// have: 32 bits.
	Foreign
)

// Image is a file that is executed.
type Image struct {
	Kind Kind
	// Interpreter is the path of who executes a script, or of an ELF file's dynamic
	// linker, "" for none.
	Interpreter string
}

// headSize is BINPRM_BUF_SIZE, include/uapi/linux/binfmts.h.
const headSize = 256

// Read reads the beginning of a file. The error is that of r; what is damaged is Unknown.
func Read(r io.ReaderAt) (Image, error) {
	head := make([]byte, headSize)
	n, err := r.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return Image{}, err
	}
	switch {
	case bytes.HasPrefix(head, []byte("#!")):
		return script(head, n == headSize), nil
	case bytes.HasPrefix(head, []byte(elf.ELFMAG)):
		return readELF(r, head)
	}
	return Image{}, nil
}

// script finds the interpreter in the first line. One that may be cut off is none.
func script(head []byte, full bool) Image {
	line, _, ended := bytes.Cut(head[2:], []byte("\n"))
	if !ended {
		line = head[2 : headSize-1]
	}
	line = bytes.TrimLeft(line, " \t")
	end := bytes.IndexAny(line, " \t\x00")
	switch {
	case end > 0:
		line = line[:end]
	case end == 0 || !ended && full:
		return Image{}
	}
	if len(line) == 0 {
		return Image{}
	}
	return Image{Script, string(line)}
}

// readELF finds the dynamic linker (PT_INTERP).
func readELF(r io.ReaderAt, head []byte) (Image, error) {
	if machine := elf.Machine(binary.LittleEndian.Uint16(head[18:])); elf.Class(head[elf.EI_CLASS]) == elf.ELFCLASS32 {
		if machine == foreignMachine || machine == nativeMachine { // the latter is x32
			return Image{Kind: Foreign}, nil
		}
		return Image{}, nil
	} else if machine != nativeMachine {
		return Image{}, nil
	}
	var header elf.Header64
	if _, err := binary.Decode(head, binary.LittleEndian, &header); err != nil {
		return Image{}, nil //nolint:nilerr // it cannot be: the head is larger
	}
	var segment elf.Prog64
	size := int64(binary.Size(segment))
	if int64(header.Phentsize) != size {
		return Image{}, nil
	}
	room := make([]byte, size)
	for i := range int64(header.Phnum) {
		if err := readAt(r, room, header.Phoff, i*size); err != nil {
			return Image{}, ignoreEnd(err)
		}
		if _, err := binary.Decode(room, binary.LittleEndian, &segment); err != nil {
			return Image{}, nil //nolint:nilerr // it cannot be: the room is as large
		}
		if elf.ProgType(segment.Type) != elf.PT_INTERP {
			continue
		}
		const pathMax = 4096 // PATH_MAX, include/uapi/linux/limits.h
		if segment.Filesz < 2 || segment.Filesz > pathMax {
			return Image{}, nil
		}
		name := make([]byte, segment.Filesz)
		if err := readAt(r, name, segment.Off, 0); err != nil {
			return Image{}, ignoreEnd(err)
		}
		path, _, _ := strings.Cut(string(name), "\x00")
		return Image{Native, path}, nil
	}
	return Image{Kind: Native}, nil
}

var errBeyond = errors.New("beyond the end")

func readAt(r io.ReaderAt, b []byte, offset uint64, more int64) error {
	at := int64(offset) + more
	if at < 0 {
		return errBeyond
	}
	_, err := r.ReadAt(b, at)
	return err
}

// ignoreEnd leaves only errors that are not the file's own damage.
func ignoreEnd(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, errBeyond) {
		return nil
	}
	return err
}
