package resolve

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// node is a file of a model: a filesystem in a map, with a walk of its own.
type node struct {
	kind    uint32 // S_IFDIR, S_IFREG, S_IFLNK
	parent  *node
	entries map[string]*node
	text    string // of a link; one that begins with a slash starts at the root of the model
	order   []string
	stat    unix.Stat_t
}

func newDir(parent *node) *node {
	return &node{kind: unix.S_IFDIR, parent: parent, entries: make(map[string]*node)}
}

func (n *node) add(name string, child *node) bool {
	if _, taken := n.entries[name]; taken {
		return false
	}
	n.entries[name] = child
	n.order = append(n.order, name)
	return true
}

// errOutside says that a walk has left the model.
var errOutside = unix.Errno(1 << 20)

// walker is one lookup in the model: path_resolution(7).
type walker struct {
	root  *node
	links int
}

// walk finds a file, or where a missing one would be: a directory, and a name there.
func (w *walker) walk(at *node, path string, follow bool) (found, dir *node, name string, err unix.Errno) {
	if path == "" {
		return nil, nil, "", unix.ENOENT
	}
	if path[0] == '/' {
		at = w.root
	}
	var components []string
	for c := range strings.SplitSeq(path, "/") {
		if c != "" {
			components = append(components, c)
		}
	}
	slash := strings.HasSuffix(path, "/")
	for i, c := range components {
		last := i == len(components)-1
		if at.kind != unix.S_IFDIR {
			return nil, nil, "", unix.ENOTDIR
		}
		switch c {
		case ".":
			continue
		case "..":
			if at = at.parent; at == nil {
				return nil, nil, "", errOutside
			}
			continue
		}
		next := at.entries[c]
		switch {
		case next == nil && last:
			if slash {
				c += "/"
			}
			return nil, at, c, unix.ENOENT
		case next == nil:
			return nil, nil, "", unix.ENOENT
		}
		if next.kind == unix.S_IFLNK && (!last || follow || slash) {
			if w.links++; w.links > 40 {
				return nil, nil, "", unix.ELOOP
			}
			there, dir, name, err := w.walk(at, next.text, true)
			if err != 0 {
				if !last || slash {
					dir, name = nil, "" // nothing is made by such a path
				}
				return nil, dir, name, err
			}
			next = there
		}
		at = next
	}
	if slash && at.kind != unix.S_IFDIR {
		return nil, nil, "", unix.ENOTDIR
	}
	return at, nil, "", 0
}

// model is a tree and the paths that are looked up in it, read from bytes.
type model struct {
	input []byte
	root  *node
	dirs  []*node
	start *node
	paths []string
}

func (m *model) byte() int {
	if len(m.input) == 0 {
		return 0
	}
	b := m.input[0]
	m.input = m.input[1:]
	return int(b)
}

var modelNames = []string{"a", "b", "c", "a (deleted)", "x\ny", "\xff", "..", "..", "."}

func (m *model) path() string {
	b := m.byte()
	count, absolute, slash := 1+b&3+b>>2&1, b>>3&3 == 3, b>>5&3 == 3
	var p strings.Builder
	if absolute {
		p.WriteString("/")
	}
	for i := range count {
		if i > 0 {
			p.WriteString("/")
		}
		n := m.byte()
		p.WriteString(modelNames[n%len(modelNames)])
		if n >= 240 {
			p.WriteString("/")
		}
	}
	if slash {
		p.WriteString("/")
	}
	return p.String()
}

func newModel(input []byte) *model {
	m := &model{input: input, root: newDir(nil)}
	m.dirs = []*node{m.root}
	for range m.byte() % 13 {
		dir, name := m.dirs[m.byte()%len(m.dirs)], modelNames[m.byte()%6]
		switch kind := m.byte() % 8; {
		case kind < 2:
			if child := newDir(dir); dir.add(name, child) {
				m.dirs = append(m.dirs, child)
			}
		case kind == 2:
			dir.add(name, &node{kind: unix.S_IFREG})
		case kind == 3: // a chain, for the limit
			n := m.byte() % 45
			text := name
			for i := range n {
				next := fmt.Sprintf("chain%d", i)
				dir.add(next, &node{kind: unix.S_IFLNK, text: text})
				text = next
			}
		default:
			dir.add(name, &node{kind: unix.S_IFLNK, text: m.path()})
		}
	}
	m.start = m.dirs[m.byte()%len(m.dirs)]
	for len(m.input) > 0 && len(m.paths) < 24 {
		p := m.path()
		if m.byte() > 250 {
			p = fmt.Sprintf("chain%d", m.byte()%45)
		}
		m.paths = append(m.paths, p)
	}
	return m
}

// make makes the tree below a directory.
func (m *model) make(t *testing.T, at *node, dir, root string) {
	for _, name := range at.order {
		child, where := at.entries[name], dir+"/"+name
		var err error
		switch child.kind {
		case unix.S_IFDIR:
			if err = os.Mkdir(where, 0o755); err == nil {
				m.make(t, child, where, root)
			}
		case unix.S_IFREG:
			err = os.WriteFile(where, nil, 0o600)
		default:
			text := child.text
			if text[0] == '/' {
				text = root + text
			}
			err = os.Symlink(text, where)
		}
		if err == nil {
			err = unix.Lstat(where, &child.stat)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// pathOf is where the model has a directory.
func (m *model) pathOf(dir *node, root string) string {
	if dir.parent == nil {
		return root
	}
	for name, child := range dir.parent.entries {
		if child == dir {
			return m.pathOf(dir.parent, root) + "/" + name
		}
	}
	panic("a directory that is nowhere")
}

// FuzzResolve compares lookups with those in a model of the same tree.
func FuzzResolve(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("\x04\x00\x00\x00\x01\x01\x00\x00\x01\x06\x02\x00\x00\x07\x00\x00\x05\x01\x00\x00\x08\x01\x06\x00"))
	f.Add([]byte("\x02\x00\x00\x02\x00\x01\x03\x29\x00\x00\x00\xff\x27\x00\x00\xff\x28\x00\x00\xff\x29"))
	f.Add([]byte("\x05\x00\x00\x00\x01\x01\x00\x00\x02\x04\x18\x00\x01\x03\x04\x78\x00\x02\x03\x04\x60\x01\x00\x01\x61\x00\x01\x00\x78\x02\x00\x00\x05\x02\x06\x03"))
	f.Add([]byte("\x06\x00\x00\x04\x00\x01\x00\x01\x04\x00\x00\x00\x02\x05\x02\x06\x00\x00\x00\x00\x62\x00\x01\x00\x00\x02\x00\x04\x01\x01\x06\x06"))
	dir := realTempDir(f)
	target := us(f)
	count := 0
	f.Fuzz(func(t *testing.T, input []byte) {
		if len(input) > 256 {
			return
		}
		noLeak(t)
		m := newModel(input)
		count++
		root := fmt.Sprintf("%s/%d-%d", dir, os.Getpid(), count)
		if err := os.Mkdir(root, 0o755); err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(root)
		if err := unix.Lstat(root, &m.root.stat); err != nil {
			t.Fatal(err)
		}
		m.make(t, m.root, root, root)
		start := pinned(t, m.pathOf(m.start, root))
		for _, path := range m.paths {
			for _, follow := range []bool{true, false} {
				w := walker{root: m.root}
				want, wantDir, wantName, wantErr := w.walk(m.start, path, follow)
				if wantErr == errOutside {
					continue
				}
				name := path
				if name[0] == '/' {
					name = root + name
				}
				o, err := target.File(Lookup{Dir: start, Name: name, Follow: follow})
				compareWithModel(t, m, root, fmt.Sprintf("%q (follow %v)", path, follow), &o, errnoOf(t, err), want, wantDir, wantName, wantErr)
				o.Close()
			}
		}
		if t.Failed() {
			t.Log(tree(root))
		}
	})
}

func compareWithModel(t *testing.T, m *model, root, what string, o *Object, err unix.Errno, want, wantDir *node, wantName string, wantErr unix.Errno) {
	switch {
	case wantErr == unix.ENOENT && wantDir != nil:
		if err != 0 || o.Exists() {
			t.Errorf("%s: %v, exists %v, want that it could be made", what, err, o.Exists())
			return
		}
		var stat unix.Stat_t
		if err := unix.Fstat(o.Dir, &stat); err != nil || !sameFile(&stat, &wantDir.stat) || o.Name != wantName {
			t.Errorf("%s: %q of another place, want %q in %q", what, o.Name, wantName, m.pathOf(wantDir, root))
		}
	case err != wantErr:
		t.Errorf("%s: %v, want %v", what, err, wantErr)
	case wantErr != 0:
	case !o.Exists():
		t.Errorf("%s: it is missing in %q", what, o.Path)
	case !sameFile(&o.Stat, &want.stat):
		t.Errorf("%s: %q is not the file", what, o.Path)
	default:
		var stat unix.Stat_t
		if err := unix.Lstat(o.Path, &stat); err != nil || !sameFile(&stat, &want.stat) || !o.Named() {
			t.Errorf("%s: %q is not its name", what, o.Path)
		}
	}
}
