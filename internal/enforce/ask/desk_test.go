package ask

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/turnstile-project/turnstile/internal/event"
)

// person is an Asker that answers what the test says. Like all of a test it lives
// in a bubble, where nobody may be left waiting.
type person struct {
	shown   *Question // on the screen
	asked   []string  // the paths of all questions so far
	answers chan Answer
	revoked int
}

func (p *person) Ask(ctx context.Context, q *Question) Answer {
	p.shown = q
	p.asked = append(p.asked, string(q.Path))
	defer func() { p.shown = nil }()
	select {
	case a := <-p.answers:
		return a
	case <-ctx.Done():
		p.revoked++
		return Answer{By: byWithdrawn}
	}
}

// call is one that waits at a desk.
type call struct {
	leave    context.CancelFunc
	answered bool
	answer   Answer
}

// office is a desk with a person behind it.
type office struct {
	t *testing.T
	*person
	desk *Desk
}

func inOffice(t *testing.T, f func(o *office)) {
	synctest.Test(t, func(t *testing.T) {
		p := &person{answers: make(chan Answer)}
		o := &office{t: t, person: p, desk: NewDesk(p)}
		f(o)
		synctest.Wait()
		if o.desk.serving || len(o.desk.waiting) > 0 || len(o.desk.queue) > 0 {
			t.Errorf("%d questions still wait", len(o.desk.waiting))
		}
	})
}

// comes has a process ask, and returns when everybody waits.
func (o *office) comes(pid int32, classes event.Class, path string) *call {
	c := o.sends(pid, classes, path)
	synctest.Wait()
	return c
}

func (o *office) sends(pid int32, classes event.Class, path string) *call {
	ctx, leave := context.WithCancel(o.t.Context())
	c := &call{leave: leave}
	go func() {
		c.answer = o.desk.Ask(ctx, &Question{PID: pid, Classes: classes, Path: []byte(path)})
		c.answered = true
	}()
	return c
}

// says answers the question on the screen.
func (o *office) says(a Answer) {
	o.t.Helper()
	if o.shown == nil {
		o.t.Fatal("there is no question")
	}
	o.answers <- a
	synctest.Wait()
}

func (o *office) goes(c *call) {
	c.leave()
	synctest.Wait()
}

func (o *office) wantShown(path string) {
	o.t.Helper()
	switch {
	case o.shown == nil && path != "":
		o.t.Errorf("no question, want that for %s", path)
	case o.shown != nil && string(o.shown.Path) != path:
		o.t.Errorf("the question is for %s, want %q", o.shown.Path, path)
	}
}

func (c *call) want(t *testing.T, want Answer) {
	t.Helper()
	if !c.answered {
		t.Errorf("no answer, want %+v", want)
	} else if c.answer != want {
		t.Errorf("the answer is %+v, want %+v", c.answer, want)
	}
}

func (c *call) wantNone(t *testing.T) {
	t.Helper()
	if c.answered {
		t.Errorf("the answer is %+v, want none yet", c.answer)
	}
}

func TestOneAtATimeInOrder(t *testing.T) {
	inOffice(t, func(o *office) {
		var calls []*call
		for i := range 5 {
			calls = append(calls, o.comes(int32(i), event.Write, fmt.Sprint("/", i)))
		}
		for i, c := range calls {
			o.wantShown(fmt.Sprint("/", i))
			c.wantNone(t)
			answer := Answer{Allow: i%2 == 0, By: ByUser}
			o.says(answer)
			c.want(t, answer)
		}
		o.wantShown("")
	})
}

func TestSameQuestionOnce(t *testing.T) {
	inOffice(t, func(o *office) {
		first := o.comes(1, event.Write, "/a")
		second := o.comes(1, event.Write, "/a")
		other := o.comes(2, event.Write, "/a")
		more := o.comes(1, event.Write|event.Create, "/a")
		elsewhere := o.comes(1, event.Write, "/b")

		o.says(allowOnce.answer)
		for _, c := range []*call{first, second, other} {
			c.want(t, allowOnce.answer)
		}
		more.wantNone(t)
		o.says(denyOnce.answer)
		more.want(t, denyOnce.answer)
		elsewhere.wantNone(t)
		o.says(denyOnce.answer)

		// Who comes later asks anew.
		later := o.comes(1, event.Write, "/a")
		later.wantNone(t)
		o.says(denyOnce.answer)
		later.want(t, denyOnce.answer)
		if len(o.asked) != 4 {
			t.Errorf("asked for %q", o.asked)
		}
	})
}

func TestForTheRun(t *testing.T) {
	both := event.Read | event.Write
	for _, tt := range []struct {
		name    string
		classes event.Class
		path    string
		said    Answer
		later   event.Class
		asked   bool
	}{
		{"allowed, the same", both, "/a", allowRun.answer, both, false},
		{"allowed, a part", both, "/a", allowRun.answer, event.Read, false},
		{"allowed, more", both, "/a", allowRun.answer, both | event.Delete, true},
		{"allowed, something else", event.Read, "/a", allowRun.answer, event.Write, true},
		{"allowed, another path", both, "/b", allowRun.answer, both, true},
		{"denied, the same", both, "/a", denyRun.answer, both, false},
		{"denied, a part", both, "/a", denyRun.answer, event.Read, true},
		{"denied, more", both, "/a", denyRun.answer, both | event.Delete, false},
		{"denied, another path", both, "/b", denyRun.answer, both, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inOffice(t, func(o *office) {
				first := o.comes(1, tt.classes, tt.path)
				o.says(tt.said)
				first.want(t, tt.said)
				later := o.comes(2, tt.later, "/a")
				if tt.asked {
					later.wantNone(t)
					o.says(denyOnce.answer)
				} else {
					later.want(t, tt.said)
				}
			})
		})
	}
}

func TestAnswersForTheRunAddUp(t *testing.T) {
	inOffice(t, func(o *office) {
		for _, class := range []event.Class{event.Read, event.Write} {
			o.comes(1, class, "/a")
			o.says(allowRun.answer)
		}
		o.comes(1, event.Read|event.Write, "/a").want(t, allowRun.answer)
		o.comes(1, event.Read|event.Delete, "/a")
		o.says(denyRun.answer)
		o.comes(1, event.Read, "/a").want(t, allowRun.answer)
		o.comes(1, event.Read|event.Write|event.Delete, "/a").want(t, denyRun.answer)
	})
}

func TestForTheRunAnswersTheQueue(t *testing.T) {
	inOffice(t, func(o *office) {
		first := o.comes(1, event.Read|event.Write, "/a")
		covered := o.comes(2, event.Read, "/a")
		other := o.comes(3, event.Read, "/b")
		o.says(allowRun.answer)
		first.want(t, allowRun.answer)
		covered.want(t, allowRun.answer)
		o.wantShown("/b")
		o.says(denyOnce.answer)
		other.want(t, denyOnce.answer)
	})
}

// An answer for the run that comes together with the withdrawal was still given.
func TestForTheRunAndWithdrawn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := make(chan Answer)
		desk := NewDesk(askerFunc(func(context.Context, *Question) Answer { return <-slow }))
		ctx, leave := context.WithCancel(t.Context())
		q := &Question{PID: 1, Classes: event.Read, Path: []byte("/a")}
		go desk.Ask(ctx, q)
		synctest.Wait()
		leave()
		synctest.Wait()
		slow <- allowRun.answer
		synctest.Wait()
		if got := desk.Ask(t.Context(), q); got != allowRun.answer {
			t.Errorf("the answer is %+v", got)
		}
	})
}

type askerFunc func(context.Context, *Question) Answer

func (f askerFunc) Ask(ctx context.Context, q *Question) Answer { return f(ctx, q) }

func TestWithdrawnFromTheScreen(t *testing.T) {
	inOffice(t, func(o *office) {
		first := o.comes(1, event.Write, "/a")
		second := o.comes(2, event.Write, "/a")
		next := o.comes(3, event.Write, "/b")

		o.goes(first)
		first.want(t, Answer{By: byWithdrawn})
		second.wantNone(t)
		o.wantShown("/a")
		o.goes(second)
		o.wantShown("/b")
		if o.revoked != 1 {
			t.Errorf("%d questions taken back, want 1", o.revoked)
		}
		o.says(allowOnce.answer)
		next.want(t, allowOnce.answer)
	})
}

func TestWithdrawnFromTheQueue(t *testing.T) {
	inOffice(t, func(o *office) {
		o.comes(1, event.Write, "/a")
		waits := o.comes(1, event.Write, "/b")
		o.comes(1, event.Write, "/c")
		o.goes(waits)
		waits.want(t, Answer{By: byWithdrawn})
		o.says(denyOnce.answer)
		o.wantShown("/c")
		o.says(denyOnce.answer)
		if fmt.Sprint(o.asked) != "[/a /c]" || o.revoked != 0 {
			t.Errorf("asked for %q, and took %d back", o.asked, o.revoked)
		}
	})
}

// Who comes while a question is being taken back must not be tied to it.
func TestAskedWhileWithdrawn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := make(chan Answer)
		desk := NewDesk(askerFunc(func(context.Context, *Question) Answer { return <-slow }))
		comes := func(ctx context.Context) (answer *Answer) {
			answer = new(Answer)
			go func() { *answer = desk.Ask(ctx, &Question{Classes: event.Read, Path: []byte("/a")}) }()
			synctest.Wait()
			return answer
		}
		ctx, leave := context.WithCancel(t.Context())
		first := comes(ctx)
		leave()
		synctest.Wait()
		second := comes(t.Context())
		slow <- Answer{By: byWithdrawn}
		synctest.Wait()
		third := comes(t.Context()) // which joins the second
		slow <- allowOnce.answer
		synctest.Wait()
		got, want := []Answer{*first, *second, *third}, []Answer{{By: byWithdrawn}, allowOnce.answer, allowOnce.answer}
		if !slices.Equal(got, want) {
			t.Errorf("the answers are %+v, want %+v", got, want)
		}
	})
}

// Who finds itself gone when the answer is there must not take others along.
func TestLeavesWhenAnswered(t *testing.T) {
	inOffice(t, func(o *office) {
		s, p := subject{event.Read, "/a"}, process{pid: 1}
		o.comes(1, s.classes, s.path)
		gone := o.desk.waiting[s]
		o.says(denyOnce.answer)
		later := o.comes(1, s.classes, s.path)
		o.desk.leave(gone, p) // which its call might have done
		more := o.comes(2, s.classes, s.path)
		o.says(allowOnce.answer)
		later.want(t, allowOnce.answer)
		more.want(t, allowOnce.answer)
	})
}

func TestThreeDenials(t *testing.T) {
	inOffice(t, func(o *office) {
		for i := range maxRefusals {
			// As many threads as it likes: one denial is one.
			a, b := o.comes(1, event.Write, "/a"), o.comes(1, event.Write, "/a")
			if i == 0 {
				// One that left was not denied.
				o.goes(o.comes(2, event.Write, "/a"))
			} else {
				o.comes(2, event.Write, "/a")
			}
			o.says(denyOnce.answer)
			a.want(t, denyOnce.answer)
			b.want(t, denyOnce.answer)
		}
		o.comes(1, event.Write, "/a").want(t, Answer{By: byRefusals})
		o.comes(1, event.Read, "/a").want(t, Answer{By: byRefusals})
		for _, c := range []*call{o.comes(2, event.Write, "/a"), o.comes(1, event.Write, "/b"), o.comes(3, event.Write, "/a")} {
			c.wantNone(t)
		}
		o.says(allowOnce.answer)
		o.says(allowOnce.answer)
	})
}

func TestPIDUsedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		desk := NewDesk(askerFunc(func(context.Context, *Question) Answer { asked++; return denyOnce.answer }))
		for start := range uint64(2) {
			for range 5 {
				desk.Ask(t.Context(), &Question{PID: 1, Start: start, Path: []byte("/a")})
			}
		}
		if asked != 2*maxRefusals {
			t.Errorf("asked %d times", asked)
		}
	})
}

// Where nobody is asked each denial says why.
func TestDenialsOfNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		desk := NewDesk(nobody("no terminal"))
		for range 2 * maxRefusals {
			got := desk.Ask(t.Context(), &Question{PID: 1, Path: []byte("/a")})
			if want := (Answer{By: "no terminal"}); got != want {
				t.Errorf("the answer is %+v, want %+v", got, want)
			}
		}
	})
}

func TestBound(t *testing.T) {
	inOffice(t, func(o *office) {
		var calls []*call
		for i := range maxWaiting {
			calls = append(calls, o.sends(1, event.Write, fmt.Sprint("/", i)))
		}
		synctest.Wait()
		o.comes(1, event.Write, "/more").want(t, Answer{By: byFull})
		same := o.comes(2, event.Write, "/1")
		same.wantNone(t)

		o.says(denyOnce.answer)
		room := o.comes(1, event.Write, "/more")
		room.wantNone(t)
		o.comes(1, event.Write, "/still more").want(t, Answer{By: byFull})
		for _, c := range append(calls, same, room) {
			c.leave()
		}
	})
}

func TestRefusalsAreBounded(t *testing.T) {
	m := newMemory()
	for pid := range int32(maxRefused + 10) {
		m.learn(subject{path: "/a"}, denyOnce.answer, map[process]int{{pid: pid}: 1})
	}
	if len(m.refused) > maxRefused {
		t.Errorf("%d refusals", len(m.refused))
	}
}

func TestAnswerThatNobodyGave(t *testing.T) {
	inOffice(t, func(o *office) {
		c := o.comes(1, event.Write, "/a")
		o.says(Answer{By: "the terminal has hung up"})
		c.want(t, Answer{By: "the terminal has hung up"})
	})
}
