package syscalls

import (
	"bufio"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/testenv"
)

func TestName(t *testing.T) {
	for _, tt := range []struct {
		abi  event.ABI
		nr   int32
		want string
	}{
		{event.X8664, 0, "read"},
		{event.X8664, 257, "openat"},
		{event.X8664, 335, "uretprobe"},
		{event.X8664, 452, "fchmodat2"},
		{event.X8664, 1000, "syscall_1000"},
		{event.X8664, -1, "syscall_-1"},
		{event.I386, 20, "getpid"},
		{event.I386, 102, "socketcall"},
		{event.X32, 0, "read"},
		{event.X32, 13, "syscall_13"}, // rt_sigaction of the 64-bit ABI
		{event.X32, 512, "rt_sigaction"},
		{event.X32, 547, "pwritev2"},
		{event.ARM64, 56, "openat"},
		{event.ARM64, 79, "newfstatat"},
		{event.ARM64, 244, "syscall_244"}, // where the calls of an architecture begin
		{event.ARM, 0, "restart_syscall"},
		{event.ARM, 5, "open"},
		{event.ARM, 0x0f0002, "cacheflush"},
		{event.ARM, 0x0f0007, "syscall_983047"},
		{event.ABIUnknown, 1, "syscall_1"},
	} {
		if got := Name(tt.abi, tt.nr); got != tt.want {
			t.Errorf("Name(%v, %d) = %q, want %q", tt.abi, tt.nr, got, tt.want)
		}
	}
}

func TestNumberIsInverseOfKnown(t *testing.T) {
	for _, abi := range event.ABIs() {
		all := All(abi)
		if len(all) < 300 {
			t.Errorf("%v has %d calls", abi, len(all))
		}
		for _, nr := range all {
			name, ok := Known(abi, nr)
			if !ok {
				t.Errorf("%v: no name for %d", abi, nr)
			}
			if got, ok := Number(abi, name); !ok || got != nr {
				t.Errorf("%v: %q is %d and %d", abi, name, nr, got)
			}
		}
	}
}

// TestNamesOfKernelHeaders compares the tables with the headers of the C library,
// which come from a kernel of another age: what they have, the tables must have.
func TestNamesOfKernelHeaders(t *testing.T) {
	define := regexp.MustCompile(`^#define __NR_(\w+) (?:\(__X32_SYSCALL_BIT \+ )?(\d+)`)
	for abi, file := range map[event.ABI]string{
		event.X8664: "/usr/include/x86_64-linux-gnu/asm/unistd_64.h",
		event.I386:  "/usr/include/x86_64-linux-gnu/asm/unistd_32.h",
		event.X32:   "/usr/include/x86_64-linux-gnu/asm/unistd_x32.h",
	} {
		t.Run(abi.String(), func(t *testing.T) {
			f, err := os.Open(file)
			if err != nil {
				testenv.Lack(t, "no "+file+" (package linux-libc-dev)")
			}
			defer f.Close()
			n := 0
			for s := bufio.NewScanner(f); s.Scan(); {
				m := define.FindStringSubmatch(s.Text())
				if m == nil {
					continue
				}
				n++
				want, err := strconv.Atoi(m[2])
				if err != nil {
					t.Fatal(err)
				}
				if nr, ok := Number(abi, m[1]); !ok || nr != int32(want) {
					t.Errorf("%s is %d in the header, %d (%v) here", m[1], want, nr, ok)
				}
			}
			if n < 300 {
				t.Errorf("only %d calls found in %s", n, file)
			}
		})
	}
}

// TestNamesOfLibseccomp compares the tables of the ABIs of ARM with those of
// libseccomp.
func TestNamesOfLibseccomp(t *testing.T) {
	testenv.Program(t, "scmp_sys_resolver")
	for abi, arch := range map[event.ABI]string{event.ARM64: "aarch64", event.ARM: "arm"} {
		t.Run(arch, func(t *testing.T) {
			same := 0
			for _, nr := range All(abi) {
				out, err := exec.Command("scmp_sys_resolver", "-a", arch, strconv.Itoa(int(nr))).Output()
				if err != nil {
					t.Fatal(err)
				}
				theirs := strings.TrimSpace(string(out))
				if theirs == "UNKNOWN" {
					continue // newer than that libseccomp
				}
				if ours := Name(abi, nr); ours != theirs {
					t.Errorf("%d is %q here and %q in libseccomp", nr, ours, theirs)
				}
				same++
			}
			if same < 290 {
				t.Errorf("only %d calls compared", same)
			}
		})
	}
}
