package enforce

import (
	"cmp"
	"errors"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/enforce/ask"
	"github.com/turnstile-project/turnstile/internal/enforce/resolve"
	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/policy"
)

// judgement is what was decided about one object of a call.
type judgement struct {
	classes  event.Class
	path     string // or the text of an address
	address  *policy.Address
	mode     uint32
	created  bool
	decision policy.Decision
	by       string // if somebody else than a rule decided
}

// denied is the error of a call that the policy forbids.
type denied struct{ errno unix.Errno }

func (d denied) Error() string { return "the policy forbids it" }

// Unwrap makes the error the errno that the target gets.
func (d denied) Unwrap() error { return d.errno }

// grant is what the user has allowed for one call.
type grant struct {
	classes event.Class
	path    string
}

// judgeObject asks the policy about a file that exists.
func (c *call) judgeObject(classes event.Class, o *resolve.Object) error {
	if c.isOurs(o.Path) {
		c.judged = append(c.judged, judgement{classes: classes, path: o.Path, by: "turnstile", decision: policy.Decision{Verdict: event.VerdictDeny}})
		return denied{unix.EACCES}
	}
	if !o.HadName() {
		// No rule is about it, and the target has it already, by a descriptor of
		// its own.
		return nil
	}
	return c.judgeFile(classes, o.Path, &o.Stat)
}

// judgeFile asks the policy about a file and its name. If it has more names, and one of
// them is in a rule that names it alone, the rule is about this one too.
func (c *call) judgeFile(classes event.Class, path string, stat *unix.Stat_t) error {
	if stat.Nlink > 1 && stat.Mode&unix.S_IFMT != unix.S_IFDIR {
		for _, name := range c.literals {
			var other unix.Stat_t
			if name == path || unix.Fstatat(c.root, "."+name, &other, unix.AT_SYMLINK_NOFOLLOW) != nil || other.Ino != stat.Ino || other.Dev != stat.Dev {
				continue
			}
			if err := c.judge(classes, name, judgement{mode: stat.Mode}); err != nil {
				return err
			}
		}
	}
	return c.judge(classes, path, judgement{mode: stat.Mode})
}

// isOurs says whether a path is about the process that waits for this one, and not what
// anybody may read of it.
func (c *call) isOurs(path string) bool {
	rest, has := below(path, c.front)
	return c.front != "" && has && !resolve.IsPublic(rest)
}

// judge asks the policy, and the user if the policy says so.
func (c *call) judge(classes event.Class, path string, j judgement) error {
	// What is a process's own is told, and asked about, as every process calls it.
	j.classes, j.path = classes, cmp.Or(c.selfName(path), path)
	j.decision = c.policy.Decide(classes, c.pathOf(path))
	return c.conclude(j)
}

// judgeAddress asks the policy about an address that is no path, for connect or bind.
func (c *call) judgeAddress(class event.Class, s *event.Socket) error {
	c.spoken = *s
	a := policy.AddressOf(s)
	a.Exe = c.exe
	return c.conclude(judgement{classes: class, path: a.String(), address: &a, decision: c.policy.DecideAddress(class, a)})
}

// conclude does what was decided.
func (c *call) conclude(j judgement) error {
	switch {
	case j.decision.Verdict == event.VerdictAsk && c.isGranted(j.classes, j.path):
		j.decision.Verdict, j.by = event.VerdictAllow, "user"
	case j.decision.Verdict == event.VerdictAsk:
		return c.mustAsk(j)
	}
	c.judged = append(c.judged, j)
	if j.decision.Verdict == event.VerdictDeny {
		return denied{j.decision.Denied()}
	}
	return nil
}

// wouldAllow says what judge would, without telling or asking anybody.
func (c *call) wouldAllow(classes event.Class, path string) bool {
	d := c.policy.Decide(classes, c.pathOf(path))
	return d.Verdict == event.VerdictAllow || d.Verdict == event.VerdictAsk && c.isGranted(classes, cmp.Or(c.selfName(path), path))
}

func (c *call) isGranted(classes event.Class, path string) bool {
	for _, g := range c.granted {
		if g.path == path && classes&^g.classes == 0 {
			return true
		}
	}
	return false
}

// judgeMove asks whether a file may get another name: nothing may be allowed more under
// it than was before.
func (c *call) judgeMove(from, to string, hasBelow bool) error {
	d, loosens := c.policy.Loosens(c.pathOf(from), c.pathOf(to), hasBelow)
	if !loosens {
		return nil
	}
	c.judged = append(c.judged, judgement{classes: event.Delete | event.Create, path: to, decision: d})
	return denied{d.Denied()}
}

// mustAsk makes the question that the call has to wait for.
func (c *call) mustAsk(j judgement) error {
	if c.desk == nil {
		j.decision.Verdict, j.by = event.VerdictDeny, "nobody to ask"
		c.judged = append(c.judged, j)
		return denied{unix.EACCES}
	}
	p := c.news.process(c)
	q := &ask.Question{
		PID: p.ID.PID, Start: p.ID.Start, PPID: p.Parent.PID, Comm: p.Comm, Exe: p.Exe, UID: p.UID,
		Op: c.spec.Op, Classes: j.classes, Path: []byte(j.path), Rule: j.decision.By(),
		Allow: j.remedy(),
	}
	for _, o := range c.operands {
		if o.name != "" && o.name != j.path {
			q.Asked = []byte(o.name)
		}
	}
	return &waiting{question: q, judgement: j}
}

// remedy is the rule that would allow an access, if there can be one.
func (j *judgement) remedy() string {
	object := policy.Quote(j.path)
	if j.address != nil {
		if !j.address.Named() {
			return ""
		}
		object = j.path
	}
	return "--allow " + j.classes.String() + ":" + object
}

// refuse gives the call its error.
func (c *call) refuse(err error) {
	if c.sent > 0 && !c.answered {
		_ = c.returns(int64(c.sent)) // what was sent is no failure
		return
	}
	c.fail(errnoOf(err))
}

// errnoOf is what the target is told.
func errnoOf(err error) unix.Errno {
	if errno, ok := errors.AsType[unix.Errno](err); ok {
		return errno
	}
	return unix.EACCES
}
