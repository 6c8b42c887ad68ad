package trace

import (
	"time"

	"github.com/turnstile-project/turnstile/internal/event"
)

// Version of the document that this package writes and reads.
const Version = 1

// Document is one trace. Strings that come from the target are bytes in no
// particular encoding; the JSON form keeps them all.
type Document struct {
	Version int    `json:"version"`
	Tool    string `json:"tool"`
	// Results says whether the end of calls was watched. Without it there
	// are no errors, and calls that a seccomp filter answered are missing.
	Results  bool     `json:"results"`
	Complete Complete `json:"complete"`
	// Lost counts facts that were not recorded, by reason.
	Lost map[string]uint64 `json:"lost"`
	// Folded counts what was merged with its like to keep the document
	// small, by section.
	Folded map[string]uint64 `json:"folded"`

	Target   Target    `json:"target"`
	Host     Host      `json:"host"`
	Started  time.Time `json:"started"`
	Duration int64     `json:"duration_ns"`
	// Open are the side doors of a gate that were open, nil for none.
	Open []string `json:"open,omitzero"`
	// Merged are the runs that this document is made of, nil if it is of one.
	Merged []Origin `json:"merged,omitzero"`

	Syscalls []*Syscall `json:"syscalls"`
	// Files and Sockets are nil if they were not watched.
	Files     []*File    `json:"files,omitzero"`
	Execs     []*Exec    `json:"execs"`
	Sockets   []*Socket  `json:"sockets,omitzero"`
	Processes []*Process `json:"processes"`
}

// ProcessesByID are the processes by their ids, which in a document of others need not be
// their places.
func (d *Document) ProcessesByID() map[int]*Process {
	byID := make(map[int]*Process, len(d.Processes))
	for _, p := range d.Processes {
		byID[p.ID] = p
	}
	return byID
}

// Complete says of each section whether it has every fact. Sections that were not
// watched have no entry.
type Complete struct {
	Syscalls  bool  `json:"syscalls"`
	Processes bool  `json:"processes"`
	Files     *bool `json:"files,omitzero"`
	Sockets   *bool `json:"sockets,omitzero"`
}

// All says whether nothing is missing.
func (c Complete) All() bool {
	return c.Syscalls && c.Processes && (c.Files == nil || *c.Files) && (c.Sockets == nil || *c.Sockets)
}

// UnknownUID is the user of a process of which that is not known: (uid_t)-1, which no
// process can have (setresuid(2)). Traces from elsewhere have no users.
const UnknownUID = 1<<32 - 1

// Target is the command that was run, or what was attached to.
type Target struct {
	Argv []string
	Dir  string
	// Status and Signal tell how the command ended: one of them is nil, or
	// both while it runs.
	Status *int
	Signal *string
	UID    uint32
	// PID or Cgroup, for a run that attached.
	PID    int
	Cgroup string
}

// Host is the machine of the run.
type Host struct {
	Kernel string `json:"kernel"`
	Arch   string `json:"arch"`
	BTF    bool   `json:"btf"`
}

// Syscall is one system call of one ABI.
type Syscall struct {
	Name  string `json:"name"`
	Nr    int32  `json:"nr"`
	ABI   string `json:"abi"`
	Count uint64 `json:"count"`
	// Errors counts failures by errno.
	Errors Counts `json:"errors,omitempty"`
	// ByProcess counts calls by id of the process.
	ByProcess map[int]uint64 `json:"by_process,omitempty"`
	Args      []Argument     `json:"args,omitempty"`
}

// Argument is the set of values that one argument had.
type Argument struct {
	Index  int      `json:"index"`
	Values []uint64 `json:"values"`
	// More is set if there were values beyond these.
	More bool `json:"more"`
}

// Argument is what is known of the argument of an index, nil if that is nothing.
func (s *Syscall) Argument(index int) *Argument {
	for i := range s.Args {
		if s.Args[i].Index == index {
			return &s.Args[i]
		}
	}
	return nil
}

// File is one path and what was done with it.
type File struct {
	Path string
	// Asked are the paths as passed, where they differ from Path.
	Asked     []string
	How       event.How
	Classes   event.Class
	Ops       Counts
	Errors    Counts
	Processes []int
	Verdicts  Counts
	Rule      string
	// Folded is set on a directory that stands for files in it.
	Folded bool
}

// Exec is a program that was started, or was tried to.
type Exec struct {
	// Path is the program; for a script, the script.
	Path string
	// Interpreter runs the script.
	Interpreter string
	Argv        []string
	// Process that got the image, nil if folded.
	Process *int
	Count   uint64
	Errors  Counts
}

// Socket is one address and what was done with it.
type Socket struct {
	Op       string
	Family   string
	Type     string
	Protocol string
	Addr     string
	Port     *uint16
	Path     string
	Abstract bool
	// Raw is the address of a family that has no fields of its own.
	Raw       []byte
	Count     uint64
	Errors    Counts
	Processes []int
}

// Process is one process, or a group of like ones.
type Process struct {
	ID   int
	PID  int32
	PPID int32
	Comm string
	Exe  string
	UID  uint32
	// Started and Exited in nanoseconds since the start of the run; a
	// process that was there before has a negative start.
	Started int64
	Exited  *int64
	Status  *int
	Signal  *string
	// Folded is how many processes this entry stands for, if it is a group.
	Folded uint64

	group bool
}
