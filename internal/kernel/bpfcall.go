package kernel

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"runtime"
	"unsafe"

	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"
)

// The probes call bpf(2) themselves. A library call would do more than is
// asked: it loads feature tests of its own, decodes the kernel's BTF for each
// program and adds advice about RLIMIT_MEMLOCK to every EPERM. The errno alone
// tells the answers apart.

// The attributes of bpf(2) commands, union bpf_attr in include/uapi/linux/bpf.h.
// They end where these probes need no more: an old kernel refuses longer ones
// unless the rest is zero.
type (
	mapCreateAttr struct {
		mapType, keySize, valueSize, maxEntries uint32
	}
	progLoadAttr struct {
		progType, insnCnt  uint32
		insns, license     unsafe.Pointer
		_                  [2]uint32 // log_level, log_size
		_                  uint64    // log_buf
		_                  [2]uint32 // kern_version, prog_flags
		_                  [16]byte  // prog_name
		_                  uint32    // prog_ifindex
		expectedAttachType uint32
		_                  [2]uint32 // prog_btf_fd, func_info_rec_size
		_                  uint64    // func_info
		_                  [2]uint32 // func_info_cnt, line_info_rec_size
		_                  uint64    // line_info
		_                  uint32    // line_info_cnt
		attachBTFID        uint32
	}
	rawTracepointOpenAttr struct {
		name   unsafe.Pointer
		progFd uint32
		_      uint32
	}
	enableStatsAttr struct {
		_ uint32 // type: 0 is BPF_STATS_RUN_TIME
	}
)

// bpfCall makes the call, again if it was interrupted: the verifier answers
// EAGAIN when a signal is pending (c3494801cd17, "bpf: check pending signals
// while verifying programs"), and Go sends itself many.
func bpfCall[attr any](cmd int, a *attr) (fd int, err error) {
	for range 10 {
		r, _, errno := unix.Syscall(unix.SYS_BPF, uintptr(cmd), uintptr(unsafe.Pointer(a)), unsafe.Sizeof(*a))
		if errno == 0 {
			return int(r), nil
		}
		if err = errno; errno != unix.EAGAIN && errno != unix.EINTR {
			break
		}
	}
	return -1, err
}

// createMap creates a map of at most max entries; the caller closes it.
func createMap(mapType, keySize, valueSize, maxEntries uint32) (fd int, err error) {
	return bpfCall(unix.BPF_MAP_CREATE, &mapCreateAttr{mapType, keySize, valueSize, maxEntries})
}

// openRawTracepoint asks to attach prog to the tracepoint called name, and
// detaches it at once should that succeed.
func openRawTracepoint(name string, prog int) error {
	cname := append([]byte(name), 0)
	link, err := bpfCall(unix.BPF_RAW_TRACEPOINT_OPEN, &rawTracepointOpenAttr{
		name: unsafe.Pointer(&cname[0]), progFd: uint32(prog),
	})
	runtime.KeepAlive(cname)
	if err == nil {
		_ = unix.Close(link)
	}
	return err
}

// bpfProgram is a program to load.
type bpfProgram struct {
	progType   uint32
	attachType uint32
	// attachTo is the BTF ID of what a tracing program is for.
	attachTo uint32
	insns    asm.Instructions
}

// byteOrder is that of amd64 and arm64. The assembler does not take
// [binary.NativeEndian].
var byteOrder = binary.LittleEndian

// load asks the verifier; the caller closes the program.
func (p bpfProgram) load() (fd int, err error) {
	var code bytes.Buffer
	if err := p.insns.Marshal(&code, byteOrder); err != nil {
		return -1, fmt.Errorf("assembling a probe: %w", err)
	}
	insns, license := code.Bytes(), []byte("GPL\x00")
	attr := progLoadAttr{
		progType:           p.progType,
		insnCnt:            uint32(len(insns) / asm.InstructionSize),
		insns:              unsafe.Pointer(&insns[0]),
		license:            unsafe.Pointer(&license[0]),
		expectedAttachType: p.attachType,
		attachBTFID:        p.attachTo,
	}
	fd, err = bpfCall(unix.BPF_PROG_LOAD, &attr)
	runtime.KeepAlive(insns)
	runtime.KeepAlive(license)
	return fd, err
}

// try loads the program and lets it go.
func (p bpfProgram) try() error {
	fd, err := p.load()
	if err == nil {
		_ = unix.Close(fd)
	}
	return err
}

// bpfAnswer judges the outcome of a bpf(2) call.
func (s *session) bpfAnswer(err error) answer {
	switch {
	case err == nil:
		return present("")
	case is(err, unix.ENOSYS):
		return lacking("bpf(2) is not there (ENOSYS)")
	// EINVAL is an unknown map or program type or helper. E2BIG is an
	// attribute from after this kernel's time. ENOTSUPP is a known one
	// without what it stands on.
	case is(err, unix.EINVAL, unix.E2BIG, unix.EOPNOTSUPP, 524):
		return lacking(fmt.Sprintf("the kernel does not know it (%s)", named(err)))
	case is(err, unix.EPERM, unix.EACCES):
		return s.bpfRefused(err)
	default:
		return unknown(fmt.Sprintf("bpf(2) answers %s", named(err)), "")
	}
}

func (s *session) bpfRefused(err error) answer {
	a := s.refused(err, CapBPF, CapPerfmon)
	if limit := s.memlockAnswer(); a.Cause == CausePolicy && limit.State == Missing {
		return limit
	}
	return a
}
