package collapse

import (
	"fmt"
	"slices"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/profile"
)

// contents are the classes of access to what is in a file, and not to its name.
const contents = event.Read | event.Write | event.Attr | event.Exec

// letMove allows with files that were renamed what is done with others that were, and with
// those that were linked likewise. Who holds a program to a policy lets no file have a name
// under which more is allowed with it than before.
func (c *collapser) letMove() {
	changed := make(map[*file]struct{})
	renamed := func(f *file) bool { return f.renamed }
	linked := func(f *file) bool { return f.linked }
	for c.share(renamed, changed) || c.share(linked, changed) {
	}
	if n := len(changed); n > 0 {
		c.notes = append(c.notes, fmt.Sprintf("%s of renamed or linked files allow what is done with others of these", count(n, "pattern")))
	}
}

// share allows with each of some files what is done with all of them, and says whether that
// is more than it was.
func (c *collapser) share(some func(*file) bool, changed map[*file]struct{}) (more bool) {
	var all event.Class
	var code profile.Code
	for _, f := range c.files {
		if some(f) {
			all |= contentsOf(f)
			code |= f.code & profile.Program
		}
	}
	for _, f := range c.files {
		if some(f) && all&^contentsOf(f) != 0 {
			f.classes |= all
			f.code |= code
			f.covered = false
			changed[f] = struct{}{}
			more = true
		}
	}
	return more
}

func contentsOf(f *file) event.Class {
	if f.code&profile.Program == 0 {
		return f.classes & contents &^ event.Exec
	}
	return f.classes & contents
}

// movesPrograms says whether a file that is executed was renamed. What was renamed to it is
// to be executed too then, and not all that is beside it.
func (c *collapser) movesPrograms() bool {
	return slices.ContainsFunc(c.files, func(f *file) bool { return f.renamed && f.code&profile.Program != 0 })
}

func count(n int, what string) string {
	if n == 1 {
		return "a " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
