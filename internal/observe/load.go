package observe

import (
	"cmp"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/kernel"
	"github.com/turnstile-project/turnstile/internal/syscalls"
)

// MaxTasks is the most that [Options.Tasks] can be: slots have 16-bit numbers.
const MaxTasks = maxSlots - sharedSlot - 1

const (
	pidBlock   = 2048   // PID_BLOCK, bpf/maps.h
	sharedSlot = 1      // SLOT_SHARED
	maxSlots   = 0xfffe // SLOT_LAUNCHER is 0xffff
)

// loaded is what is in the kernel: maps, programs, and where those are to be hooked.
type loaded struct {
	*ebpf.Collection
	hooks hooks
}

// load makes the maps and programs that o asks for, with all that the programs need
// to know set in them.
func load(o *Options, bell doorbell) (*loaded, error) {
	types := btf.NewCache()
	if o.KernelTypes == nil {
		// Side by side with the rest of the start. An error comes again
		// when the programs need the types.
		go func() { _, _ = types.Kernel() }()
	}
	spec, err := loadBpf()
	if err != nil {
		return nil, fmt.Errorf("reading the embedded eBPF object: %w", err)
	}
	features := kernel.Probe(kernel.TaskBTF, kernel.Loop)
	defer kernel.RaiseMemlock()()
	caller, err := currentCaller()
	if err != nil {
		return nil, err
	}
	pidMax, err := pidMax(caller.pidNamespace)
	if err != nil {
		return nil, err
	}
	cpus, err := ebpf.PossibleCPU()
	if err != nil {
		return nil, fmt.Errorf("counting CPUs: %w", err)
	}

	slots := slotCount(o, cpus)
	ring := ringBytes(o)
	resize(spec, map[string]int{
		bpfMapPids:       pidMax/pidBlock + 1,
		bpfMapTasks:      slots,
		bpfMapCounts:     slots,
		bpfMapFreeSlots:  slots,
		bpfMapEndedSlots: slots,
		bpfMapScratches:  cpus * int(bpfScratchUserSCRATCH_USERS),
		bpfMapRing:       ring,
	})
	if o.results() {
		resize(spec, map[string]int{bpfMapFolds: foldSets(cpus) * cpus})
	}
	if !features.Has(kernel.Loop) {
		withoutCallbacks(spec)
	}
	for name, value := range constantsFor(o, caller, bell, features, ring, cpus) {
		if err := spec.Variables[name].Set(value); err != nil {
			return nil, fmt.Errorf("setting %q: %w", name, err)
		}
	}

	options := ebpf.CollectionOptions{
		Programs: ebpf.ProgramOptions{KernelTypes: o.KernelTypes},
		Cache:    types,
	}
	l, err := loadInto(spec, o, options)
	if err != nil {
		return nil, loadError(err, o)
	}
	return l, nil
}

// loadInto makes and fills the maps, and loads the programs side by side: most of
// the time that takes is the kernel's, which verifies each by itself.
func loadInto(spec *ebpf.CollectionSpec, o *Options, options ebpf.CollectionOptions) (*loaded, error) {
	programs := spec.Programs
	spec.Programs = nil
	coll, err := ebpf.NewCollectionWithOptions(spec, options)
	if err != nil {
		return nil, err
	}
	options.MapReplacements = coll.Maps
	hooks, err := hooksFor(o, options.Cache)
	if err != nil {
		coll.Close()
		return nil, err
	}
	maps.DeleteFunc(programs, func(name string, _ *ebpf.ProgramSpec) bool {
		_, hooked := hooks.of(name)
		return !hooked && (name != bpfProgAdoptTree || o.Tree == 0)
	})

	type verified struct {
		name    string
		program *ebpf.Program
		err     error
	}
	results := make(chan verified)
	// The largest first, which takes longest.
	bySize := func(a, b string) int {
		return cmp.Compare(len(programs[b].Instructions), len(programs[a].Instructions))
	}
	for _, name := range slices.SortedFunc(maps.Keys(programs), bySize) {
		one := spec.Copy()
		one.Programs = map[string]*ebpf.ProgramSpec{name: programs[name]}
		go func() {
			c, err := ebpf.NewCollectionWithOptions(one, options)
			if err != nil {
				results <- verified{name: name, err: err}
				return
			}
			results <- verified{name: name, program: c.DetachProgram(name)}
			c.Close()
		}()
	}
	err = fill(coll.Maps, o)
	for range programs {
		r := <-results
		if h, _ := hooks.of(r.name); r.err != nil && h.optional {
			continue
		}
		if r.err != nil {
			err = errors.Join(err, r.err)
			continue
		}
		coll.Programs[r.name] = r.program
	}
	if err != nil {
		coll.Close()
		return nil, err
	}
	return &loaded{coll, hooks}, nil
}

// fill puts into the maps what the programs expect there.
func fill(in map[string]*ebpf.Map, o *Options) error {
	tasks, freeSlots := in[bpfMapTasks], in[bpfMapFreeSlots]
	shared := bpfTask{State: uint8(bpfTaskStateTASK_FOLLOWED)}
	if err := tasks.Put(uint32(sharedSlot), &shared); err != nil {
		return fmt.Errorf("preparing the shared slot: %w", err)
	}
	for slot := tasks.MaxEntries() - 1; slot > sharedSlot; slot-- {
		if err := freeSlots.Put(nil, slot); err != nil {
			return fmt.Errorf("preparing slot %d: %w", slot, err)
		}
	}
	if o.results() || o.Args {
		return setPlans(in[bpfMapPlans], o)
	}
	return nil
}

// constantsFor are the variables of bpf/maps.h that the programs take as
// constants, so that the kernel drops the code that a run does not need.
func constantsFor(o *Options, c caller, bell doorbell, f kernel.Results, ring, cpus int) map[string]any {
	var seed [4]uint64
	var raw [32]byte
	rand.Read(raw[:])
	for i := range seed {
		seed[i] = binary.NativeEndian.Uint64(raw[8*i:])
	}
	seed[2] |= 1 // the factors must be odd
	seed[3] |= 1
	return map[string]any{
		bpfVarResults:             o.results(),
		bpfVarPlanned:             o.results() || o.Args,
		bpfVarTypedCurrent:        f.Has(kernel.TaskBTF),
		bpfVarHasCallbacks:        f.Has(kernel.Loop), // bpf_find_vma came with it
		bpfVarByCgroup:            o.Cgroup != "",
		bpfVarRestricted:          c.restricted,
		bpfVarCallerUid:           c.uid,
		bpfVarCallerGid:           c.gid,
		bpfVarCallerCaps:          c.caps,
		bpfVarCallerUserNamespace: c.userNamespace,
		bpfVarPidNamespace:        c.pidNamespace,
		bpfVarOwnPid:              uint32(os.Getpid()),
		bpfVarRootPid:             uint32(o.Tree),
		bpfVarDoorbell:            bell,
		bpfVarDoorbellNr:          uint32(unix.SYS_GETPPID),
		bpfVarIoUringEnterNr:      int32(unix.SYS_IO_URING_ENTER),
		bpfVarHashSeed:            seed,
		bpfVarFoldSets:            uint32(foldSets(cpus)),
		bpfVarWakeupBytes:         uint32(max(ring/4/cpus, 16<<10)),
		bpfVarAttributeIoctls:     syscalls.AttributeIoctls,
	}
}

// loadError adds to the kernel's answer what it means. The hint of the library,
// that the memlock limit may be too low, is wrong where the limit is not applied.
func loadError(err error, o *Options) error {
	var except []kernel.ID
	if o.KernelTypes != nil {
		except = append(except, kernel.BTF)
	}
	if missing := kernel.Check(kernel.Observe, except...); missing != nil {
		return missing
	}
	if _, ok := errors.AsType[*ebpf.VerifierError](err); ok {
		return fmt.Errorf("the kernel refuses the eBPF programs: %w\nthis is a defect of Turnstile: please report it with the output of %q", err, "turnstile doctor")
	}
	return fmt.Errorf("loading the eBPF programs: %w", err)
}

func resize(spec *ebpf.CollectionSpec, sizes map[string]int) {
	for name, n := range sizes {
		spec.Maps[name].MaxEntries = uint32(n)
	}
}

// slotCount is how many threads get a slot of their own: room for a large build
// on the machine's CPUs. A slot takes 5 KiB of kernel memory.
func slotCount(o *Options, cpus int) int {
	n := o.Tasks
	if n == 0 {
		n = min(max(2048, 64*cpus), 16384)
	}
	return min(n+sharedSlot+1, maxSlots)
}

// ringBytes is the size of the ring buffer: runs that only count need room for
// the records of processes alone.
func ringBytes(o *Options) int {
	switch {
	case o.RingBytes != 0:
		return o.RingBytes
	case o.All:
		return 8 << 20
	case o.Files || o.Net:
		return 4 << 20
	default:
		return 512 << 10
	}
}

// foldSets is how many sets of folds each CPU has, a power of two: 8 MiB for all,
// and no more than one CPU has use for.
func foldSets(cpus int) int {
	n := 8192
	for n > 256 && n*cpus > 1<<17 {
		n /= 2
	}
	return n
}

// withoutCallbacks takes the addresses of callbacks out of the programs: kernels
// before 5.13 refuse to load such an address even in code that they drop.
func withoutCallbacks(spec *ebpf.CollectionSpec) {
	for _, p := range spec.Programs {
		for i := range p.Instructions {
			ins := &p.Instructions[i]
			if ins.IsLoadOfFunctionPointer() {
				*ins = asm.LoadImm(ins.Dst, 0, asm.DWord).WithMetadata(ins.Metadata).WithReference("")
			}
		}
	}
}

// pidMax is the highest pid of the host. In a pid namespace the file may have a
// limit of that namespace (since 6.14), so there it is the highest possible one.
func pidMax(pidNamespace uint32) (int, error) {
	const (
		file     = "/proc/sys/kernel/pid_max"
		initial  = 0xeffffffc // PROC_PID_INIT_INO, include/linux/proc_ns.h
		possible = 1 << 22    // PID_MAX_LIMIT, include/linux/threads.h
	)
	if pidNamespace != initial {
		return possible, nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return 0, fmt.Errorf("reading the highest pid: %w", err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		return 0, fmt.Errorf("parsing %q: %w", file, err)
	}
	return n, nil
}
