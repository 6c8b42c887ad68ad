package enforce

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestShift lets workers on threads of their own answer calls, some of which can only be
// answered while others are: if one was not woken, this would not end.
func TestShift(t *testing.T) {
	for _, cpus := range []int{1, 2, 4} {
		const workers, rounds = 16, 300
		s := newShift(workers, cpus)
		calls := make(chan func(), 1024)
		var answered atomic.Int64
		var done sync.WaitGroup
		for i := range workers {
			go func() {
				runtime.LockOSThread() // as serve does; those that wait at the end wait on
				for {
					s.wait(i)
					answer, ok := <-calls
					if !ok {
						return
					}
					s.begin(i, time.Now(), func() bool { return len(calls) > 0 })
					answer()
					s.end(i)
					answered.Add(1)
					done.Done()
				}
			}()
		}
		want := 0
		for round := range rounds {
			switch round % 3 {
			case 0: // many that are answered at once: one worker is enough
				for range 100 {
					want++
					done.Add(1)
					calls <- func() {}
				}
			case 1: // two that wait for each other
				var both sync.WaitGroup
				both.Add(2)
				for range 2 {
					want++
					done.Add(1)
					calls <- func() { both.Done(); both.Wait() }
				}
			default: // as many as there may be, each of which waits for all others
				n := 2 + round%(workers-2)
				var all sync.WaitGroup
				all.Add(n)
				for range n {
					want++
					done.Add(1)
					calls <- func() { all.Done(); all.Wait() }
				}
			}
			done.Wait()
		}
		if int(answered.Load()) != want {
			t.Errorf("%d answers to %d calls", answered.Load(), want)
		}
		if on := s.on.Load(); on < s.least || int(on) > workers {
			t.Errorf("%d workers are on, of at least %d and at most %d", on, s.least, workers)
		}
		close(calls)
		close(s.watch)
	}
}

// TestShiftBounds: there are always some on, and never more than there are.
func TestShiftBounds(t *testing.T) {
	s := newShift(4, 1)
	for range 10 {
		s.join()
	}
	if on := s.on.Load(); on != 4 {
		t.Errorf("%d are on after many have joined", on)
	}
	for range 10 {
		s.leave()
	}
	if on := s.on.Load(); on != s.least {
		t.Errorf("%d are on after many have left", on)
	}
	s.wait(0) // does not wait
	// A worker alone leaves the others free after a while.
	s.join()
	for range 2 * (manyAlone + 1) * askEvery {
		s.begin(0, time.Now(), func() bool { return false })
		s.end(0)
	}
	if on := s.on.Load(); on != s.least {
		t.Errorf("%d are on where one is enough", on)
	}
	close(s.watch)
}

// TestShiftJoinsAndLeaves: many joins and leaves at a time leave the count in order.
func TestShiftJoinsAndLeaves(t *testing.T) {
	const workers = 8
	s := newShift(workers, 1)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 2000 {
				s.join()
				if on := s.on.Load(); on < s.least || on > workers {
					t.Errorf("%d are on", on)
				}
				s.leave()
			}
		})
	}
	all.Wait()
	// Whoever is on does not sleep.
	for i := range int(s.on.Load()) {
		s.wait(i)
	}
	close(s.watch)
}
