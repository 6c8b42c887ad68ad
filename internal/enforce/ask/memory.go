package ask

import (
	"slices"

	"github.com/turnstile-project/turnstile/internal/event"
)

// maxRefusals is how often a process is denied an object by the user before it is
// denied without a question.
const maxRefusals = 3

// maxRefused bounds the pairs of process and object for which that is counted.
const maxRefused = 1 << 16

// subject is what a question is about, whoever asks.
type subject struct {
	classes event.Class
	path    string
}

// process is who asks: the start time because pids are used again.
type process struct {
	pid   int32
	start uint64
}

// refusal is an object that was denied to a process.
type refusal struct {
	process process
	path    string
}

// memory is what the user has said so far. It grows with what users say, not with
// what targets ask.
type memory struct {
	// allowed and denied for the run, by path. A deny is of all its classes
	// together: it says nothing of one of them alone.
	allowed map[string]event.Class
	denied  map[string][]event.Class
	// refused once, how often.
	refused map[refusal]int
}

func newMemory() memory {
	return memory{
		allowed: make(map[string]event.Class),
		denied:  make(map[string][]event.Class),
		refused: make(map[refusal]int),
	}
}

// recall is the answer that the user gave for the run, if it covers s: an allow
// also covers fewer classes, a deny more.
func (m *memory) recall(s subject) (Answer, bool) {
	covers := func(denied event.Class) bool { return s.classes&denied == denied }
	if slices.ContainsFunc(m.denied[s.path], covers) {
		return Answer{Run: true, By: ByUser}, true
	}
	if allowed, ok := m.allowed[s.path]; ok && s.classes&^allowed == 0 {
		return Answer{Allow: true, Run: true, By: ByUser}, true
	}
	return Answer{}, false
}

// tired says that a process has been denied an object often enough.
func (m *memory) tired(p process, path string) bool {
	return m.refused[refusal{p, path}] >= maxRefusals
}

// learn takes in what the user said of s to those who waited for it.
func (m *memory) learn(s subject, a Answer, waiters map[process]int) {
	switch {
	case a.Run && a.Allow:
		m.allowed[s.path] |= s.classes
	case a.Run:
		m.denied[s.path] = append(m.denied[s.path], s.classes)
	case !a.Allow:
		if len(m.refused)+len(waiters) > maxRefused {
			clear(m.refused) // and the user is asked a few times more
		}
		for p := range waiters {
			m.refused[refusal{p, s.path}]++
		}
	}
}
