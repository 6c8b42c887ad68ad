package enforce

import (
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// shift says which workers receive: the first few, as many as the calls keep busy. To
// wake a thread for each call costs more than most calls take, and the kernel wakes the
// one that has slept longest. So one receives, another joins when a second call waits or
// a call takes its time, and leaves when there is nothing to do for it.
type shift struct {
	// on is how many receive: worker i does while i < on.
	on atomic.Int32
	// least and most bound it; those that join because calls take their time count
	// beyond.
	least, most int32
	// alone counts how often in a row it was asked whether another call waits, and none
	// did.
	alone  atomic.Int32
	places []place

	latest atomic.Int64 // when a call came, in nanoseconds
	watch  chan struct{}
}

// place is one worker's. It fills a line of the cache, so that no other writes there.
type place struct {
	// awake is a futex(2): 0 while the worker is to sleep.
	awake uint32
	_     uint32
	// busy is the number of the call that it works on, 0 for none.
	busy atomic.Uint64
	last uint64
	_    [40]byte
}

const (
	// askEvery is which of a worker's calls asks whether another waits: the answer takes
	// the kernel as long as some calls.
	askEvery = 8
	// manyAlone is how many answers in a row make a worker superfluous.
	manyAlone = 8
	// patience is how long a call may take before another worker joins. To look more
	// often would cost calls more: each time the runtime wakes a thread or two.
	patience = 2 * time.Millisecond
	// calm is how long after the last call nobody looks at the time any more.
	calm = 20 * time.Millisecond
)

func newShift(workers, cpus int) *shift {
	s := &shift{places: make([]place, workers), watch: make(chan struct{}, 1), least: 1, most: int32(min(2*cpus+2, workers))}
	if cpus > 1 {
		// With fewer, target and worker end up on two CPUs and wake each other
		// across; with one more asleep, that is woken where the target is.
		s.least = 3
	}
	s.on.Store(s.least)
	go s.lookAtTime()
	return s
}

// wait returns when a worker may receive.
func (s *shift) wait(i int) {
	p := &s.places[i]
	for int32(i) >= s.on.Load() {
		atomic.StoreUint32(&p.awake, 0)
		if int32(i) < s.on.Load() {
			return
		}
		// An error is that it was woken, or need not sleep.
		_, _, _ = unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&p.awake)), futexWait, 0, 0, 0, 0)
	}
}

// begin says that a worker has received a call. Pending says whether another waits.
func (s *shift) begin(i int, now time.Time, pending func() bool) {
	p := &s.places[i]
	p.last++
	p.busy.Store(p.last)
	switch on := s.on.Load(); {
	case p.last%askEvery != 0:
	case pending():
		s.alone.Store(0)
		if on < s.most {
			s.join()
		}
	case on > s.least && s.alone.Add(1) > manyAlone:
		s.alone.Store(0)
		s.leave()
	}
	if at := now.UnixNano(); at-s.latest.Swap(at) > int64(calm/2) {
		select {
		case s.watch <- struct{}{}:
		default:
		}
	}
}

// end says that the call was answered.
func (s *shift) end(i int) {
	if p := &s.places[i]; !p.busy.CompareAndSwap(p.last, 0) {
		s.leave() // somebody joined because this took its time
	}
}

func (s *shift) join() {
	n := s.on.Load()
	if int(n) == len(s.places) || !s.on.CompareAndSwap(n, n+1) {
		return
	}
	p := &s.places[n]
	atomic.StoreUint32(&p.awake, 1)
	_, _, _ = unix.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&p.awake)), futexWake, 1, 0, 0, 0)
}

func (s *shift) leave() {
	if n := s.on.Load(); n > s.least {
		s.on.CompareAndSwap(n, n-1)
	}
}

// lookAtTime lets another worker join for each call that takes its time: it may wait for
// a disk.
func (s *shift) lookAtTime() {
	seen := make([]uint64, len(s.places))
	for range s.watch {
		for waiting := true; waiting || time.Now().UnixNano()-s.latest.Load() < int64(calm); {
			time.Sleep(patience)
			waiting = false
			for i := range s.places {
				now := s.places[i].busy.Load()
				if now != 0 && now != tookLong && now == seen[i] && s.places[i].busy.CompareAndSwap(now, tookLong) {
					s.join()
				}
				seen[i] = now
				waiting = waiting || now != 0
			}
		}
	}
}

// tookLong is the number of a call for which another worker has joined.
const tookLong = ^uint64(0)

// FUTEX_WAIT_PRIVATE and FUTEX_WAKE_PRIVATE, include/uapi/linux/futex.h.
const (
	futexWait = 0 | 128
	futexWake = 1 | 128
)
