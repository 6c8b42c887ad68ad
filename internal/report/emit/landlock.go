package emit

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/profile"
)

var landlock = Format{
	Name:      "landlock",
	For:       "the JSON of landlockconfig (its specification is still unstable; this is of 2026-07), for llconfig and others",
	CheckedBy: "the schema of landlockconfig, Landlock of the kernel",
	Enforces:  true,
	Sections:  profile.Processes | profile.Files | profile.Sockets,
	Notes:     func(in *Input) []string { return once(in, landlockOf).notes },
	Write: func(w io.Writer, in *Input) error {
		l := once(in, landlockOf)
		if l.err != nil {
			return l.err
		}
		c := l.config()
		if incomplete := mayLack(in.Profile, profile.Processes|profile.Files|profile.Sockets); incomplete != "" {
			// There are no comments, but a variable need not be used.
			c.Variable = append(c.Variable, landlockVar{"incomplete", []string{incomplete}})
		}
		return writeJSON(w, c)
	},
}

// landlockConfig is schema/landlockconfig.json of landlockconfig.
type landlockConfig struct {
	ABI         int               `json:"abi"`
	Variable    []landlockVar     `json:"variable,omitempty"`
	Ruleset     []landlockRuleset `json:"ruleset"`
	PathBeneath []landlockPath    `json:"pathBeneath,omitempty"`
	NetPort     []landlockPort    `json:"netPort,omitempty"`
}

type landlockVar struct {
	Name    string   `json:"name"`
	Literal []string `json:"literal"`
}

type landlockRuleset struct {
	Fs    []string `json:"handledAccessFs"`
	Net   []string `json:"handledAccessNet,omitempty"`
	Scope []string `json:"scoped,omitempty"`
}

type landlockPath struct {
	Access []string `json:"allowedAccess"`
	Parent []string `json:"parent"`
}

type landlockPort struct {
	Access []string `json:"allowedAccess"`
	Port   []uint16 `json:"port"`
}

// landlockABI is the newest version of Landlock that the specification has the rights of.
const landlockABI = 6

// landlockFs are the rights, in the order of LANDLOCK_ACCESS_FS_* (linux/landlock.h).
var landlockFs = []string{
	"execute", "write_file", "read_file", "read_dir", "remove_dir", "remove_file", "make_char", "make_dir",
	"make_reg", "make_sock", "make_fifo", "make_block", "make_sym", "refer", "truncate", "ioctl_dev",
}

// landlockNet are those of ports, LANDLOCK_ACCESS_NET_*.
var landlockNet = []string{"bind_tcp", "connect_tcp"}

// rightSet has a bit for each of a list of rights: there may be a million paths.
type rightSet uint32

// landlockRules are the rights of each path, and of each port.
type landlockRules struct {
	paths     map[string]rightSet
	ports     map[uint16]rightSet
	variables map[string]string
	net       bool
	scope     []string
	notes     notes
	rooms     directories
	wide      directories
	err       error
}

func landlockOf(in *Input) *landlockRules {
	l := &landlockRules{
		paths: make(map[string]rightSet), ports: make(map[uint16]rightSet), variables: make(map[string]string),
		rooms: make(directories), wide: make(directories),
		net: in.Profile.Sockets != nil, scope: []string{"signal"},
	}
	seen := sightsOf(in)
	_, _, l.err = roomsOf(in, seen)
	for _, f := range in.Profile.Files {
		l.addFile(anyProcess(f), seen)
	}
	if rooms := slices.Sorted(maps.Keys(l.rooms)); len(rooms) > 0 {
		l.notes.add("with all below them these have the rights of each file that came or went there: %s", some(rooms))
	}
	if wide := slices.Sorted(maps.Keys(l.wide)); len(wide) > 0 {
		l.notes.add("with all below them these have the rights of what a wildcard stands for, which Landlock does not have: %s", some(wide))
	}
	l.addSockets(in)
	l.notes.noteClosed(in.Profile.Closed)
	l.notes.add("what is refused fails with EACCES: there is no other action, and no dry run")
	l.notes.add("Landlock holds neither calls nor who looks whether a file is there, changes its attributes or connects to a socket by its path")
	return l
}

// addFile gives a file its rights. Rules are about what is there when they are loaded: what
// is made later has its rights from the directory, and so have all the others in it.
func (l *landlockRules) addFile(f profile.File, seen sights) {
	own, entry := landlockRights(f), landlockEntry(f, seen)
	if f.Missing {
		return // there is nothing to have rights
	}
	at := f.Pattern.Fixed()
	switch {
	case len(entry) > 0 && seen.changes(f):
		room := seen.room(f.Pattern)
		l.grant(room, entry)
		l.rooms[room.String()] = true
		if f.Classes&event.Create != 0 {
			at = room
		}
	case !f.Pattern.IsLiteral() && !f.Pattern.Tree:
		l.wide[at.String()] = true
	}
	if len(own) > 0 {
		l.grant(at, own)
		if slices.Contains(own, "read_dir") {
			l.notes.add("a directory that was listed may be listed with all directories below it")
		}
	}
}

// landlockRights are the rights on a file itself. What is executed is read by the kernel on
// behalf of the program (security/landlock/fs.c, get_required_file_open_access).
func landlockRights(f profile.File) []string {
	var rights []string
	for _, r := range []struct {
		class  event.Class
		rights []string
	}{
		{event.Read, []string{"read_file"}},
		{event.List, []string{"read_dir"}},
		{event.Write, []string{"write_file", "truncate"}},
	} {
		if f.Classes&r.class != 0 {
			rights = append(rights, r.rights...)
		}
	}
	if f.Classes&event.Exec != 0 && f.Code != profile.Mapped {
		rights = append(rights, "execute", "read_file")
	}
	if len(rights) > 0 && below(f.Pattern.String(), "/dev") {
		rights = append(rights, "ioctl_dev")
	}
	return rights
}

// landlockEntry are the rights on the directory of a file, for it to come or to go.
func landlockEntry(f profile.File, seen sights) []string {
	var rights []string
	add := func(class event.Class, right string, ops ...event.Op) {
		if f.Classes&class != 0 && seen.did(f.Pattern, ops...) {
			rights = append(rights, right)
		}
	}
	add(event.Create, "make_reg", event.OpOpen, event.OpLink, event.OpRename, event.OpMknod)
	add(event.Create, "make_dir", event.OpMkdir, event.OpRename)
	add(event.Create, "make_sym", event.OpSymlink, event.OpRename)
	add(event.Create, "make_fifo", event.OpMknod, event.OpRename)
	add(event.Create, "make_sock", event.OpMknod, event.OpRename, event.OpBind)
	add(event.Delete, "remove_file", event.OpUnlink, event.OpRename)
	add(event.Delete, "remove_dir", event.OpRmdir, event.OpRename)
	add(event.Create|event.Delete, "refer", event.OpLink, event.OpRename)
	return rights
}

func (l *landlockRules) grant(p profile.Pattern, rights []string) {
	base := p.At
	if p.Base == profile.Home || p.Base == profile.CWD || p.Base == profile.Tmp {
		name := map[profile.Base]string{profile.Home: "home", profile.CWD: "cwd", profile.Tmp: "tmp"}[p.Base]
		l.variables[name] = p.At
		base = "${" + name + "}"
	}
	if name := p.String(); l.err == nil && !utf8.ValidString(name) {
		l.err = fmt.Errorf("the path %q is not UTF-8, and paths of landlockconfig are JSON", name)
	}
	path := shared(p.Format(base, landlockEscape, "", ""), p)
	for _, r := range rights {
		l.paths[path] |= 1 << slices.Index(landlockFs, r)
	}
}

// landlockEscape keeps a path from having variables in it.
func landlockEscape(s string) string { return strings.ReplaceAll(s, "$", "$$") }

func (l *landlockRules) addSockets(in *Input) {
	abstract := false
	for _, s := range in.Profile.Sockets {
		right := map[string]string{"bind": "bind_tcp", "connect": "connect_tcp"}[s.Op]
		if (s.Family == "inet" || s.Family == "inet6") && s.Type == "stream" && s.Port != nil && right != "" {
			l.ports[*s.Port] |= 1 << slices.Index(landlockNet, right)
		}
		abstract = abstract || s.Abstract && s.Op != "bind" && s.Op != "listen"
	}
	switch {
	case !l.net:
		l.notes.add("sockets were not watched, so the network is not held")
	case abstract:
		l.notes.add("unix sockets without a file were used, so those of all processes may be")
	default:
		l.scope = append([]string{"abstract_unix_socket"}, l.scope...)
	}
	if l.net {
		l.notes.add("of the network Landlock holds the ports of TCP, whatever the address")
	}
}

// config has one rule for all paths of the same rights.
func (l *landlockRules) config() landlockConfig {
	ruleset := landlockRuleset{Fs: landlockFs, Scope: l.scope}
	if l.net {
		ruleset.Net = landlockNet
	}
	c := landlockConfig{ABI: landlockABI, Ruleset: []landlockRuleset{ruleset}}
	for _, name := range slices.Sorted(maps.Keys(l.variables)) {
		c.Variable = append(c.Variable, landlockVar{name, []string{l.variables[name]}})
	}
	for _, g := range alike(l.paths, landlockFs) {
		c.PathBeneath = append(c.PathBeneath, landlockPath{g.rights, g.of})
	}
	for _, g := range alike(l.ports, landlockNet) {
		c.NetPort = append(c.NetPort, landlockPort{g.rights, g.of})
	}
	return c
}

// group is what has the same rights.
type group[K string | uint16] struct {
	rights []string
	of     []K
}

// alike are the groups of what has rights, in the order of their first members.
func alike[K string | uint16](all map[K]rightSet, names []string) []group[K] {
	var groups []group[K]
	at := make(map[rightSet]int)
	for _, k := range slices.Sorted(maps.Keys(all)) {
		i, known := at[all[k]]
		if !known {
			i = len(groups)
			at[all[k]] = i
			var rights []string
			for bit, name := range names {
				if all[k]&(1<<bit) != 0 {
					rights = append(rights, name)
				}
			}
			groups = append(groups, group[K]{rights: rights})
		}
		groups[i].of = append(groups[i].of, k)
	}
	return groups
}
