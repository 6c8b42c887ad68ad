package syscalls

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
)

// TestEveryRowWithAFileHasAnEffect: what names a file, or acts on one, is not left to
// chance.
func TestEveryRowWithAFileHasAnEffect(t *testing.T) {
	for abi := range tables {
		for _, nr := range All(abi) {
			s := Lookup(abi, nr)
			if s == nil || len(s.Operands) == 0 {
				continue
			}
			if s.Effect() == EffectNone {
				t.Errorf("%v: %s names a file and has no effect", abi, s.Name)
			}
			switch s.Effect() {
			case EffectInject, EffectPerform, EffectPerformWrite, EffectVerify:
				if s.Classes() == 0 {
					t.Errorf("%v: %s is judged and has no class", abi, s.Name)
				}
			}
		}
	}
}

// TestEveryOperationHasAnEffect: none was forgotten when it was added.
func TestEveryOperationHasAnEffect(t *testing.T) {
	for op := event.OpNone + 1; op <= event.OpSend; op++ {
		if _, known := effects[op]; !known && op != event.OpFork && op != event.OpExit {
			t.Errorf("%v has none", op)
		}
	}
	for op, e := range effects {
		if e.String() == "" {
			t.Errorf("the effect of %v has no name", op)
		}
	}
}

func TestEffects(t *testing.T) {
	for name, want := range map[string]Effect{
		"open": EffectInject, "openat2": EffectInject, "creat": EffectInject, "open_by_handle_at": EffectRefuse, "open_tree": EffectRefuse,
		"mkdir": EffectPerform, "rename": EffectPerform, "linkat": EffectPerform, "connect": EffectPerform, "sendmmsg": EffectPerform, "bind": EffectPerform,
		"fchmod": EffectPerform, "fchown": EffectPerform, "fsetxattr": EffectPerform, "fremovexattr": EffectPerform, "ioctl": EffectPerform, "utimensat": EffectPerform,
		"stat": EffectPerformWrite, "readlink": EffectPerformWrite, "execve": EffectVerify, "execveat": EffectVerify,
		"chdir": EffectPass, "fchdir": EffectPass, "ftruncate": EffectPass, "mmap": EffectPass, "listen": EffectPerform, "accept4": EffectPass,
		"mount": EffectRefuse, "umount2": EffectRefuse, "pivot_root": EffectRefuse, "chroot": EffectRefuse, "swapon": EffectRefuse, "acct": EffectRefuse, "quotactl": EffectRefuse, "uselib": EffectRefuse,
		"socket": EffectNone, "clone": EffectNone, "prctl": EffectNone,
	} {
		nr, ok := Number(event.X8664, name)
		if !ok {
			t.Fatalf("no %s", name)
		}
		if got := Lookup(event.X8664, nr).Effect(); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

// TestVariantsOfOpen goes through all flags: what registers tell is at least what the
// flags mean, whatever is found.
func TestVariantsOfOpen(t *testing.T) {
	nr, _ := Number(event.X8664, "openat")
	variants := Lookup(event.X8664, nr).Variants()
	meanings := []uint64{
		unix.O_RDONLY, unix.O_WRONLY, unix.O_RDWR, unix.O_ACCMODE,
	}
	bits := []uint64{unix.O_CREAT, unix.O_EXCL, unix.O_TRUNC, unix.O_APPEND, unix.O_DIRECTORY, unix.O_TMPFILE &^ unix.O_DIRECTORY, unix.O_PATH, unix.O_NOFOLLOW, unix.O_CLOEXEC, 1 << 40}
	for _, access := range meanings {
		for set := range 1 << len(bits) {
			flags := access
			for i, bit := range bits {
				if set>>i&1 != 0 {
					flags |= bit
				}
			}
			if flags&unix.O_PATH != 0 {
				continue // judged when it is used
			}
			can := Lookup(event.X8664, nr).Classes()
			for _, v := range variants {
				if flags&v.Mask == v.Value {
					can = v.Classes
					break
				}
			}
			for _, mode := range []uint32{unix.S_IFREG, unix.S_IFDIR} {
				for _, created := range []bool{false, flags&unix.O_CREAT != 0} {
					a := event.Access{Op: event.OpOpen, Flags: flags & 0xffffffff, Targets: []event.Target{{Mode: mode, Created: created}}}
					Classify(&a)
					if does := a.Targets[0].Class; does&^can != 0 {
						t.Errorf("an open with %#x does %v, and registers tell of %v", flags, does, can)
					}
				}
			}
		}
	}
}
