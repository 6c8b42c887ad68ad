package emit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/profile"
	"github.com/turnstile-project/turnstile/internal/quote"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// sights is what the trace says about paths, for formats that have to know more than
// classes: whether a file was there before, and what it came and went by.
type sights map[string]*trace.File

func sightsOf(in *Input) sights {
	s := make(sights, len(in.Trace.Files))
	for _, f := range in.Trace.Files {
		s[f.Path] = f
	}
	return s
}

// of is what was seen of a pattern, nil if it stands for more than one path.
func (s sights) of(p profile.Pattern) *trace.File {
	if !p.IsLiteral() {
		return nil
	}
	return s[p.String()]
}

// did reports whether one of the operations was made on a path, or may have been: a
// pattern of many paths says nothing of its operations.
func (s sights) did(p profile.Pattern, ops ...event.Op) bool {
	f := s.of(p)
	if f == nil {
		return true
	}
	return slices.ContainsFunc(ops, func(o event.Op) bool { return f.Ops.Get(o.String()) > 0 })
}

// made reports whether the program made what is at a path: nothing could be said about it
// before. A call that found it there says EEXIST, of a socket EADDRINUSE.
func (s sights) made(path string) bool {
	f := s[path]
	if f == nil || f.Classes&event.Create == 0 {
		return false
	}
	var calls uint64
	for _, o := range []event.Op{event.OpMkdir, event.OpMknod, event.OpSymlink, event.OpLink, event.OpRename, event.OpBind} {
		calls += f.Ops.Get(o.String())
	}
	there := f.Errors.Get("EEXIST") + f.Errors.Get("EADDRINUSE")
	return there == 0 || calls > there
}

// directory is whether what is at a path is one, as far as operations tell.
func (s sights) directory(f profile.File) bool {
	if f.Classes&event.List != 0 || f.Pattern.Tree {
		return true
	}
	seen := s.of(f.Pattern)
	return seen != nil && s.did(f.Pattern, event.OpMkdir, event.OpRmdir, event.OpChdir)
}

// changes reports whether files of a pattern come or go, for which their directory has to
// be written to. To ask for one that is there is no change.
func (s sights) changes(f profile.File) bool {
	return f.Classes&event.Delete != 0 || f.Classes&event.Create != 0 && (s.of(f.Pattern) == nil || s.made(f.Pattern.String()))
}

// room is the directory in which files of a pattern come and go: the nearest that was there
// before the program began.
func (s sights) room(p profile.Pattern) profile.Pattern {
	dir := p
	if !p.Tree {
		dir = p.Parent()
	}
	dir = dir.Fixed()
	for !dir.IsBase() && s.made(dir.String()) {
		dir = dir.Parent()
	}
	return dir
}

// shared is the text of a pattern in some format: the bytes of the trace if it is the path
// as it is, which of a million paths nearly all are.
func shared(text string, p profile.Pattern) string {
	if path := p.String(); path == text {
		return path
	}
	return text
}

// below reports whether a path is another, or below it.
func below(path, dir string) bool {
	return dir == "/" || path == dir || strings.HasPrefix(path, dir+"/")
}

// directories are some that are meant with all below them.
type directories map[string]bool

// hold reports whether a path is one of them, or below one.
func (d directories) hold(path string) bool {
	for !d[path] {
		i := strings.LastIndexByte(path, '/')
		if i < 0 {
			return false
		}
		if i == 0 {
			return d["/"]
		}
		path = path[:i]
	}
	return true
}

// addAbove adds all directories that a path is below.
func (d directories) addAbove(path string) {
	for i := strings.LastIndexByte(path, '/'); i > 0; i = strings.LastIndexByte(path, '/') {
		if path = path[:i]; d[path] {
			return
		}
		d[path] = true
	}
}

// notes are sentences, each once.
type notes []string

func (n *notes) add(format string, args ...any) {
	if s := fmt.Sprintf(format, args...); !slices.Contains(*n, s) {
		*n = append(*n, s)
	}
}

// some names the first of many paths.
func some(paths []string) string {
	const most = 8
	quoted := make([]string, 0, most)
	for _, p := range paths[:min(len(paths), most)] {
		quoted = append(quoted, quote.Word(p))
	}
	s := strings.Join(quoted, ", ")
	if len(paths) > most {
		s += fmt.Sprintf(" and %d others", len(paths)-most)
	}
	return s
}

// roomsOf are the directories that files come and go in, outer ones before those in them,
// and those among them for what does not stay. All of / is none.
func roomsOf(in *Input, seen sights) (rooms, passing []profile.Pattern, err error) {
	done := make(map[string]bool)
	for _, f := range in.Profile.Files {
		text := f.Pattern.String()
		if !seen.changes(f) || below(text, "/proc") || below(text, "/dev") {
			continue
		}
		room := seen.room(f.Pattern)
		name := room.String()
		switch {
		case done[name]:
		case name == "/":
			return nil, nil, fmt.Errorf("files come and go in %q itself, as %q did: what may be written to there is everything", "/", text)
		case seen.nothingStays(room):
			passing = append(passing, room)
		default:
			rooms = append(rooms, room)
		}
		done[name] = true
	}
	slices.SortFunc(rooms, func(a, b profile.Pattern) int { return strings.Compare(a.String()+"/", b.String()+"/") })
	outer := make(directories)
	rooms = slices.DeleteFunc(rooms, func(r profile.Pattern) bool {
		inner := outer.hold(r.String())
		outer[r.String()] = true
		return inner
	})
	return rooms, passing, nil
}

// nothingStays reports whether all that was made in a directory for temporary files was
// removed in the end.
func (s sights) nothingStays(p profile.Pattern) bool {
	dir := p.String()
	if (p.Base != profile.Tmp || !p.IsBase()) && dir != "/tmp" && dir != "/var/tmp" {
		return false
	}
	for name, f := range s {
		stays := (f.Classes&event.Create != 0) != (f.Classes&event.Delete != 0)
		if stays && below(name, dir) && s.room(profile.Literal(name)).String() == dir {
			return false
		}
	}
	return true
}

// noteAction tells that another file is refused, whatever happens to another call.
func (n *notes) noteAction(a profile.Action) {
	if a.Kind == profile.Log {
		n.add("other calls are logged and let through, but other files are refused: there is no dry run of that")
	}
}

// noteClosed tells what a format cannot keep closed in what it allows as a whole.
func (n *notes) noteClosed(closed []profile.Closed) {
	for _, c := range closed {
		n.add("%s is sensitive (%s) and was not seen, but is in what is allowed: this format cannot keep it closed", quote.Word(c.Pattern.String()), c.Why)
	}
}

func patternNames(patterns []profile.Pattern) []string {
	names := make([]string, 0, len(patterns))
	for _, p := range patterns {
		names = append(names, p.String())
	}
	return names
}

// anyProcess makes of what a process did with its own directory in /proc, or that of
// another, a pattern for those of all: they have other numbers in the next run, and
// whoever looks at real paths knows no "self".
func anyProcess(f profile.File) profile.File {
	p := f.Pattern
	if p.Base != profile.Root || p.First() != "proc" {
		return f
	}
	names := p.Names()
	for i, n := range names[1:] {
		task := i > 0 && slices.Equal(names[i], profile.Name{"task"})
		if len(n) == 1 && (i == 0 || task) && (n[0] == "self" || n[0] == "thread-self" || strings.Trim(n[0], "0123456789") == "") {
			names[i+1] = profile.Name{"", ""}
		}
	}
	f.Pattern = profile.Pattern{}.With(names...)
	f.Pattern.Tree = p.Tree
	return f
}
