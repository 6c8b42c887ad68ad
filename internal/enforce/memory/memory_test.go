package memory

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

const childVariable = "MEMORY_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		text := append([]byte("a string of another process"), 0)
		fmt.Println(uint64(uintptr(unsafe.Pointer(&text[0]))))
		io.Copy(io.Discard, os.Stdin) // until the test has seen enough
		os.Stdout.Write(text)
		runtime.KeepAlive(text)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// own is the memory of this process.
var own = Memory(os.Getpid())

// pages are some pages of memory with nothing behind them.
type pages struct {
	b  []byte
	at uint64
}

func mapPages(t testing.TB, count int) pages {
	t.Helper()
	size := int(pageSize)
	all, err := unix.Mmap(-1, 0, (count+1)*size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Munmap(all) })
	if err := unix.Mprotect(all[count*size:], unix.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	return pages{all[:count*size], uint64(uintptr(unsafe.Pointer(&all[0])))}
}

func (p pages) end() uint64 { return p.at + uint64(len(p.b)) }

// fill writes text so that it ends with the page, and returns where it begins.
func (p pages) fill(text string) uint64 {
	for i := range p.b {
		p.b[i] = 'X'
	}
	copy(p.b[len(p.b)-len(text):], text)
	return p.end() - uint64(len(text))
}

func TestString(t *testing.T) {
	p := mapPages(t, 3)
	for _, length := range []int{0, 1, 2, 254, 255, 256, 257, 258, 511, 512, 1000, 4093, 4094, 4095} {
		text := strings.Repeat("s", length)
		for _, room := range []int{0, 1, 255, 256, 257, 4095, 4096, 10_000} {
			// At the end of the memory, and everywhere around the end of a page.
			at := p.fill(text + "\x00")
			if got, err := own.String(at, make([]byte, room)); err != nil || string(got) != text {
				t.Errorf("%d bytes before the end, room for %d: %d bytes, %v", length, room, len(got), err)
			}
			for _, after := range []int{1, 2, 255, 256, 257, 4095, 4096} {
				if length+1+after > len(p.b) {
					continue
				}
				at := p.fill(text + "\x00" + strings.Repeat("Y", after))
				if got, err := own.String(at, make([]byte, room)); err != nil || string(got) != text {
					t.Errorf("%d bytes, then %d others, room for %d: %d bytes, %v", length, after, room, len(got), err)
				}
			}
		}
	}
}

func TestStringWithoutEnd(t *testing.T) {
	p := mapPages(t, 3)
	room := make([]byte, unix.PathMax)
	for _, length := range []int{1, 2, 255, 256, 257, 4095} {
		at := p.fill(strings.Repeat("s", length))
		if got, err := own.String(at, room); !errors.Is(err, unix.EFAULT) || got != nil {
			t.Errorf("%d bytes and no end: %d bytes, %v, want EFAULT", length, len(got), err)
		}
	}
	// PATH_MAX bytes are too long, even if nothing can be read behind them.
	for _, length := range []int{4096, 4097, 8192, len(p.b)} {
		at := p.fill(strings.Repeat("s", length))
		if got, err := own.String(at, room); !errors.Is(err, unix.ENAMETOOLONG) || got != nil {
			t.Errorf("%d bytes and no end: %d bytes, %v, want ENAMETOOLONG", length, len(got), err)
		}
		at = p.fill(strings.Repeat("s", length-1) + "\x00")
		if got, err := own.String(at, room); length > 4096 && (!errors.Is(err, unix.ENAMETOOLONG) || got != nil) {
			t.Errorf("%d bytes: %d bytes, %v, want ENAMETOOLONG", length-1, len(got), err)
		}
	}
}

// TestStringLikeTheKernel compares the errors with those of a call that reads a path.
func TestStringLikeTheKernel(t *testing.T) {
	p := mapPages(t, 3)
	for _, length := range []int{0, 1, 200, 255, 256, 4000, 4094, 4095, 4096, 4097, 5000} {
		for _, ended := range []bool{true, false} {
			text := strings.Repeat("./", length/2) + strings.Repeat(".", length%2)
			if ended {
				text += "\x00"
			}
			at := p.fill(text)
			_, err := own.String(at, nil)
			_, _, errno := unix.Syscall6(unix.SYS_NEWFSTATAT, ^uintptr(99), uintptr(at), uintptr(unsafe.Pointer(&unix.Stat_t{})), 0, 0, 0)
			want := error(nil)
			if errno == unix.EFAULT || errno == unix.ENAMETOOLONG {
				want = errno
			}
			if !errors.Is(err, want) {
				t.Errorf("%d bytes, ended %v: %v, the kernel says %v", length, ended, err, errno)
			}
		}
	}
}

func TestUnreadable(t *testing.T) {
	p := mapPages(t, 3)
	size := int(pageSize)
	for i := range p.b {
		p.b[i] = 's'
	}
	if err := unix.Mprotect(p.b[size:2*size], unix.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	none, err := unix.Mmap(-1, 0, size, unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		t.Fatal(err)
	}
	unmapped := uint64(uintptr(unsafe.Pointer(&none[0])))
	if err := unix.Munmap(none); err != nil {
		t.Fatal(err)
	}
	for what, at := range map[string]uint64{
		"nil": 0, "one": 1, "the first page": pageSize - 1, "unreadable": p.at + pageSize, "unreadable soon": p.at + pageSize - 1, "unreadable later": p.at + 10,
		"unmapped": unmapped, "the kernel": 1 << 63, "the last byte": ^uint64(0), "not canonical": 1 << 50, "the end of user space": 1<<47 - 1,
	} {
		if text, err := own.String(at, make([]byte, 300)); !errors.Is(err, unix.EFAULT) {
			t.Errorf("a string at %s: %d bytes, %v, want EFAULT", what, len(text), err)
		}
		if err := own.Read(at, make([]byte, pageSize)); !errors.Is(err, unix.EFAULT) {
			t.Errorf("bytes at %s: %v, want EFAULT", what, err)
		}
		if err := own.Write(at, bytes.Repeat([]byte("s"), int(pageSize))); !errors.Is(err, unix.EFAULT) {
			t.Errorf("writing to %s: %v, want EFAULT", what, err)
		}
		if err := own.Read(at, nil); err != nil {
			t.Errorf("no bytes at %s: %v", what, err)
		}
		if err := own.Write(at, nil); err != nil {
			t.Errorf("writing no bytes to %s: %v", what, err)
		}
	}
}

func TestReadAndWrite(t *testing.T) {
	p := mapPages(t, 3)
	for _, length := range []int{1, 7, 256, 4095, 4096, 4097, len(p.b)} {
		text := bytes.Repeat([]byte("0123456789"), length/10+1)[:length]
		at := p.fill(strings.Repeat("-", length))
		if err := own.Write(at, text); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(p.b[len(p.b)-length:], text) {
			t.Errorf("%d bytes were not written", length)
		}
		got := make([]byte, length)
		if err := own.Read(at, got); err != nil || !bytes.Equal(got, text) {
			t.Errorf("%d bytes: %v", length, err)
		}
		if err := own.Read(at, make([]byte, length+1)); !errors.Is(err, unix.EFAULT) {
			t.Errorf("one byte too many: %v", err)
		}
	}
	if err := unix.Mprotect(p.b, unix.PROT_READ); err != nil {
		t.Fatal(err)
	}
	if err := own.Write(p.at, []byte("x")); !errors.Is(err, unix.EFAULT) {
		t.Errorf("writing to what is only readable: %v, want EFAULT", err)
	}
}

// TestUntouched: nothing behind the page with the end of a string is read, so a page that
// cannot be read there is no error, whatever comes first.
func TestUntouched(t *testing.T) {
	p := mapPages(t, 1)
	for length := range 600 {
		text := strings.Repeat("s", length)
		if got, err := own.String(p.fill(text+"\x00"), nil); err != nil || string(got) != text {
			t.Fatalf("%d bytes: %d, %v", length, len(got), err)
		}
	}
}

func TestRoom(t *testing.T) {
	p := mapPages(t, 2)
	room := make([]byte, unix.PathMax)
	got, err := own.String(p.fill("short\x00"), room)
	if err != nil || &got[0] != &room[0] {
		t.Errorf("the room was not used: %v", err)
	}
	got, err = own.String(p.fill(strings.Repeat("s", 1000)+"\x00"), make([]byte, 10))
	if err != nil || len(got) != 1000 {
		t.Errorf("a string that did not fit: %d bytes, %v", len(got), err)
	}
}

func TestAnotherProcess(t *testing.T) {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), childVariable+"=1")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	out := bufio.NewReader(pipe)
	var at uint64
	if _, err := fmt.Fscanln(out, &at); err != nil {
		t.Fatal(err)
	}
	m := Memory(cmd.Process.Pid)
	if got, err := m.String(at, make([]byte, 300)); err != nil || string(got) != "a string of another process" {
		t.Errorf("%q, %v", got, err)
	}
	if err := m.Write(at, []byte("A")); err != nil {
		t.Error(err)
	}
	in.Close()
	if rest, err := io.ReadAll(out); err != nil || string(rest) != "A string of another process\x00" {
		t.Errorf("it has %q, %v", rest, err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if _, err := m.String(at, nil); !errors.Is(err, unix.EACCES) {
		t.Errorf("who is gone: %v, want EACCES", err)
	}
}

// plainString is what String does, a byte at a time.
func plainString(b []byte) (string, error) {
	for i, c := range b {
		switch {
		case i == unix.PathMax:
			return "", unix.ENAMETOOLONG
		case c == 0:
			return string(b[:i]), nil
		}
	}
	if len(b) >= unix.PathMax {
		return "", unix.ENAMETOOLONG
	}
	return "", unix.EFAULT
}

// FuzzString compares strings in the last pages of some memory with what a plain loop
// finds there.
func FuzzString(f *testing.F) {
	p := mapPages(f, 2)
	for _, before := range []uint16{0, 1, 100, 255, 256, 257, 4095, 4096, 4097, 8192} {
		f.Add(before, []byte{}, uint16(10))
		f.Add(before, []byte("/usr/lib\x00rest"), uint16(4096))
		f.Add(before, []byte{0}, uint16(256))
	}
	f.Fuzz(func(t *testing.T, before uint16, text []byte, room uint16) {
		start := int(before) % (len(p.b) + 1)
		for i := range p.b {
			p.b[i] = 'X'
		}
		copy(p.b[start:], text)
		want, wantErr := plainString(p.b[start:])
		got, err := own.String(p.at+uint64(start), make([]byte, room))
		if string(got) != want || !errors.Is(err, wantErr) {
			t.Errorf("at %d of %d: %d bytes, %v, want %d, %v", start, len(p.b), len(got), err, len(want), wantErr)
		}
	})
}
