package trace

import "github.com/turnstile-project/turnstile/internal/event"

// part is a set of the sections that a loss can leave incomplete.
type part uint8

const (
	syscallPart part = 1 << iota
	processPart
	filePart
	socketPart
	everyPart = syscallPart | processPart | filePart | socketPart
)

// lossOf says for each loss under which name the document counts it, and which
// sections may lack a fact because of it.
var lossOf = map[event.Loss]struct {
	name  string
	parts part
}{
	event.LossRingbufProcess: {"ringbuf", processPart | filePart}, // a program is a file
	event.LossRingbufFile:    {"ringbuf", filePart},
	event.LossRingbufSocket:  {"ringbuf", socketPart | filePart}, // a unix socket may be one
	event.LossRingbufCall:    {"ringbuf", 0},                     // a streamed call: it is counted all the same
	event.LossPath:           {"unreadable", filePart},
	event.LossAddress:        {"unreadable", socketPart | filePart},
	event.LossArgument:       {"unreadable", syscallPart},
	event.LossArgv:           {"argv", processPart},
	event.LossDeepPath:       {"deep_path", filePart},
	event.LossMapCalls:       {"map_full", syscallPart},
	event.LossMapErrors:      {"map_full", syscallPart},
	event.LossMapArguments:   {"map_full", syscallPart},
	event.LossUntracked:      {"untracked", everyPart},
	event.LossMissed:         {"missed", everyPart},
	event.LossIOUring:        {"io_uring", filePart | socketPart},
	event.LossForbidden:      {"forbidden", everyPart},
	event.LossUndecoded:      {"undecoded", everyPart},
}

func (r *Recorder) losses() map[string]uint64 {
	lost := make(map[string]uint64, len(lossOf))
	for loss, l := range lossOf {
		lost[l.name] += r.lost[loss]
	}
	return lost
}

func (r *Recorder) complete() Complete {
	var hurt part
	if r.options.Gate {
		hurt = everyPart
	}
	for loss, n := range r.lost {
		if n != 0 {
			hurt |= lossOf[loss].parts
		}
	}
	c := Complete{Syscalls: hurt&syscallPart == 0, Processes: hurt&processPart == 0}
	if r.options.Files {
		ok := hurt&filePart == 0
		c.Files = &ok
	}
	if r.options.Sockets {
		ok := hurt&socketPart == 0
		c.Sockets = &ok
	}
	return c
}
