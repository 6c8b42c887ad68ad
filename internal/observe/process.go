package observe

import (
	"github.com/turnstile-project/turnstile/internal/event"
)

// process is what the source knows of a followed process.
type process struct {
	event.Process
	comm   []byte // raw bytes of Process.Comm, to see when it changes
	told   bool   // an event said that it is there
	ended  bool
	status int32
}

// processes are the followed processes that have not been forgotten, by identity.
type processes map[event.ProcessID]*process

func identity(p bpfProcess) event.ProcessID {
	return event.ProcessID{PID: int32(p.Pid), Start: p.Start}
}

// get is the process of that identity; one that is new, because the record of its
// beginning was lost or has not come yet, is added.
func (ps processes) get(id event.ProcessID) *process {
	p := ps[id]
	if p == nil {
		p = &process{Process: event.Process{ID: id}}
		ps[id] = p
	}
	return p
}

// setComm renames p. Most events come from a process whose name is known, so the
// string is made only when it changes.
func (p *process) setComm(raw []byte) {
	if string(p.comm) != string(raw) {
		p.comm = append(p.comm[:0], raw...)
		p.Comm = string(raw)
	}
}

// begin sets what is known of a process when it is first seen.
func (ps processes) begin(p *process, parent event.ProcessID, uid uint32) {
	p.Parent = parent
	p.UID = uid
	if p.Exe == "" {
		if pp := ps[parent]; pp != nil {
			p.Exe = pp.Exe
		}
	}
}
