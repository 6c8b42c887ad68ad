package emit

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	moby "github.com/moby/profiles/seccomp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"go.yaml.in/yaml/v4"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/profile"
	"github.com/turnstile-project/turnstile/internal/profile/baseline"
	"github.com/turnstile-project/turnstile/internal/seccomp"
	"github.com/turnstile-project/turnstile/internal/syscalls"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// namesIn are the names that an output of a format with names allows.
var namesIn = map[*Format]func(t testing.TB, out []byte) []string{
	&oci: func(t testing.TB, out []byte) []string {
		var s specs.LinuxSeccomp
		if err := json.Unmarshal(out, &s); err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, r := range s.Syscalls {
			names = append(names, r.Names...)
		}
		return names
	},
	&docker: func(t testing.TB, out []byte) []string {
		var s moby.Seccomp
		if err := json.Unmarshal(out, &s); err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, r := range s.Syscalls {
			names = append(names, r.Names...)
		}
		return names
	},
	&k8s: func(t testing.TB, out []byte) []string {
		var s seccompProfile
		if err := yaml.Unmarshal(out, &s); err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, r := range s.Spec.Syscalls {
			names = append(names, r.Names...)
		}
		return names
	},
	&systemd: func(_ testing.TB, out []byte) []string {
		var names []string
		for line := range strings.Lines(string(out)) {
			if list, ok := strings.CutPrefix(line, "SystemCallFilter="); ok {
				names = append(names, strings.Fields(list)...)
			}
		}
		return names
	},
}

// numbersIn are the calls, by ABI, that an output of a format with numbers allows.
var numbersIn = map[*Format]func(t testing.TB, out []byte) map[event.ABI][]int32{
	&seccompH: headerNumbers,
	&goSource: func(t testing.TB, out []byte) map[event.ABI][]int32 { return allowedBy(t, goProgram(t, out)) },
	&cbpf:     func(t testing.TB, out []byte) map[event.ABI][]int32 { return allowedBy(t, rawProgram(t, out)) },
}

func headerNumbers(t testing.TB, out []byte) map[event.ABI][]int32 {
	entry := regexp.MustCompile(`^\t\{(?:\{)?(\d+), "`)
	array := regexp.MustCompile(`^static const struct turnstile_(?:call|value) turnstile_(?:calls|values)_(\w+)\[\]`)
	found := make(map[event.ABI][]int32)
	var abi event.ABI
	for line := range strings.Lines(string(out)) {
		line = strings.ReplaceAll(line, "{ {", "{{")
		if m := array.FindStringSubmatch(line); m != nil {
			abi, _ = event.ParseABI(m[1])
		} else if m := entry.FindStringSubmatch(line); m != nil {
			nr, err := strconv.Atoi(m[1])
			if err != nil {
				t.Fatal(err)
			}
			found[abi] = append(found[abi], int32(nr&^profile.NumberLimit))
		}
	}
	return sortedNumbers(found)
}

func goProgram(t testing.TB, out []byte) []bpf.RawInstruction {
	var program []bpf.RawInstruction
	for line := range strings.Lines(string(out)) {
		var i bpf.RawInstruction
		if n, _ := fmt.Sscanf(strings.TrimSpace(line), "{0x%x, %d, %d, 0x%x},", &i.Op, &i.Jt, &i.Jf, &i.K); n == 4 {
			program = append(program, i)
		}
	}
	if len(program) == 0 {
		t.Fatal("no program in the Go source")
	}
	return program
}

func rawProgram(t testing.TB, out []byte) []bpf.RawInstruction {
	if len(out)%8 != 0 {
		t.Fatalf("%d bytes are no array of struct sock_filter", len(out))
	}
	var program []bpf.RawInstruction
	for i := range slices.Chunk(out, 8) {
		program = append(program, bpf.RawInstruction{
			Op: binary.NativeEndian.Uint16(i), Jt: i[2], Jf: i[3], K: binary.NativeEndian.Uint32(i[4:]),
		})
	}
	return program
}

// probes are all numbers that may matter, known ones and others.
func probes(abi event.ABI) []uint32 {
	var numbers []uint32
	for nr := range syscalls.Limit(abi) + 200 {
		numbers = append(numbers, nr)
	}
	for nr := uint32(0x0f0000); nr < 0x0f0010; nr++ {
		numbers = append(numbers, nr)
	}
	return append(numbers, 999, 0x3fffffff, 0x7fffffff&^profile.NumberLimit, 1<<31, 1<<32-1)
}

// allowedBy are the calls that a program allows with all arguments zero.
func allowedBy(t testing.TB, program []bpf.RawInstruction) map[event.ABI][]int32 {
	s, err := seccomp.NewSimulator(program)
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[event.ABI][]int32)
	for abi, id := range filterABI {
		for _, nr := range probes(abi) {
			if id.X32 && nr < profile.NumberLimit {
				nr |= profile.NumberLimit
			}
			if id == seccomp.X8664 && nr&profile.NumberLimit != 0 {
				continue
			}
			a, err := s.Action(seccomp.Data{Nr: nr, Arch: id.Arch})
			if err != nil {
				t.Fatal(err)
			}
			if a == seccomp.Allow {
				found[abi] = append(found[abi], int32(nr&^profile.NumberLimit))
			}
		}
	}
	return sortedNumbers(found)
}

func sortedNumbers(found map[event.ABI][]int32) map[event.ABI][]int32 {
	for abi, numbers := range found {
		slices.Sort(numbers)
		found[abi] = slices.Compact(numbers)
	}
	return found
}

// everything is a trace with every call of these ABIs.
func everything(abis ...event.ABI) *trace.Document {
	d := document()
	d.Host.Arch = abis[0].String()
	for _, abi := range abis {
		for _, nr := range syscalls.All(abi) {
			d.Syscalls = append(d.Syscalls, &trace.Syscall{Name: syscalls.Name(abi, nr), Nr: nr, ABI: abi.String(), Count: 1})
		}
	}
	return d
}

// wantNames and wantNumbers are the calls of a profile.
func wantNames(p *profile.Profile) []string {
	names := make(map[string]bool)
	for _, c := range p.Calls {
		names[c.Name] = true
	}
	return slices.Sorted(maps.Keys(names))
}

func wantNumbers(p *profile.Profile) map[event.ABI][]int32 {
	found := make(map[event.ABI][]int32)
	for _, c := range p.Calls {
		found[c.ABI] = append(found[c.ABI], c.Nr)
	}
	return sortedNumbers(found)
}

// checkReadBack writes a profile in every format and reads it again: the calls in it are
// those of the profile.
func checkReadBack(t *testing.T, in *Input) {
	t.Helper()
	for f, read := range namesIn {
		got := read(t, written(t, f, in))
		slices.Sort(got)
		if f == &docker {
			got = slices.Compact(got) // a name has a rule for each machine
		}
		if diff := cmp.Diff(wantNames(in.Profile), got); diff != "" {
			t.Errorf("%s: -profile +output\n%s", f.Name, diff)
		}
	}
	for f, read := range numbersIn {
		if diff := cmp.Diff(wantNumbers(in.Profile), read(t, written(t, f, in))); diff != "" {
			t.Errorf("%s: -profile +output\n%s", f.Name, diff)
		}
	}
}

func TestEveryNameOfEveryTable(t *testing.T) {
	for _, abi := range event.ABIs() {
		t.Run(abi.String(), func(t *testing.T) {
			if abi == event.X32 {
				checkReadBack(t, inputOf(t, everything(event.X8664, event.X32), profile.Options{}))
				return
			}
			checkReadBack(t, inputOf(t, everything(abi), profile.Options{}))
		})
	}
	t.Run("all", func(t *testing.T) { checkReadBack(t, inputOf(t, everything(event.ABIs()...), profile.Options{})) })
}

// TestNothingButSeenAlwaysAndBaselines is about what profiles may have at most.
func TestNothingButSeenAlwaysAndBaselines(t *testing.T) {
	d := document(seen(t, event.X8664, "read"), seen(t, event.X8664, "openat"), seen(t, event.X8664, "getpid"))
	for _, tt := range []struct {
		name    string
		options profile.Options
	}{
		{"nothing else", profile.Options{}},
		{"always", profile.Options{Always: profile.DefaultAlways}},
		{"runc", profile.Options{Baselines: baseline.For("runc")}},
		{"runc and crun, no_new_privs", profile.Options{Baselines: append(baseline.For("runc"), baseline.For("crun")...), NoNewPrivileges: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want := []string{"getpid", "openat", "read"}
			for _, name := range tt.options.Always {
				if _, ok := syscalls.Number(event.X8664, name); ok {
					want = append(want, name)
				}
			}
			for _, b := range tt.options.Baselines {
				want = append(want, b.Calls(baseline.Situation{NoNewPrivileges: tt.options.NoNewPrivileges})...)
			}
			slices.Sort(want)
			in := inputOf(t, d, tt.options)
			if diff := cmp.Diff(slices.Compact(want), wantNames(in.Profile)); diff != "" {
				t.Errorf("-want +profile\n%s", diff)
			}
			checkReadBack(t, in)
		})
	}
}

// TestFilterOverAllCalls asks a filter with arguments about every call of every ABI, with
// values that were seen and values that were not.
func TestFilterOverAllCalls(t *testing.T) {
	in := inputOf(t, mixed(t), profile.Options{Args: true, Default: profile.Action{Kind: profile.Errno, Errno: unix.ENOSYS}})
	s, err := seccomp.NewSimulator(rawProgram(t, written(t, &cbpf, in)))
	if err != nil {
		t.Fatal(err)
	}
	values := []uint64{0, 1, 2, 3, 16, 0x5401, 0x5402, 0x80045430, 0xdead_0000_0001, 0xffffffff_80045430}
	asked, allowed := 0, 0
	for abi, id := range filterABI {
		for _, nr := range probes(abi) {
			if id.X32 {
				nr |= profile.NumberLimit
			}
			for _, v := range values {
				d := seccomp.Data{Nr: nr, Arch: id.Arch, Args: [6]uint64{v, v, v, v, v, v}}
				got, err := s.Action(d)
				if err != nil {
					t.Fatal(err)
				}
				want := seccomp.Errno(unix.ENOSYS)
				if allows(in.Profile, abi, int32(nr&^profile.NumberLimit), v) && (id.X32 || nr < profile.NumberLimit) {
					want = seccomp.Allow
					allowed++
				}
				if asked++; got != want {
					t.Fatalf("call %d of %v with %#x: %v, want %v", nr, abi, v, got, want)
				}
			}
		}
	}
	// AUDIT_ARCH_RISCV64 is in no table.
	if got, err := s.Action(seccomp.Data{Nr: 63, Arch: 0xc00000f3}); err != nil || got != seccomp.Errno(unix.ENOSYS) {
		t.Errorf("read of riscv64: %v (%v)", got, err)
	}
	if allowed < 40 || asked < 20_000 {
		t.Errorf("only %d calls asked for, %d allowed", asked, allowed)
	}
}

func allows(p *profile.Profile, abi event.ABI, nr int32, value uint64) bool {
	for _, c := range p.Calls {
		if c.ABI == abi && c.Nr == nr {
			return c.Values == nil || slices.Contains(c.Values.Of, uint64(uint32(value)))
		}
	}
	return false
}

func TestOutputIsTheSameEachTime(t *testing.T) {
	for _, f := range []*Format{&oci, &docker, &k8s, &systemd, &seccompH, &goSource, &cbpf} {
		in := inputOf(t, everything(event.ABIs()...), profile.Options{Always: profile.DefaultAlways})
		first := written(t, f, in)
		for range 3 {
			if !bytes.Equal(first, written(t, f, inputOf(t, everything(event.ABIs()...), profile.Options{Always: profile.DefaultAlways}))) {
				t.Errorf("%s differs from one time to the next", f.Name)
			}
		}
	}
}
