package profile

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// SeenFile is one file of a trace, and what a program has to be allowed to do with it so
// that it can do the same again.
type SeenFile struct {
	// Path is absolute, without "//", "." and "..".
	Path    string
	Classes event.Class
	Code    Code
	Missing bool
	// Renamed and Linked say that it got another name, or is that name. Which two names
	// belong together a trace does not say.
	Renamed, Linked bool
	// Folded is set on a directory that stands for files in it.
	Folded bool
}

// SeenFiles are the files of a trace, in its order. What was not allowed when it was seen
// is left out: it fails again. The notes say what else is not as it was seen.
func SeenFiles(d *trace.Document) ([]SeenFile, []string) {
	s := seer{programs: programsOf(d), pids: pidsOf(d)}
	files := make([]SeenFile, 0, len(d.Files))
	for _, f := range d.Files {
		if seen, ok := s.see(f); ok {
			files = append(files, seen)
		}
	}
	return files, s.notes()
}

type seer struct {
	programs map[string]struct{}
	pids     map[string]int // id of the process with a pid, -1 for several

	nameless, refused, folded int
}

// see is what a file of a trace is.
func (s *seer) see(f *trace.File) (SeenFile, bool) {
	if !strings.HasPrefix(f.Path, "/") || strings.Contains(f.Path, "\x00") {
		s.nameless++
		return SeenFile{}, false
	}
	seen := SeenFile{Path: s.own(cleaned(f.Path), f), Classes: f.Classes, Code: s.code(f), Folded: f.Folded}
	seen.Renamed, seen.Linked = f.Ops.Get("rename") > 0, f.Ops.Get("link") > 0
	switch {
	case failed(f, "EACCES", "EPERM"):
		s.refused++
		return seen, false
	case failed(f, "ENOENT", "ENOTDIR"):
		// The error comes before anything is asked.
		seen.Missing, seen.Code, seen.Renamed, seen.Linked = true, 0, false, false
		seen.Classes &= event.Read | event.List | event.Stat
	}
	if f.Folded {
		s.folded++
	}
	return seen, seen.Classes != 0
}

// cleaned is path.Clean for a path that most often needs no change.
func cleaned(p string) string {
	if strings.Contains(p, "/.") || strings.Contains(p, "//") || strings.HasSuffix(p, "/") {
		return path.Clean(p)
	}
	return p
}

// failed says that a file was used in vain, with these errors alone.
func failed(f *trace.File, errors ...string) bool {
	var failures uint64
	for _, e := range errors {
		failures += f.Errors.Get(e)
	}
	return failures > 0 && failures >= f.Ops.Total()
}

// own puts /proc/self in the place of a process's own directory of /proc.
func (s *seer) own(p string, f *trace.File) string {
	rest, is := strings.CutPrefix(p, "/proc/")
	if !is {
		return p
	}
	pid, rest, _ := strings.Cut(rest, "/")
	id, known := s.pids[pid]
	if !known || len(f.Processes) != 1 || f.Processes[0] != id {
		return p
	}
	return strings.TrimSuffix("/proc/self/"+rest, "/")
}

// programsOf are the paths of what was executed.
func programsOf(d *trace.Document) map[string]struct{} {
	programs := make(map[string]struct{})
	for _, x := range d.Execs {
		programs[x.Path], programs[x.Interpreter] = struct{}{}, struct{}{}
	}
	for _, p := range d.Processes {
		programs[p.Exe] = struct{}{}
	}
	return programs
}

// code is how code of a file was run. An ELF interpreter is in no list of programs, and
// neither is a script between a script and its interpreter: their names tell them apart.
func (s *seer) code(f *trace.File) Code {
	var c Code
	if f.Ops.Get("map_exec") > 0 {
		c |= Mapped
	}
	if f.Ops.Get("exec") > 0 {
		if _, executed := s.programs[f.Path]; executed || !isLoader(path.Base(f.Path)) {
			c |= Program
		} else {
			c |= Loader
		}
	}
	return c
}

// isLoader says whether a name is one of a dynamic linker, as the ABIs have them:
// ld-linux-x86-64.so.2, ld-musl-aarch64.so.1, ld-2.31.so, ld.so.1.
func isLoader(name string) bool {
	rest, is := strings.CutPrefix(name, "ld")
	return is && strings.Contains(rest, ".so") && (rest[0] == '-' || rest[0] == '.' || rest[0] == '6')
}

func pidsOf(d *trace.Document) map[string]int {
	pids := make(map[string]int)
	for _, p := range d.Processes {
		key := strconv.Itoa(int(p.PID))
		if _, twice := pids[key]; twice {
			pids[key] = -1
			continue
		}
		pids[key] = p.ID
	}
	return pids
}

// notes say what was left out or added.
func (s *seer) notes() []string {
	var notes []string
	tell := func(n int, one, many string) {
		switch {
		case n == 1:
			notes = append(notes, one)
		case n > 1:
			notes = append(notes, fmt.Sprintf(many, n))
		}
	}
	tell(s.nameless, "a file without a path from the root is not allowed: no rule can name it",
		"%d files without a path from the root are not allowed: no rule can name them")
	tell(s.refused, "a file that the program was not allowed to use (EACCES, EPERM) is not allowed",
		"%d files that the program was not allowed to use (EACCES, EPERM) are not allowed")
	tell(s.folded, "the trace has a directory in the place of files in it: all files of it that are not hidden are allowed, unless it is sensitive",
		"the trace has %d directories in the place of files in them: all files of these that are not hidden are allowed, unless they are sensitive")
	return notes
}

// Literals are files each by itself.
func Literals(seen []SeenFile) []File {
	seen = slices.Clone(seen)
	slices.SortFunc(seen, func(a, b SeenFile) int { return cmp.Compare(a.text(), b.text()) })
	files := make([]File, 0, len(seen))
	for _, f := range seen {
		files = append(files, File{Pattern: f.literal(), Classes: f.Classes, Code: f.Code, Missing: f.Missing})
	}
	return files
}

// literal is the pattern of a file by itself, or of those that a directory stands for.
func (f *SeenFile) literal() Pattern {
	p := Literal(f.Path)
	if f.Folded {
		p = p.With(Name{"", ""})
	}
	return p
}

// text is the text of the literal pattern, which for nearly all is the path as it is.
func (f *SeenFile) text() string {
	if !f.Folded && len(f.Path) > 1 && f.Path[0] == '/' && f.Path[len(f.Path)-1] != '/' && !strings.Contains(f.Path, "//") {
		return f.Path
	}
	return f.literal().String()
}
