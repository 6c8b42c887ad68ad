package syscalls

import (
	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
)

// Effect is how a gate lets a call happen that it was asked about. A call whose arguments
// are in memory cannot be let through to the kernel, which would read them again.
type Effect uint8

// The effects.
const (
	// EffectNone: the call names nothing that a rule is about.
	EffectNone Effect = iota
	// EffectInject: the gate opens the object and gives the target the descriptor.
	EffectInject
	// EffectPerform: the gate makes the call, on pinned objects.
	EffectPerform
	// EffectPerformWrite: the gate makes the call and writes the result to the
	// memory of the target.
	EffectPerformWrite
	// EffectVerify: the kernel makes the call, since nobody else can, and what came of
	// it is compared with what was judged.
	EffectVerify
	// EffectPass: the kernel makes the call. What it names is judged when it is used.
	EffectPass
	// EffectRefuse: the call goes around the gate, and is refused unless the policy opens
	// its side door.
	EffectRefuse
)

var effectNames = [...]string{"none", "inject", "perform", "perform+write", "verify", "pass", "refuse"}

func (e Effect) String() string { return effectNames[e] }

// effects by operation. refusedCalls are exceptions.
var effects = map[event.Op]Effect{
	event.OpOpen:        EffectInject,
	event.OpMkdir:       EffectPerform,
	event.OpMknod:       EffectPerform,
	event.OpSymlink:     EffectPerform,
	event.OpLink:        EffectPerform,
	event.OpRename:      EffectPerform,
	event.OpUnlink:      EffectPerform,
	event.OpRmdir:       EffectPerform,
	event.OpTruncate:    EffectPerform,
	event.OpStat:        EffectPerformWrite,
	event.OpAccess:      EffectPerform,
	event.OpReadlink:    EffectPerformWrite,
	event.OpGetxattr:    EffectPerformWrite,
	event.OpListxattr:   EffectPerformWrite,
	event.OpStatfs:      EffectPerformWrite,
	event.OpHandle:      EffectPerformWrite,
	event.OpSetxattr:    EffectPerform,
	event.OpRemovexattr: EffectPerform,
	event.OpChmod:       EffectPerform,
	event.OpChown:       EffectPerform,
	event.OpUtime:       EffectPerform,
	event.OpSetflags:    EffectPerform,
	event.OpChdir:       EffectPass,
	event.OpChroot:      EffectRefuse,
	event.OpWatch:       EffectPerform,
	event.OpMount:       EffectRefuse,
	event.OpSwap:        EffectRefuse,
	event.OpAcct:        EffectRefuse,
	event.OpQuota:       EffectRefuse,
	event.OpMapExec:     EffectPass,
	event.OpExec:        EffectVerify,
	event.OpConnect:     EffectPerform,
	event.OpBind:        EffectPerform,
	event.OpSend:        EffectPerform,
	event.OpListen:      EffectPerform,
	event.OpAccept:      EffectPass,
}

// Effect is how a gate lets the call happen.
func (s *Spec) Effect() Effect {
	switch s.Name {
	case "open_by_handle_at", "uselib":
		return EffectRefuse
	case "ftruncate", "ftruncate64":
		return EffectPass // the descriptor was judged when it was opened for writing
	}
	return effects[s.Op]
}

// Classes are all that the call can do, in the words of a policy.
func (s *Spec) Classes() event.Class {
	switch s.Op {
	case event.OpOpen:
		return event.Read | event.Write | event.Create | event.List | event.Stat
	case event.OpSend:
		return event.Connect
	case event.OpListen:
		return event.Bind
	case event.OpRename, event.OpLink:
		// A new name is a new verdict, in every class.
		return event.Read | event.Write | event.Create | event.Delete | event.List | event.Stat | event.Attr | event.Exec | event.Connect | event.Bind
	}
	a := event.Access{Op: s.Op, Targets: make([]event.Target, max(1, len(s.Operands)))}
	Classify(&a)
	var all event.Class
	for i := range a.Targets {
		all |= a.Targets[i].Class
	}
	return all
}

// Variant is what a call can do when an argument, under a mask, has a value.
type Variant struct {
	Arg         uint8
	Mask, Value uint64
	Classes     event.Class
}

// Variants are what registers tell of a call: the first that fits says what it can do.
func (s *Spec) Variants() []Variant {
	switch {
	case s.Op == event.OpOpen && s.flagsArg() >= 0:
		// Flags of open(2) are an int. __O_TMPFILE alone is no valid flag.
		const tmpfile = unix.O_TMPFILE &^ unix.O_DIRECTORY
		const changes = unix.O_CREAT | unix.O_TRUNC | tmpfile
		i := uint8(s.flagsArg())
		return []Variant{
			{Arg: i, Mask: unix.O_PATH, Value: unix.O_PATH}, // judged when it is used
			{i, unix.O_ACCMODE | changes, unix.O_RDONLY, event.Read | event.List},
			{i, unix.O_ACCMODE | changes, unix.O_WRONLY, event.Write},
			{i, unix.O_ACCMODE | changes, unix.O_RDWR, event.Read | event.Write},
			{i, unix.O_ACCMODE | unix.O_CREAT | tmpfile, unix.O_WRONLY, event.Write},
			{i, unix.O_ACCMODE, unix.O_WRONLY, event.Write | event.Create},
		}
	case s.Op == event.OpSetflags:
		// A command is an unsigned int; all others touch nothing that is judged.
		var all []Variant
		for _, command := range AttributeIoctls {
			all = append(all, Variant{1, 0xffffffff, uint64(command), event.Attr})
		}
		return append(all, Variant{})
	case s.Name == "sendto":
		return []Variant{{Arg: 4, Mask: ^uint64(0)}} // no address
	}
	return nil
}

// flagsArg is the argument with the flags, -1 if no register has them.
func (s *Spec) flagsArg() int {
	for i, r := range s.Args {
		if r == Flags {
			return i
		}
	}
	if s.Name == "open" {
		return 1
	}
	return -1
}
