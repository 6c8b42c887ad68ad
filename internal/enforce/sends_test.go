package enforce

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// Where the parts of a message are in a region of memory. What is behind has nothing.
const (
	headAt     = 0
	vectorsAt  = 0x1000
	addressAt  = 0x6000
	controlAt  = 0x7000
	dataAt     = 0x18000
	regionSize = 0x20000
)

// controlMessage is a struct cmsghdr with its contents, padded.
func controlMessage(level, kind uint32, body ...uint32) []byte {
	b := binary.NativeEndian.AppendUint64(nil, uint64(16+4*len(body)))
	b = binary.NativeEndian.AppendUint32(b, level)
	b = binary.NativeEndian.AppendUint32(b, kind)
	for _, w := range body {
		b = binary.NativeEndian.AppendUint32(b, w)
	}
	for len(b)%8 != 0 {
		b = append(b, 0)
	}
	return b
}

func TestTakeMessage(t *testing.T) {
	r := newRegion(t, regionSize)
	copy(r.b[addressAt:], "\x01\x00/tmp/socket\x00")
	copy(r.b[dataAt:], "hello, world")
	r.put(vectorsAt, r.at+dataAt, 5, r.at+dataAt+5, 0, r.at+dataAt+7, 5)
	credentials := controlMessage(unix.SOL_SOCKET, unix.SCM_CREDENTIALS, uint32(os.Getpid()), 1, 2)
	copy(r.b[controlAt:], credentials)
	r.put(headAt, r.at+addressAt, 14, r.at+vectorsAt, 3, r.at+controlAt, uint64(len(credentials)), 0)
	m, err := ownCall(t, "sendmsg", 0, r.at).takeMessage(r.at)
	if err != nil {
		t.Fatal(err)
	}
	defer m.close()
	if string(m.address) != "\x01\x00/tmp/socket\x00" || string(m.data) != "helloworld" || !bytes.Equal(m.control, credentials) {
		t.Errorf("%q, %q, %q", m.address, m.data, m.control)
	}
	// It is a copy.
	clear(r.b)
	if string(m.data) != "helloworld" {
		t.Errorf("%q", m.data)
	}
}

func TestTakeMessageErrors(t *testing.T) {
	r := newRegion(t, regionSize)
	for _, tt := range []struct {
		what string
		head [7]uint64
		err  error
	}{
		{"nothing", [7]uint64{}, nil},
		{"an address of no length", [7]uint64{r.at, 0}, nil},
		{"no address with a length", [7]uint64{0, 128}, nil},
		{"an address that is long", [7]uint64{r.at, 1000}, nil}, // cut: net/socket.c, __copy_msghdr
		{"an address of less than no length", [7]uint64{r.at, 1 << 31}, unix.EINVAL},
		{"an address nowhere", [7]uint64{8, 16}, unix.EFAULT},
		{"vectors nowhere", [7]uint64{0, 0, 8, 1}, unix.EFAULT},
		{"too many vectors", [7]uint64{0, 0, r.at + vectorsAt, 1025}, unix.EMSGSIZE},
		{"vectors without end", [7]uint64{0, 0, r.at + vectorsAt, ^uint64(0)}, unix.EMSGSIZE},
		{"as many vectors as may be", [7]uint64{0, 0, r.at + vectorsAt, 1024}, nil},
		{"control nowhere", [7]uint64{0, 0, 0, 0, 8, 16}, unix.EFAULT},
		{"control that is long", [7]uint64{0, 0, 0, 0, r.at + controlAt, 1 << 17}, unix.ENOBUFS},
		{"control of no length", [7]uint64{0, 0, 0, 0, 8, 0}, nil},
		{"control that is cut", [7]uint64{0, 0, 0, 0, r.at + controlAt, 15}, nil},
		{"control that is short", [7]uint64{0, 0, 0, 0, r.at + controlAt, 16}, unix.EINVAL}, // it says 0
	} {
		clear(r.b)
		r.put(headAt, tt.head[:]...)
		before := countDescriptors(t)
		m, err := ownCall(t, "sendmsg").takeMessage(r.at)
		if !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) {
			t.Errorf("%s: %v, want %v", tt.what, err, tt.err)
		}
		if err == nil {
			m.close()
		}
		if after := countDescriptors(t); after != before {
			t.Errorf("%s: %d descriptors, then %d", tt.what, before, after)
		}
	}
	if _, err := ownCall(t, "sendmsg").takeMessage(8); !errors.Is(err, unix.EFAULT) {
		t.Errorf("a message nowhere: %v", err)
	}
}

// TestTakeLongMessage: of a message no more is copied than there is room for.
func TestTakeLongMessage(t *testing.T) {
	r := newRegion(t, regionSize)
	const vectors, each = 1024, 0x2000
	for i := range vectors {
		r.put(vectorsAt+16*i, r.at+dataAt, each)
	}
	r.put(headAt, 0, 0, r.at+vectorsAt, vectors)
	m, err := ownCall(t, "sendmsg").takeMessage(r.at)
	if err != nil || len(m.data) != maxMessage {
		t.Fatalf("%d bytes, %v, want %d", len(m.data), err, maxMessage)
	}
}

func TestTakeAddress(t *testing.T) {
	r := newRegion(t, 4096)
	for size, want := range map[uint64]error{0: nil, 1: nil, 128: nil, 129: unix.EINVAL, 1 << 31: unix.EINVAL, 0xffffffff: unix.EINVAL, 1<<32 | 16: nil} {
		b, err := ownCall(t, "connect").takeAddress(r.at, size)
		if !errors.Is(err, want) || err == nil && len(b) != int(uint32(size)) {
			t.Errorf("%#x bytes: %d, %v, want %v", size, len(b), err, want)
		}
	}
	if _, err := ownCall(t, "connect").takeAddress(8, 16); !errors.Is(err, unix.EFAULT) {
		t.Errorf("an address nowhere: %v", err)
	}
}

// FuzzMessage copies messages out of memory that says what it likes, and compares with
// what is there.
func FuzzMessage(f *testing.F) {
	rights := controlMessage(unix.SOL_SOCKET, unix.SCM_RIGHTS, 0, 1, 2)
	ours := controlMessage(unix.SOL_SOCKET, unix.SCM_CREDENTIALS, uint32(os.Getpid()), 0, 0)
	other := controlMessage(unix.IPPROTO_IP, unix.IP_TTL, 64)
	for _, control := range [][]byte{nil, rights, ours, other, append(bytes.Clone(other), rights...), append(bytes.Clone(ours), other...), other[:18], bytes.Repeat([]byte{0xff}, 40), make([]byte, 32)} {
		f.Add(uint64(addressAt), uint64(16), uint64(vectorsAt), uint64(2), uint64(controlAt), uint64(len(control)), []byte("\x00\x00\x05\x00\x10\x00\x03\x00"), control)
	}
	f.Add(uint64(0), uint64(0), uint64(0), uint64(0), uint64(0), uint64(0), []byte{}, []byte{})
	f.Add(uint64(regionSize-8), uint64(16), uint64(regionSize-4), uint64(1024), uint64(regionSize-16), uint64(1<<16), []byte{}, []byte{})
	f.Add(uint64(1<<63), uint64(1<<31), uint64(1<<62), uint64(1<<60), uint64(1<<63), uint64(1<<63), []byte{}, []byte{})
	r := newRegion(f, 2*regionSize)
	if err := unix.Mprotect(r.b[regionSize:], unix.PROT_NONE); err != nil {
		f.Fatal(err)
	}
	// An offset into the memory; what is larger is an address as it is.
	address := func(offset uint64) uint64 {
		if offset > 0 && offset < regionSize {
			return r.at + offset
		}
		return offset
	}
	f.Fuzz(func(t *testing.T, name, nameLength, vectors, count, control, controlLength uint64, lengths, text []byte) {
		clear(r.b[:regionSize])
		for i := range 0x1000 {
			r.b[dataAt+i] = byte(i * 7)
		}
		copy(r.b[controlAt:controlAt+0x8000], text)
		for i := 0; i+4 <= len(lengths) && i < 256; i += 4 {
			at, length := binary.LittleEndian.Uint16(lengths[i:]), binary.LittleEndian.Uint16(lengths[i+2:])
			r.put(vectorsAt+4*i, r.at+dataAt+uint64(at), uint64(length))
		}
		r.put(headAt, address(name), nameLength, address(vectors), count, address(control), controlLength)
		before := countDescriptors(t)
		// SCM_RIGHTS is EACCES here, because nobody waits for the call.
		m, err := ownCall(t, "sendmsg").takeMessage(r.at)
		if err != nil {
			if m != nil {
				t.Errorf("a message with %v", err)
			}
		} else {
			if len(m.address) > maxAddress || name == 0 && len(m.address) != 0 {
				t.Errorf("an address of %d bytes", len(m.address))
			}
			if len(m.address) > 0 && !bytes.Equal(m.address, r.b[name:][:len(m.address)]) {
				t.Error("another address")
			}
			var want []byte
			known := true
			for i := range count {
				v := r.b[vectors+16*i:]
				at, length := binary.NativeEndian.Uint64(v), binary.NativeEndian.Uint64(v[8:])
				if length > 0 && len(want) < maxMessage {
					if at < r.at || at >= r.at+regionSize {
						known = false // somewhere else in this process
						break
					}
					want = append(want, r.b[at-r.at:][:min(length, uint64(maxMessage-len(want)))]...)
				}
			}
			if known && !bytes.Equal(m.data, want) {
				t.Errorf("%d bytes of data, want %d", len(m.data), len(want))
			}
			if control != 0 && len(m.control) != int(controlLength) || !bytes.Equal(m.control, r.b[control:][:len(m.control)]) {
				t.Error("other control messages")
			}
			m.close()
		}
		if after := countDescriptors(t); after != before {
			t.Errorf("%d descriptors, then %d", before, after)
		}
	})
}
