package enforce

import (
	"sync/atomic"
	"time"
)

// shift says which worker receives. One does, as long as it is as fast as the calls come:
// to wake another for each of them costs more than most calls take. It lets another one
// receive when there is a second call, or when the first takes its time.
type shift struct {
	turn chan struct{} // who takes what is in it receives
	// busy is the number of the call that who has the turn works on, 0 for none.
	busy   atomic.Uint64
	calls  atomic.Uint64
	latest atomic.Int64 // when a call came, in nanoseconds
	wake   chan struct{}
}

// How often it is looked whether a call takes its time, and how long after the last call.
const (
	patience = time.Millisecond
	calm     = 20 * time.Millisecond
)

func (s *shift) open() {
	s.turn = make(chan struct{}, 1)
	s.turn <- struct{}{}
	s.wake = make(chan struct{}, 1)
	go s.watch()
}

// begin is called by who has the turn and has received a call. It returns the number
// under which the turn is kept, 0 if it is passed on.
func (s *shift) begin(now time.Time, more bool) uint64 {
	if more {
		s.turn <- struct{}{}
		return 0
	}
	number := s.calls.Add(1)
	s.busy.Store(number)
	if at := now.UnixNano(); at-s.latest.Swap(at) > int64(calm/2) {
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
	return number
}

// end is called when the call was answered, and returns with the turn.
func (s *shift) end(number uint64) {
	if number == 0 || !s.busy.CompareAndSwap(number, 0) {
		<-s.turn
	}
}

// watch passes the turn on when a call takes its time: it may wait for a disk.
func (s *shift) watch() {
	for range s.wake {
		var before uint64
		for time.Now().UnixNano()-s.latest.Load() < int64(calm) || before != 0 {
			time.Sleep(patience)
			now := s.busy.Load()
			if now != 0 && now == before && s.busy.CompareAndSwap(now, 0) {
				s.turn <- struct{}{}
				now = 0
			}
			before = now
		}
	}
}
