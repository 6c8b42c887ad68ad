package strace

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/syscalls"
)

// argument is one argument of a call.
type argument struct {
	abi   event.ABI
	nr    int32
	index uint8
}

// count counts a call under its number, which depends on the ABI that it was made with. A
// log that strace wrote to a file does not say when that is another one. It shows in a
// call that only one ABI has, and in addresses beyond 32 bits, which most programs have
// among their first calls; until then calls wait.
func (d *reader) count(p *process, c *call) error {
	d.kinds[kindOf(c.name)] = true
	if c.nr >= 0 {
		return d.countNumbered(p, c)
	}
	if p.abi == event.ABIUnknown {
		if abi := d.tellingABI(c); abi != event.ABIUnknown {
			d.settle(p, abi)
		}
	}
	if p.abi == event.ABIUnknown && d.has(d.native, c.name) {
		p.wait(c)
		return nil
	}
	for _, abi := range []event.ABI{p.abi, d.native, d.compat} {
		if d.has(abi, c.name) {
			if abi != p.abi {
				// One thread can use both. Of those that both have some may have
				// been of the other.
				d.lost[lostABI]++
			}
			d.tally(p, abi, c.name, one(c))
			return nil
		}
	}
	return fmt.Errorf("neither %v nor %v has a call %q: the log is of another machine, or of a newer kernel than is known here", d.native, d.compat, c.name)
}

// countNumbered counts a call whose number the log has (strace -n).
func (d *reader) countNumbered(p *process, c *call) error {
	for _, abi := range []event.ABI{p.abi, d.native, d.compat} {
		if abi == event.ABIUnknown {
			continue
		}
		name, known := syscalls.Known(abi, c.nr)
		if name == c.name || !known && strings.HasPrefix(c.name, "syscall_") || isPartOf(name, c.name) {
			if p.abi == event.ABIUnknown && syscalls.Name(d.native, c.nr) != syscalls.Name(d.compat, c.nr) {
				d.settle(p, abi)
			}
			d.tallyNumber(p, abi, c.nr, one(c))
			return nil
		}
	}
	return fmt.Errorf("number %d is not that of a call %q: the log is of another machine", c.nr, c.name)
}

// tellingABI is the ABI that a call proves its program to have, if it does.
func (d *reader) tellingABI(c *call) event.ABI {
	switch native, compat := d.has(d.native, c.name), d.has(d.compat, c.name); {
	case native && !compat:
		return d.native
	case compat && !native:
		return d.compat
	}
	switch c.name {
	case "brk", "mmap", "mremap", "shmat":
		if address, ok := number(c.result); ok && c.errno == 0 && address > 1<<32 {
			return d.native
		}
	}
	return event.ABIUnknown
}

// has says whether an ABI has a call. Some of i386 are one call that is many, which strace
// takes apart.
func (d *reader) has(abi event.ABI, name string) bool {
	if abi == event.ABIUnknown {
		return false
	}
	if _, ok := unknownNumber(name); ok {
		return true
	}
	_, ok := syscalls.Number(abi, name)
	return ok || abi == event.I386 && (slices.Contains(socketCalls, name) || slices.Contains(ipcCalls, name))
}

// unknownNumber is the number of a call that strace has no name for: syscall_0x1f4.
func unknownNumber(name string) (int32, bool) {
	text, ok := strings.CutPrefix(name, "syscall_")
	if !ok {
		return 0, false
	}
	nr, err := strconv.ParseUint(text, 0, 31)
	return int32(nr), err == nil
}

// The calls that socketcall(2) and ipc(2) of i386 stand for.
var (
	socketCalls = []string{
		"accept", "accept4", "bind", "connect", "getpeername", "getsockname", "getsockopt", "listen", "recv", "recvfrom",
		"recvmmsg", "recvmsg", "send", "sendmmsg", "sendmsg", "sendto", "setsockopt", "shutdown", "socket", "socketpair",
	}
	ipcCalls = []string{
		"msgctl", "msgget", "msgrcv", "msgsnd", "semctl", "semget", "semop", "semtimedop", "shmat", "shmctl", "shmdt", "shmget",
	}
)

// isPartOf says whether a call of i386 stands for another one.
func isPartOf(whole, name string) bool {
	return whole == "socketcall" && slices.Contains(socketCalls, name) || whole == "ipc" && slices.Contains(ipcCalls, name)
}

// one is a call that waits for nothing.
func one(c *call) *pendingCalls {
	w := &pendingCalls{}
	w.add(c)
	return w
}

// wait keeps a call until the ABI is known.
func (p *process) wait(c *call) {
	if p.pending == nil {
		p.pending = make(map[string]*pendingCalls)
	}
	w := p.pending[c.name]
	if w == nil {
		w = &pendingCalls{}
		p.pending[c.name] = w
	}
	w.add(c)
}

func (w *pendingCalls) add(c *call) {
	w.count++
	if c.errno != 0 {
		if w.errors == nil {
			w.errors = make(map[event.Errno]uint64)
		}
		w.errors[c.errno]++
	}
	for _, v := range selectors(c) {
		if w.values == nil {
			w.values = make(map[argumentValue]bool)
		}
		if len(w.values) >= maxPendingValues {
			v = argumentValue{index: v.index}
		}
		w.values[v] = true
	}
}

// settle says what the ABI of a process is, or that it was never seen.
func (d *reader) settle(p *process, abi event.ABI) {
	if abi == event.ABIUnknown {
		if p.abi != event.ABIUnknown || len(p.pending) == 0 {
			return
		}
		d.lost[lostABI]++
		abi = d.native
	}
	p.abi = abi
	waiting := p.pending
	p.pending = nil
	for name, w := range waiting {
		if d.has(abi, name) {
			d.tally(p, abi, name, w)
		} else {
			d.lost[lostABI] += w.count
			d.tally(p, d.native, name, w)
		}
	}
}

// tally counts calls under the number of a name.
func (d *reader) tally(p *process, abi event.ABI, name string, w *pendingCalls) {
	nr, ok := unknownNumber(name)
	if !ok {
		nr, ok = syscalls.Number(abi, name)
	}
	if abi == event.I386 {
		whole := "ipc"
		if slices.Contains(socketCalls, name) {
			whole = "socketcall"
		}
		if isPartOf(whole, name) {
			if ok {
				d.lost[lostMultiplexed] += w.count // either could have been made
			} else {
				nr, _ = syscalls.Number(abi, whole)
			}
		}
	}
	d.tallyNumber(p, abi, nr, w)
}

func (d *reader) tallyNumber(p *process, abi event.ABI, nr int32, w *pendingCalls) {
	c := event.Call{ABI: abi, Nr: nr}
	d.rec.Tally(&event.Tally{Kind: event.TallyCalls, Process: &p.Process, Call: c, Count: w.count})
	for errno, n := range w.errors {
		d.rec.Tally(&event.Tally{Kind: event.TallyErrors, Call: c, Errno: errno, Count: n})
	}
	for v := range w.values {
		if name, _ := syscalls.Known(abi, nr); isPartOf(name, "socket") || isPartOf(name, "shmget") {
			continue // its arguments are in memory
		}
		if v.known {
			d.rec.Tally(&event.Tally{Kind: event.TallyArgument, Call: c, Index: v.index, Value: v.value, Count: 1})
		} else {
			d.unknownArgs[argument{abi, nr, v.index}] = true
		}
	}
}

// selectors are the arguments of a call that decide what it does.
func selectors(c *call) []argumentValue {
	spec := specNamed(c.name)
	if spec == nil {
		return nil
	}
	var values []argumentValue
	for i, role := range spec.Args {
		var v argumentValue
		switch role {
		case syscalls.Selector, syscalls.Prot:
			v.value, v.known = c.number(i)
			v.value = uint64(uint32(v.value))
		case syscalls.CloneArgs:
			flags, _ := field(c.arg(i), "flags")
			v.value, v.known = number(flags)
		default:
			continue
		}
		v.index = uint8(i)
		values = append(values, v)
	}
	return values
}

// specNamed is what is known of the arguments of a call, as strace writes them: those of
// 32-bit programs like those of others.
func specNamed(name string) *syscalls.Spec {
	for _, abi := range []event.ABI{event.X8664, event.I386, event.ARM64, event.ARM} {
		if nr, ok := syscalls.Number(abi, name); ok {
			return syscalls.Lookup(abi, nr)
		}
	}
	return nil
}

// arg is an argument of a call, "" if it has no such one.
func (c *call) arg(i int) string {
	if c.name == "clone" { // by name, in another order
		for _, a := range c.args {
			if flags, ok := strings.CutPrefix(a, "flags="); ok && i == 0 {
				return flags
			}
		}
	}
	if i >= len(c.args) {
		return ""
	}
	return c.args[i]
}

// number is an argument that is a number.
func (c *call) number(i int) (uint64, bool) { return number(c.arg(i)) }
