package seccomp

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/testenv"
)

func program(t *testing.T, f *Filter) []bpf.RawInstruction {
	t.Helper()
	code, err := f.Program()
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// simulate returns what the kernel would do with a call.
func simulate(t *testing.T, code []bpf.RawInstruction) func(Data) Action {
	t.Helper()
	s, err := NewSimulator(code)
	if err != nil {
		t.Fatal(err)
	}
	return func(d Data) Action {
		t.Helper()
		a, err := s.Action(d)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
}

// sample is like what a gate installs: some calls are notified, one of them not if its
// flags only read.
func sample() *Filter {
	const reads = unix.O_ACCMODE | unix.O_CREAT | unix.O_TRUNC
	return &Filter{
		Tables: []Table{{
			ABI: X8664, Default: Allow, Limit: 472, Unknown: Errno(unix.ENOSYS),
			Rules: map[uint32][]Rule{
				2:   {{Conditions: []Condition{{1, reads, unix.O_RDONLY}}, Action: Allow}, {Action: Notify}},
				257: {{Conditions: []Condition{{2, reads, unix.O_RDONLY}}, Action: Allow}, {Action: Notify}},
				437: {{Action: Notify}},
				425: {{Action: Errno(unix.ENOSYS)}},
			},
		}, {
			ABI: ARM64, Default: Allow, Limit: 472, Unknown: Errno(unix.ENOSYS),
			Rules: map[uint32][]Rule{56: {{Action: Notify}}},
		}},
		Other: Errno(unix.EPERM),
	}
}

func TestSample(t *testing.T) {
	run := simulate(t, program(t, sample()))
	for _, tt := range []struct {
		name string
		d    Data
		want Action
	}{
		{"read", Data{Nr: 0, Arch: X8664.Arch}, Allow},
		{"open to read", Data{Nr: 2, Arch: X8664.Arch, Args: [6]uint64{0, unix.O_RDONLY | unix.O_CLOEXEC}}, Allow},
		{"open to write", Data{Nr: 2, Arch: X8664.Arch, Args: [6]uint64{0, unix.O_WRONLY}}, Notify},
		{"open to truncate", Data{Nr: 2, Arch: X8664.Arch, Args: [6]uint64{0, unix.O_TRUNC}}, Notify},
		{"the upper half of flags", Data{Nr: 2, Arch: X8664.Arch, Args: [6]uint64{0, 1 << 32}}, Allow},
		{"openat2", Data{Nr: 437, Arch: X8664.Arch}, Notify},
		{"io_uring_setup", Data{Nr: 425, Arch: X8664.Arch}, Errno(unix.ENOSYS)},
		{"the last known number", Data{Nr: 471, Arch: X8664.Arch}, Allow},
		{"the first unknown number", Data{Nr: 472, Arch: X8664.Arch}, Errno(unix.ENOSYS)},
		{"the highest number", Data{Nr: 0xffffffff, Arch: X8664.Arch}, Errno(unix.EPERM)}, // x32 by bit 30
		{"bit 31", Data{Nr: 0x80000002, Arch: X8664.Arch}, Errno(unix.ENOSYS)},
		{"x32", Data{Nr: x32Bit | 2, Arch: X8664.Arch}, Errno(unix.EPERM)},
		{"i386", Data{Nr: 5, Arch: I386.Arch}, Errno(unix.EPERM)},
		{"openat of arm64", Data{Nr: 56, Arch: ARM64.Arch}, Notify},
		{"bit 30 of arm64", Data{Nr: x32Bit, Arch: ARM64.Arch}, Errno(unix.ENOSYS)},
	} {
		if got := run(tt.d); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// random makes a filter of many calls with rules of several conditions.
func random(r *rand.Rand) *Filter {
	actions := []Action{Allow, Log, Notify, Errno(unix.EPERM), Errno(unix.ENOSYS), KillProcess}
	action := func() Action { return actions[r.IntN(len(actions))] }
	f := &Filter{Other: action()}
	for _, abi := range []ABI{X8664, X32, I386, ARM64} {
		if r.IntN(3) == 0 {
			continue
		}
		table := Table{ABI: abi, Default: action(), Unknown: action(), Limit: 1 + r.Uint32N(600), Rules: map[uint32][]Rule{}}
		for range r.IntN(40) {
			var rules []Rule
			for range 1 + r.IntN(3) {
				rule := Rule{Action: action()}
				for range r.IntN(3) {
					mask := []uint64{7, 0xffffffff, 7 << 32, 7<<32 | 7, ^uint64(0)}[r.IntN(5)] & (r.Uint64() | 0xffffffff)
					rule.Conditions = append(rule.Conditions, Condition{uint8(r.IntN(6)), mask, r.Uint64() & 0x700000007 & r.Uint64()})
				}
				rules = append(rules, rule)
			}
			table.Rules[r.Uint32N(table.Limit)] = rules
		}
		f.Tables = append(f.Tables, table)
	}
	r.Shuffle(len(f.Tables), func(i, j int) { f.Tables[i], f.Tables[j] = f.Tables[j], f.Tables[i] })
	return f
}

// The program of a filter does what the filter says: for all numbers of all ABIs around
// its limits, and with arguments that its conditions look at.
func TestProgramIsFilter(t *testing.T) {
	longest := 0
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		f := random(r)
		code := program(t, f)
		run := simulate(t, code)
		longest = max(longest, len(code))
		for _, arch := range []uint32{X8664.Arch, I386.Arch, ARM64.Arch, ARM.Arch, 0, ^uint32(0)} {
			for _, base := range []uint32{0, x32Bit, 2 * x32Bit, 3 * x32Bit} {
				for nr := range uint32(610) {
					d := Data{Nr: base + nr, Arch: arch}
					for i := range d.Args {
						d.Args[i] = r.Uint64() & r.Uint64() & 0x700000007
					}
					if got, want := run(d), f.Action(d); got != want {
						t.Fatalf("seed %d: %+v: %v, want %v", seed, d, got, want)
					}
				}
			}
		}
	}
	if longest < 1000 {
		t.Errorf("the longest program has %d instructions: too short to need a jump over more than 255", longest)
	}
}

// TestLongestRule: a rule with as many conditions as may be is jumped over.
func TestLongestRule(t *testing.T) {
	conditions := make([]Condition, maxConditions)
	for i := range conditions {
		conditions[i] = Condition{Arg: uint8(i % 6), Mask: 1<<63 - 1, Value: 1<<32 | 1}
	}
	f := &Filter{Tables: []Table{{ABI: ARM64, Limit: 1, Default: Notify, Rules: map[uint32][]Rule{0: {{conditions, Allow}}}}}}
	run := simulate(t, program(t, f))
	const yes = 1<<32 | 1
	for _, args := range [][6]uint64{{}, {yes, yes, yes, yes, yes, yes}, {yes, yes, yes, yes, yes, 1}, {0, yes, yes, yes, yes, yes}} {
		d := Data{Arch: ARM64.Arch, Args: args}
		if got, want := run(d), f.Action(d); got != want {
			t.Errorf("%#x: %v, want %v", args, got, want)
		}
	}
}

// TestRulesAddUp: many rules of several conditions make a program that is as long as they
// are together.
func TestRulesAddUp(t *testing.T) {
	var rules []Rule
	for i := range uint64(100) {
		rules = append(rules, Rule{[]Condition{{0, ^uint64(0), i}, {1, ^uint64(0), i}, {2, ^uint64(0), i}}, Action(i)})
	}
	code := program(t, &Filter{Tables: []Table{{ABI: ARM64, Limit: 1, Rules: map[uint32][]Rule{0: rules}}}})
	if want := 100*13 + 20; len(code) > want {
		t.Errorf("%d instructions, want at most %d", len(code), want)
	}
}

func TestProgramErrors(t *testing.T) {
	huge := Table{ABI: ARM64, Limit: 9000, Rules: map[uint32][]Rule{}}
	for nr := range uint32(9000) {
		huge.Rules[nr] = []Rule{{Action: Errno(unix.Errno(1 + nr%2))}}
	}
	for name, f := range map[string]*Filter{
		"two tables for one ABI":         {Tables: []Table{{ABI: X8664, Limit: 1}, {ABI: X8664, Limit: 1}}},
		"rules beyond the limit":         {Tables: []Table{{ABI: X8664, Limit: 1, Rules: map[uint32][]Rule{1: {{}}}}}},
		"a limit in the numbers of x32":  {Tables: []Table{{ABI: X8664, Limit: x32Bit + 1}}},
		"more than the kernel will take": {Tables: []Table{huge}},
		"more conditions than a jump can skip": {Tables: []Table{{ABI: ARM64, Limit: 1, Rules: map[uint32][]Rule{
			0: {{Conditions: make([]Condition, maxConditions+1)}},
		}}}},
	} {
		if _, err := f.Program(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// The kernel takes a program, and does what the simulation says.
func TestKernelRunsProgram(t *testing.T) {
	native := map[string]ABI{"amd64": X8664, "arm64": ARM64}[runtime.GOARCH]
	// A long filter with the numbers of interest at both ends.
	f := &Filter{Other: KillProcess, Tables: []Table{{ABI: native, Default: Allow, Limit: 4000, Unknown: Errno(unix.ENOSYS), Rules: map[uint32][]Rule{}}}}
	table := &f.Tables[0]
	for nr := uint32(1000); nr < 2000; nr++ {
		table.Rules[nr] = []Rule{{Action: Errno(unix.Errno(1 + nr%100))}}
	}
	table.Rules[3999] = []Rule{
		{Conditions: []Condition{{2, ^uint64(0), 5<<32 | 9}}, Action: Errno(unix.ENOLINK)},
		{Conditions: []Condition{{0, 7, 3}, {5, 0xffffffff, 0xdeadbeef}}, Action: Errno(unix.EXDEV)},
		{Conditions: []Condition{{1, 1, 0}}, Action: Errno(unix.ELOOP)},
		{Action: Errno(unix.EDOM)},
	}
	code := program(t, f)
	type call struct {
		nr   uintptr
		args [6]uint64
	}
	calls := []call{{nr: 4000}, {nr: 70000}, {nr: 3999}}
	for nr := uintptr(1000); nr < 2000; nr++ {
		calls = append(calls, call{nr: nr})
	}
	for _, c := range []uint64{5<<32 | 9, 9, 5 << 32, 1<<63 | 5<<32 | 9} {
		calls = append(calls, call{3999, [6]uint64{1, 1, c}})
	}
	for _, a := range []uint64{0, 3, 11, 1<<32 | 3} {
		for _, b := range []uint64{0, 1, 1 << 32} {
			for _, e := range []uint64{0, 0xdeadbeef, 0x1deadbeef} {
				calls = append(calls, call{3999, [6]uint64{a, b, 0, 0, 0, e}})
			}
		}
	}
	got := make([]unix.Errno, len(calls))
	errs := make(chan error)
	go func() {
		runtime.LockOSThread() // the thread ends with its filter
		err := install(code)
		for i, c := range calls {
			if err == nil {
				_, _, got[i] = unix.RawSyscall6(c.nr, uintptr(c.args[0]), uintptr(c.args[1]), uintptr(c.args[2]), uintptr(c.args[3]), uintptr(c.args[4]), uintptr(c.args[5]))
			}
		}
		errs <- err
	}()
	if err := <-errs; err != nil {
		testenv.Lack(t, err.Error())
	}
	run := simulate(t, code)
	for i, c := range calls {
		d := Data{Nr: uint32(c.nr), Arch: native.Arch, Args: c.args}
		if want := run(d); Errno(got[i]) != want {
			t.Errorf("%+v: the kernel says %v, want %v", c, got[i], want)
		}
	}
}

// install puts a program around the calling thread.
func install(code []bpf.RawInstruction) error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("giving up privileges: %w", err)
	}
	filter := unix.SockFprog{Len: uint16(len(code)), Filter: (*unix.SockFilter)(unsafe.Pointer(&code[0]))}
	if _, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&filter))); errno != 0 {
		return fmt.Errorf("installing seccomp filter: %w", errno)
	}
	return nil
}
