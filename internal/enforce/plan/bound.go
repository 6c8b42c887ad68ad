package plan

import (
	"cmp"
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/landlock"
	"github.com/turnstile-project/turnstile/internal/policy"
	"github.com/turnstile-project/turnstile/internal/quote"
)

// Bound is what Landlock holds the target to: no more than the policy allows whatever
// else is true. What is allowed beyond is performed by the gate, which is not bound.
type Bound struct {
	// ABI is the version of Landlock, 0 if there is none.
	ABI int
	// Held are the classes that Landlock denies wherever no grant has them.
	Held   event.Class
	Grants []Grant
	Scope  landlock.Scope
	// Network is denied by Landlock too: what is allowed of it the gate does.
	Network landlock.Network
	// Fast are the classes of which the grants are all that the policy says.
	Fast event.Class
	// Notes say why there is not more.
	Notes []Note
}

// Grant is an existing file, or a directory with all below it.
type Grant struct {
	Path      string
	Directory bool
	Classes   event.Class
}

// Note says why something is not left to Landlock.
type Note struct {
	Path    string // "" for all of a class
	Classes event.Class
	Reason  string
}

// The versions of the ABI that brought what is used here
// (Documentation/userspace-api/landlock.rst).
const (
	abiTruncate = 3
	abiNetwork  = 4
	abiScopes   = 6
)

// holdable are the classes that have rights of Landlock. To stat, to change attributes and
// to connect to a socket by its path have none before ABI 9.
const holdable = event.Read | event.Write | event.Create | event.Delete | event.List

// ViewDoors are those by which a process comes to a root directory or to namespaces of its
// own.
const ViewDoors = policy.DoorChroot | policy.DoorMount | policy.DoorNamespaces

// Rights are those of some classes, held or granted. Devices are never made by the target
// itself.
func Rights(classes event.Class, abi int) (held, granted landlock.Rights) {
	const devices = unix.LANDLOCK_ACCESS_FS_MAKE_CHAR | unix.LANDLOCK_ACCESS_FS_MAKE_BLOCK
	for class, rights := range map[event.Class]landlock.Rights{
		event.Read:   unix.LANDLOCK_ACCESS_FS_READ_FILE,
		event.List:   unix.LANDLOCK_ACCESS_FS_READ_DIR,
		event.Write:  unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE,
		event.Delete: unix.LANDLOCK_ACCESS_FS_REMOVE_FILE | unix.LANDLOCK_ACCESS_FS_REMOVE_DIR,
		event.Create: unix.LANDLOCK_ACCESS_FS_MAKE_REG | unix.LANDLOCK_ACCESS_FS_MAKE_DIR | unix.LANDLOCK_ACCESS_FS_MAKE_SYM |
			unix.LANDLOCK_ACCESS_FS_MAKE_FIFO | unix.LANDLOCK_ACCESS_FS_MAKE_SOCK | devices,
	} {
		if classes&class != 0 {
			held |= rights
		}
	}
	if abi < abiTruncate {
		held &^= unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	return held, held &^ devices
}

// ofFiles are the classes that a grant of one file can have.
const ofFiles = event.Read | event.Write

// Bind makes the bound of a policy on a kernel with this version of Landlock.
func Bind(p *policy.Policy, abi int, files Files) (*Bound, error) {
	b := &binder{Bound: Bound{ABI: abi}, policy: p, files: files, at: map[string]*Grant{}}
	if abi == 0 {
		b.note("", holdable, "this kernel has no Landlock (Linux 5.13), or it is not enabled")
		return &b.Bound, nil
	}
	var err error
	if b.mounts, err = files.Mounts(); err != nil {
		return nil, err
	}
	b.scope()
	b.network()
	b.hold()
	b.grant()
	b.findFast()
	return &b.Bound, nil
}

type binder struct {
	Bound
	policy *policy.Policy
	files  Files
	mounts []Mount
	at     map[string]*Grant
	listed int
}

func (b *binder) note(path string, classes event.Class, reason string) {
	for i := range b.Notes {
		if n := &b.Notes[i]; n.Path == path && n.Reason == reason {
			n.Classes |= classes
			return
		}
	}
	b.Notes = append(b.Notes, Note{path, classes, reason})
}

// scope keeps signals among the processes of the target, and abstract sockets, if sockets
// are denied where nothing is said about them.
func (b *binder) scope() {
	if b.ABI < abiScopes {
		return
	}
	b.Scope = landlock.Signals
	if b.policy.Default != event.VerdictAllow {
		b.Scope |= landlock.AbstractSockets
	}
}

// network denies TCP as a floor below the gate, which connects and binds what is allowed.
// It is the gate's alone where nothing is allowed without a rule, and nobody is let past it.
func (b *binder) network() {
	if b.ABI >= abiNetwork && b.policy.Default != event.VerdictAllow && b.policy.Open&ViewDoors == 0 {
		b.Network = landlock.TCP
	}
}

// hold chooses the classes.
func (b *binder) hold() {
	if b.policy.Default == event.VerdictAllow {
		b.note("", holdable, "what no rule is about is allowed, and Landlock can only deny that")
		return
	}
	if b.policy.Open&ViewDoors != 0 {
		b.note("", holdable, "a side door that is open lets processes have other names for files, or mount, which Landlock forbids")
		return
	}
	b.Held = holdable
	for i := range b.policy.Rules {
		r := &b.policy.Rules[i]
		for j := range r.Patterns {
			// One of the names of a file is judged for all of them, which is more than
			// the hierarchy of directories says.
			path, literal := r.Patterns[j].Literal()
			if !literal || r.Verdict == event.VerdictAllow || r.Classes&holdable == 0 {
				continue
			}
			if e, err := b.files.Look(path); err == nil && e.Names > 1 && !e.Directory {
				b.note(path, r.Classes&holdable, "has other names, which "+quoted(r)+" is about too")
				b.Held &^= r.Classes
			}
		}
	}
}

// Bounds for directories with many entries, and policies with many rules.
const (
	maxListed = 64
	maxGrants = 1024
)

// grant goes through what rules allow.
func (b *binder) grant() {
	trees, files := map[string]event.Class{}, map[string]event.Class{}
	for i := range b.policy.Rules {
		r := &b.policy.Rules[i]
		classes := r.Classes & b.Held
		if r.Verdict != event.VerdictAllow || classes == 0 {
			continue
		}
		for j := range r.Patterns {
			if dir, ok := r.Patterns[j].Tree(); ok {
				trees[dir] |= classes
			} else if path, ok := r.Patterns[j].Literal(); ok {
				files[path] |= classes
			} else {
				b.note(r.Patterns[j].String(), classes, "is neither one file nor a directory with all below it")
			}
		}
	}
	for _, dir := range sortedKeys(trees) {
		b.grantTree(dir, trees[dir])
	}
	for _, path := range sortedKeys(files) {
		b.grantFile(path, files[path])
	}
	b.letExecute()
	b.Grants = make([]Grant, 0, len(b.at))
	for _, path := range sortedKeys(b.at) {
		if g := b.at[path]; g.Classes != 0 {
			b.Grants = append(b.Grants, *g)
		}
	}
	if len(b.Grants) == 0 {
		b.Held = 0
	}
}

// letExecute gives up to hold reads if a program that may be executed could not be read:
// the kernel asks for both rights then (security/landlock/fs.c,
// get_required_file_open_access), and nobody can execute on behalf of another. The same is
// true of dynamic linkers, which need no rule.
func (b *binder) letExecute() {
	if b.policy.Default == event.VerdictAsk {
		b.dropRead("", "who is asked may let any program be executed, for which Landlock wants it to be granted for reading")
		return
	}
	for _, linker := range b.files.Linkers() {
		if b.granted(linker)&event.Read == 0 {
			b.dropRead(linker, "is a dynamic linker, which has to be granted for reading where programs are executed")
			return
		}
	}
	for i := range b.policy.Rules {
		r := &b.policy.Rules[i]
		if r.Classes&event.Exec == 0 || r.Verdict == event.VerdictDeny {
			continue
		}
		for j := range r.Patterns {
			if strings.HasPrefix(r.Patterns[j].String(), "/memfd:") {
				continue // it has no directory, and Landlock lets it be
			}
			if path, ok := b.ungranted(&r.Patterns[j], event.Read); ok {
				b.dropRead(path, "by "+quoted(r)+" it may be executed, for which Landlock wants it to be granted for reading")
				return
			}
		}
	}
}

func (b *binder) dropRead(path, reason string) {
	b.note(path, event.Read, reason)
	b.Held &^= event.Read
	for _, g := range b.at {
		g.Classes &^= event.Read
	}
}

// ungranted is what a pattern has that is not granted for a class, if there is such. Of a
// spelling with links Landlock knows nothing: what they lead to is another spelling.
func (b *binder) ungranted(pattern *policy.Pattern, class event.Class) (path string, ok bool) {
	path, tree := pattern.Tree()
	if !tree {
		var literal bool
		if path, literal = pattern.Literal(); !literal {
			return pattern.String(), b.granted(path)&class == 0
		}
	}
	if _, err := b.files.Look(path); errors.Is(err, errLink) {
		return "", false
	}
	return path, b.granted(path)&class == 0
}

// grantFile grants one file. Who may open it could keep it open, whatever becomes of its
// name.
func (b *binder) grantFile(path string, classes event.Class) {
	if classes &^= b.granted(path); classes == 0 {
		return
	}
	e, err := b.files.Look(path)
	switch {
	case err != nil:
		b.note(path, classes, reasonOf(err))
		return
	case e.Directory:
		b.note(path, classes, "is a directory without what is below it")
		return
	}
	var granted event.Class
	for class := range each(classes & ofFiles) {
		if b.policy.Always(class, path) {
			granted |= class
		}
	}
	if left := classes &^ granted; left != 0 {
		b.note(path, left, "is one file, of which Landlock can grant "+ofFiles.String()+", if no rule says otherwise")
	}
	b.add(path, false, granted)
}

// grantTree grants a directory, or of one below which some rule bites, those entries that
// it does not bite. What comes later into such a directory is not granted.
func (b *binder) grantTree(dir string, classes event.Class) {
	if classes &^= b.granted(dir); classes == 0 {
		return
	}
	e, err := b.files.Look(dir)
	if err != nil {
		b.note(dir, classes, reasonOf(err))
		return
	}
	if !e.Directory {
		b.grantFile(dir, classes)
		return
	}
	var all, some event.Class
	for class := range each(classes) {
		switch extent, why := b.extent(class, dir); extent {
		case policy.All:
			all |= class
		case policy.Some:
			some |= class
			b.note(dir, class, why+", so only what is in it now is granted, where that does not bite")
		case policy.Nothing:
			b.note(dir, class, why)
		}
	}
	b.add(dir, true, all)
	if some == 0 {
		return
	}
	if b.listed++; b.listed > maxListed || len(b.at) > maxGrants {
		b.note(dir, some, "is one directory too many to look into")
		return
	}
	names, err := b.files.Directories(dir)
	if err != nil {
		b.note(dir, some, reasonOf(err))
		return
	}
	for _, name := range names {
		if len(b.at) <= maxGrants {
			b.grantTree(filepath.Join(dir, name), some)
		}
	}
}

// extent is what the policy says of a directory, and what other mounts add to it. Names
// below /proc depend on who looks, and the gate has its own there.
func (b *binder) extent(class event.Class, dir string) (policy.Extent, string) {
	extent, r := b.policy.Extent(class, dir)
	why := "nothing is allowed there whatever else is true"
	if r != nil {
		why = quoted(r) + " bites there"
	}
	if extent == policy.Nothing {
		return extent, why
	}
	for _, m := range b.mounts {
		switch {
		case m.Proc && isBelow(dir, m.Point):
			return policy.Nothing, "names of processes are always judged"
		case m.Proc && isBelow(m.Point, dir) && extent == policy.All:
			extent, why = policy.Some, "it has "+quote.Word(m.Point)+" below it"
		}
	}
	// A second mount of the directory has its own names, and perhaps mounts below them.
	for _, other := range namesByMounts(b.mounts, dir) {
		if e, _ := b.policy.Extent(class, other); e != policy.All {
			return policy.Nothing, "it is mounted at " + quote.Word(other) + " too, where not all is allowed"
		}
	}
	return extent, why
}

func (b *binder) add(path string, directory bool, classes event.Class) {
	if classes &^= b.granted(path); classes == 0 {
		return
	}
	g := b.at[path]
	if g == nil {
		g = &Grant{Path: path, Directory: directory}
		b.at[path] = g
	}
	g.Classes |= classes
}

// granted are the classes that a path has by the grants of its directories, and its own.
func (b *binder) granted(path string) (classes event.Class) {
	for {
		if g := b.at[path]; g != nil {
			classes |= g.Classes
		}
		if path == "/" {
			return classes
		}
		path = filepath.Dir(path)
	}
}

// findFast finds the classes of which the grants are all that the policy says: then nobody
// has to be asked about them.
func (b *binder) findFast() {
	b.Fast = b.Held
	if b.ABI < abiTruncate {
		b.Fast &^= event.Write // O_RDONLY with O_TRUNC writes
	}
	if b.policy.Default == event.VerdictAsk {
		b.Fast = 0
	}
	for i := range b.policy.Rules {
		r := &b.policy.Rules[i]
		switch {
		case r.Verdict == event.VerdictAsk,
			r.Verdict == event.VerdictDeny && cmp.Or(r.Errno, unix.EACCES) != unix.EACCES:
			b.Fast &^= r.Classes
		case r.Verdict == event.VerdictAllow:
			for class := range each(r.Classes & b.Fast) {
				if !b.exact(r, class) {
					b.Fast &^= class
				}
			}
		}
		if r.Verdict != event.VerdictDeny && r.Classes&event.Bind != 0 {
			// While a path is bound nobody may change what it leads to.
			b.Fast &^= event.Create | event.Delete
		}
	}
}

// exact says whether all that a rule allows is granted, and no more.
func (b *binder) exact(r *policy.Rule, class event.Class) bool {
	for i := range r.Patterns {
		_, tree := r.Patterns[i].Tree()
		_, literal := r.Patterns[i].Literal()
		if _, left := b.ungranted(&r.Patterns[i], class); left || !tree && !literal {
			return false
		}
	}
	return true
}

func isBelow(name, dir string) bool {
	return dir == "/" || strings.HasPrefix(name, dir) && (len(name) == len(dir) || name[len(dir)] == '/')
}

func quoted(r *policy.Rule) string { return quote.Always(r.Name) }

// each goes through the classes of a set.
func each(classes event.Class) func(func(event.Class) bool) {
	return func(yield func(event.Class) bool) {
		for ; classes != 0; classes &= classes - 1 {
			if !yield(classes & -classes) {
				return
			}
		}
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
