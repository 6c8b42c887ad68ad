package observe

import (
	"encoding/binary"
	"errors"
	"unsafe"
)

// record is one entry of the ring buffer, taken apart: the fixed head and the
// segments behind it by kind. The segments point into the raw bytes.
type record struct {
	bpfRecord
	segments [segmentKinds][]byte
	present  uint32 // bit i: segments[i] was there, if only empty
}

const segmentKinds = 16

const (
	recordSize  = int(unsafe.Sizeof(bpfRecord{}))
	segmentSize = int(unsafe.Sizeof(bpfSegment{}))
)

var (
	errShortRecord  = errors.New("record is shorter than its head")
	errShortSegment = errors.New("segment is longer than its record")
	errSegmentKind  = errors.New("segment of an unknown kind")
)

// parse takes raw apart. The strings in it come from the target, but the kernel
// side wrote the lengths; an error means that the two sides disagree.
func (r *record) parse(raw []byte) error {
	if len(raw) < recordSize {
		return errShortRecord
	}
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&r.bpfRecord)), recordSize), raw)
	r.present = 0
	for rest := raw[recordSize:]; len(rest) > 0; {
		if len(rest) < segmentSize {
			return errShortSegment
		}
		kind := binary.NativeEndian.Uint16(rest)
		n := int(binary.NativeEndian.Uint16(rest[2:]))
		rest = rest[segmentSize:]
		if n > len(rest) {
			return errShortSegment
		}
		if kind >= segmentKinds {
			return errSegmentKind
		}
		r.segments[kind] = rest[:n]
		r.present |= 1 << kind
		rest = rest[n:]
	}
	return nil
}

// segment is the content of a segment, and whether the record has it.
func (r *record) segment(kind bpfSegmentKind) ([]byte, bool) {
	if r.present&(1<<kind) == 0 {
		return nil, false
	}
	return r.segments[kind], true
}

func (r *record) has(f bpfRecordFlags) bool { return r.Flags&uint16(f) != 0 }

// object is the inode segment, if there is one.
func (r *record) object() (o bpfObject, ok bool) {
	b, ok := r.segment(bpfSegmentKindSEGMENT_OBJECT)
	if !ok || len(b) < int(unsafe.Sizeof(o)) {
		return o, false
	}
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&o)), unsafe.Sizeof(o)), b)
	return o, true
}

// socket is the socket segment, if there is one.
func (r *record) socket() (s bpfSocketInfo, ok bool) {
	b, ok := r.segment(bpfSegmentKindSEGMENT_SOCKET)
	if !ok || len(b) < int(unsafe.Sizeof(s)) {
		return s, false
	}
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&s)), unsafe.Sizeof(s)), b)
	return s, true
}

// comm is the thread name, without the NULs behind it.
func comm(raw *[16]int8) []byte {
	b := unsafe.Slice((*byte)(unsafe.Pointer(raw)), len(raw))
	for i, c := range b {
		if c == 0 {
			return b[:i]
		}
	}
	return b
}
