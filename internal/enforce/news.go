package enforce

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/procstat"
)

// news takes what was decided from the workers to the sink, which is called from one
// goroutine. A worker only appends: nobody waits for whoever reads.
type news struct {
	sink  event.Sink
	quiet bool

	mu        sync.Mutex
	queue     []*event.Event
	processes map[int32]*event.Process
	errs      []error

	some, stop, done chan struct{}
}

func newNews(sink event.Sink, quiet bool) *news {
	n := &news{sink: sink, quiet: quiet, processes: make(map[int32]*event.Process), some: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{})}
	go n.deliver()
	return n
}

// deliver calls the sink soon after there is something to tell.
func (n *news) deliver() {
	defer close(n.done)
	const interval = 50 * time.Millisecond
	for {
		select {
		case <-n.some:
		case <-n.stop:
			n.flush()
			return
		}
		select { // more may come
		case <-time.After(interval):
		case <-n.stop:
		}
		n.flush()
	}
}

func (n *news) flush() {
	n.mu.Lock()
	queue := n.queue
	n.queue = nil
	n.mu.Unlock()
	if n.sink == nil || len(queue) == 0 {
		return
	}
	for _, e := range queue {
		n.sink.Event(e)
	}
	n.sink.Flush()
}

func (n *news) close() {
	close(n.stop)
	<-n.done
}

// fail notes a defect of the gate, which has denied something.
func (n *news) fail(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	const most = 16
	if len(n.errs) < most {
		n.errs = append(n.errs, err)
	}
}

// Err is what went wrong in the gate itself. Each time a call was denied for it.
func (g *Gate) Err() error {
	g.news.mu.Lock()
	defer g.news.mu.Unlock()
	return errors.Join(g.news.errs...)
}

// meet looks who makes a call, if somebody wants to know: before it is answered, since who
// has the answer may end.
func (n *news) meet(c *call) {
	if n.sink != nil && !n.quiet && c.process == nil && len(c.judged) > 0 {
		c.process = n.process(c)
	}
}

// tell queues the event of a call, if it was judged and somebody wants to know.
func (n *news) tell(c *call, outcome event.Outcome) {
	if n.sink == nil || len(c.judged) == 0 {
		return
	}
	if n.quiet && !c.isDenied() {
		return
	}
	verdict := c.verdict()
	e := &event.Event{
		Time: c.received, TID: int32(c.notification.TID), Category: c.spec.Op.Category(),
		Call:   event.Call{ABI: nativeABI, Nr: c.notification.Nr, Args: c.notification.Args},
		Access: event.Access{Op: c.spec.Op, Flags: c.flags, Socket: c.socket()},
		Argv:   c.argv, Outcome: outcome, Verdict: verdict,
	}
	for i := range c.judged {
		if c.judged[i].address == nil {
			e.Access.Targets = append(e.Access.Targets, c.judged[i].target(c.asked(i)))
		}
	}
	if e.Process = nobody; c.process != nil {
		e.Process = c.process
	}
	n.mu.Lock()
	n.queue = append(n.queue, e)
	n.mu.Unlock()
	select {
	case n.some <- struct{}{}:
	default:
	}
}

// nobody is the process of events whose readers do not ask for it.
var nobody = &event.Process{}

// target is the object of a judgement in the words of an event.
func (j *judgement) target(asked string) event.Target {
	t := event.Target{Path: []byte(j.path), How: event.HowFD, Class: j.classes, Mode: j.mode, Created: j.created}
	if asked != "" {
		t.Asked = []byte(asked)
	}
	return t
}

// asked is the path that object i was named by.
func (c *call) asked(i int) string {
	if len(c.operands) == 0 || c.spec.Op == event.OpExec && i >= len(c.operands) {
		return ""
	}
	return c.operands[min(i, len(c.operands)-1)].name
}

func (c *call) isDenied() bool {
	return slices.ContainsFunc(c.judged, func(j judgement) bool { return j.decision.Verdict == event.VerdictDeny })
}

// verdict is the strictest of the judgements.
func (c *call) verdict() event.Verdict {
	v := event.Verdict{Kind: event.VerdictAllow, Took: time.Since(c.received)}
	for i := range c.judged {
		j := &c.judged[i]
		by := cmp.Or(j.by, j.decision.By())
		if v.By == "" || j.decision.Verdict == event.VerdictDeny {
			v.By = by
		}
		if j.decision.Verdict == event.VerdictDeny {
			v.Kind, v.Errno = event.VerdictDeny, event.Errno(j.decision.Denied())
		}
	}
	return v
}

// process is who makes a call. What is known of a process is kept as long as it is the
// same: a number can be another's later.
func (n *news) process(c *call) *event.Process {
	tid := c.tid()
	pid := int32(c.tgid())
	proc := "/proc/" + strconv.Itoa(int(pid))
	stat, err := procstat.Read(proc + "/stat")
	start := stat.Start * uint64(time.Second/userHZ)
	n.mu.Lock()
	known := n.processes[pid]
	n.mu.Unlock()
	comm := readLine("/proc/" + strconv.Itoa(tid) + "/comm")
	if known != nil && err == nil && known.ID.Start == start && known.Comm == comm {
		return known
	}
	p := &event.Process{
		ID:     event.ProcessID{PID: pid, Start: start},
		Parent: event.ProcessID{PID: int32(stat.PPID)},
		Comm:   comm, UID: c.ours.uid, Started: c.received,
	}
	if c.who != nil {
		p.UID = c.who.uid
	}
	room := make([]byte, unix.PathMax)
	if c.launched {
		proc = "/proc/self" // whose program it runs until then
	}
	if length, err := unix.Readlink(proc+"/exe", room); err == nil {
		p.Exe = string(room[:length])
	}
	const most = 10_000
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.processes) == most {
		clear(n.processes)
	}
	n.processes[pid] = p
	return p
}

// userHZ is USER_HZ, include/asm-generic/param.h: the unit of times in procfs.
const userHZ = 100

func readLine(file string) string {
	fd, err := unix.Open(file, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return ""
	}
	defer func() { _ = unix.Close(fd) }()
	var b [64]byte
	length, err := unix.Read(fd, b[:])
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(string(b[:length]), "\n")
}
