package enforce

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/enforce/ask"
	"github.com/turnstile-project/turnstile/internal/enforce/notify"
	"github.com/turnstile-project/turnstile/internal/enforce/plan"
	"github.com/turnstile-project/turnstile/internal/enforce/tracer"
	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/policy"
)

// Options are what a gate holds its target to.
type Options struct {
	Policy *policy.Policy
	// Sink gets an event for each decision: all of them, or with Quiet only those
	// that deny, and without their processes. It may be nil.
	Sink  event.Sink
	Quiet bool
	// Asker is asked where the policy says so.
	Asker ask.Asker
	// Bound is what Landlock is to hold the target to, nil for nothing.
	Bound *plan.Bound
	// Fast leaves what is wholly bound to the kernel: nobody hears of it.
	Fast bool
	// PerformAll makes the gate perform every call that it can, also those that no
	// rule is about. It is for tests.
	PerformAll bool
	// Front is the process that waits for this one, and is not to be looked into.
	Front int
	// Tracer sees the programs that are executed.
	Tracer *tracer.Tracer
}

// Gate stands between one command and the kernel.
type Gate struct {
	policy *policy.Compiled
	desk   *ask.Desk
	news   *news
	front  string // its directory of /proc
	// byProgram says that rules ask which program makes a call.
	byProgram bool
	// literals are paths that rules name one by one: see judgeFile.
	literals []string
	// naming is held by who resolves a path twice, against those who change names.
	naming sync.RWMutex
	filter plan.Options
	bound  *bound // nil if Landlock holds nothing
	root   int    // O_PATH: the root directory
	ours   identity
	// varied says that targets may have other rights than this process has: some have
	// changed them, or did when they executed a program.
	varied atomic.Bool
	// ourView is compared with those of targets, nil if none can have another.
	ourView  *view
	listener *notify.Listener
	tracer   *tracer.Tracer
	linkers  *linkers
	launch   launching
	shift    *shift
	parked   parked
	pipes    *fifos
	undone   undelivered
}

// New makes a gate.
func New(o Options) (*Gate, error) {
	root, err := unix.Open("/", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("opening the root directory: %w", err)
	}
	if err := checkProc(); err != nil {
		return nil, err
	}
	ours, err := ownStatus()
	if err != nil {
		return nil, err
	}
	g := &Gate{policy: o.Policy.Compile(), root: root, ours: ours.identity, news: newNews(o.Sink, o.Quiet), tracer: o.Tracer, linkers: newLinkers()}
	g.literals, g.byProgram = o.Policy.Literals(), o.Policy.ByProgram()
	if o.Asker != nil {
		g.desk = ask.NewDesk(o.Asker)
	}
	if o.Front != 0 {
		g.front = fmt.Sprintf("/proc/%d", o.Front)
	}
	g.filter = o.filter(&ours)
	g.varied.Store(ours.privileged() && !ours.survivesExec())
	if o.Policy.Open&viewDoors != 0 {
		view, err := viewOf("/proc/thread-self")
		if err != nil {
			return nil, err
		}
		g.ourView = &view
	}
	if g.bound, err = newBound(o.Bound); err != nil {
		return nil, err
	}
	return g, nil
}

// filter are the options of the filter, for a supervisor with this status.
func (o *Options) filter(ours *status) plan.Options {
	f := plan.Options{
		ABI: nativeABI, Classes: o.Policy.Restricted(), Addresses: o.Policy.RestrictedAddresses(), FakeUndumpable: !ours.privileged(),
		Open: o.Policy.Open, Calls: o.Policy.Calls,
	}
	if ours.privileged() {
		// Nothing but the gate keeps root from writing to the memory of this process.
		f.Classes |= event.Write
		f.Credentials = true
	}
	if o.PerformAll {
		f.Classes, f.Addresses = policy.Files, event.Connect|event.Bind
	}
	if o.Fast {
		f.Fast = o.Bound.Fast
	}
	f.Verify = f.Classes&event.Exec != 0
	return f
}

// Explain prints what a gate with these options would do.
func (o *Options) Explain(w io.Writer) error {
	ours, err := ownStatus()
	if err != nil {
		return err
	}
	return plan.Explain(w, o.Bound, o.filter(&ours))
}

// checkProc sees that /proc is about the processes that notifications name.
func checkProc() error {
	var fs unix.Statfs_t
	if err := unix.Statfs("/proc", &fs); err != nil || fs.Type != unix.PROC_SUPER_MAGIC {
		return errors.New("there is no procfs on /proc: mount -t proc proc /proc")
	}
	if self, err := os.Readlink("/proc/self"); err != nil || self != strconv.Itoa(os.Getpid()) {
		return errors.New("/proc is that of another pid namespace: mount -t proc proc /proc")
	}
	return nil
}

// Fork puts the filter and the bound around the calling thread, and calls start, which
// forks the target on it: see launch.Command. The thread must end after that.
func (g *Gate) Fork(start func() error) error {
	program, err := plan.Filter(g.filter).Program()
	if err != nil {
		return err
	}
	if g.listener, err = notify.Install(program); err != nil {
		return err
	}
	if g.bound != nil {
		if err := g.bound.enclose(); err != nil {
			return err
		}
	}
	if err := g.parked.open(g); err != nil {
		return err
	}
	g.pipes = newFIFOs()
	go g.newWorker().attendFIFOs()
	// A thread that comes back from the kernel needs a place to run on at once.
	cpus := runtime.NumCPU()
	runtime.GOMAXPROCS(max(runtime.GOMAXPROCS(0), min(2*cpus, 8)+4))
	const forDisks = 12 // workers that join while others wait for disks
	workers := min(2*cpus, 16) + forDisks
	g.shift = newShift(workers, cpus)
	for i := range workers {
		w := g.newWorker()
		w.index = i
		go w.serve()
	}
	defer withoutPauses()()
	g.launch.begin()
	defer g.launch.end()
	return start()
}

// Close ends the telling of decisions: what is in the queue goes to the sink. Calls that
// come later fail with ENOSYS.
func (g *Gate) Close() error {
	g.news.close()
	if g.listener == nil {
		return nil
	}
	return errors.Join(g.listener.Close(), unix.Close(g.root))
}
