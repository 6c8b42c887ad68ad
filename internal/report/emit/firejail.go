package emit

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/profile"
	"github.com/turnstile-project/turnstile/internal/trace"
)

var firejail = Format{
	Name:       "firejail",
	For:        "a profile of firejail(1): calls, families of sockets, and files outside of /usr",
	CheckedBy:  "firejail",
	Enforces:   true,
	Sections:   profile.AllSections,
	Vocabulary: profile.Numbers,
	Runtime:    "firejail",
	Notes:      func(in *Input) []string { return once(in, firejailOf).notes },
	Write: func(w io.Writer, in *Input) error {
		f := once(in, firejailOf)
		if f.err != nil {
			return f.err
		}
		b := bufio.NewWriter(w)
		for _, l := range about(in, profile.AllSections, f.notes) {
			b.WriteString("# " + l + "\n")
		}
		b.WriteByte('\n')
		for _, l := range f.lines {
			b.WriteString(l + "\n")
		}
		return b.Flush()
	},
}

// firejailProfile is made of lines (firejail-profile(5)).
type firejailProfile struct {
	lines []string
	has   map[string]struct{}
	notes notes
	err   error
}

func firejailOf(in *Input) *firejailProfile {
	f := &firejailProfile{has: make(map[string]struct{})}
	f.addCalls(in.Profile)
	f.addSockets(in)
	f.addPrivileges(in)
	f.addFiles(in)
	f.notes.noteClosed(in.Profile.Closed)
	f.notes.noteAction(in.Profile.Default)
	f.notes.add("whether memory is written and executed is not in a trace: memory-deny-write-execute may be added")
	return f
}

func (f *firejailProfile) line(format string, args ...any) {
	l := fmt.Sprintf(format, args...)
	if _, has := f.has[l]; !has {
		f.has[l] = struct{}{}
		f.lines = append(f.lines, l)
	}
}

func (f *firejailProfile) refuse(format string, args ...any) {
	if f.err == nil {
		f.err = fmt.Errorf(format, args...)
	}
}

// addCalls has the calls of the machine. There are no filters for arguments, and none that
// work for other ABIs: firejail 0.9.72 compiles seccomp.32.keep for 64-bit calls, so that
// nothing starts any more.
func (f *firejailProfile) addCalls(p *profile.Profile) {
	var names []string
	for _, c := range p.Calls {
		if c.ABI != event.X8664 && c.ABI != event.ARM64 {
			f.refuse("firejail has no filter for calls of %v that works, and there are some in the trace: %s", c.ABI, c.Name)
		}
		if c.Values != nil {
			f.notes.add("%s is allowed with all arguments: firejail knows none", c.Name)
		}
		names = append(names, firejailCall(c))
	}
	f.line("seccomp.keep %s", strings.Join(names, ","))
	f.line("seccomp.block-secondary")
	switch p.Default.Kind {
	case profile.Errno:
		f.line("seccomp-error-action %v", event.Errno(p.Default.Errno))
	case profile.Kill, profile.Log:
		f.line("seccomp-error-action %v", p.Default.Kind)
	default:
		f.refuse("firejail has no action %q; it has errno, kill and log", p.Default.Kind)
	}
}

// firejailNewest is the last call that firejail 0.9.72 has a name for (--debug-syscalls):
// process_madvise. One that it does not know it leaves out of the filter without a word.
const firejailNewest = 440

// firejailCall is the name of a call, or $ and its number if firejail may not have it.
func firejailCall(c profile.Call) string {
	if c.Nr > firejailNewest || c.Name == "uretprobe" || c.Name == "uprobe" || c.Name == "syscall_"+strconv.Itoa(int(c.Nr)) {
		return "$" + strconv.Itoa(int(c.Nr))
	}
	return c.Name
}

func (f *firejailProfile) addSockets(in *Input) {
	kinds, known := socketKinds(in)
	var protocols []string
	for _, k := range kinds {
		if k.Family == "unspec" || slices.Contains(protocols, k.Family) {
			continue
		}
		if !slices.Contains([]string{"unix", "inet", "inet6", "netlink", "packet", "bluetooth"}, k.Family) {
			known = false
		}
		protocols = append(protocols, k.Family)
	}
	switch {
	case !known:
		f.notes.add("sockets of all families may be made: the trace does not have those that were, or firejail has no name for one (observe --args)")
	case len(protocols) > 0:
		f.line("protocol %s", strings.Join(protocols, ","))
	}
	if in.Profile.Sockets != nil && !leaves(kinds) {
		f.line("net none")
	} else {
		f.notes.add("the network is that of the machine, with all addresses and ports")
	}
}

func (f *firejailProfile) addPrivileges(in *Input) {
	uid := in.Trace.Target.UID
	gained := slices.ContainsFunc(in.Trace.Processes, func(p *trace.Process) bool { return p.UID != uid })
	switch {
	case uid == 0:
		f.line("caps")
		f.notes.add("a trace does not tell capabilities: root keeps those that firejail leaves it")
	case gained:
		f.notes.add("a program became another user, so it may gain privileges")
	default:
		f.line("caps.drop all")
	}
	if uid == 0 || !gained {
		f.line("nonewprivs")
	}
}

// firejailOpen are directories of / that are left as they are: those of programs and
// libraries, which are the same for all, and those that firejail makes itself.
var firejailOpen = []string{"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/proc", "/sys", "/dev"}

// firejailClosed are those that are taken away if nothing in them was used.
var firejailClosed = []string{"/boot", "/home", "/lost+found", "/media", "/mnt", "/opt", "/root", "/srv", "/var"}

// firejailFiles is what is left of each directory in /, or of a home: only what was used,
// or all of it if files come and go in itself.
type firejailFiles struct {
	seen sights
	// rooms are left as a whole, open are the directories of / that are.
	rooms, open directories
	// used are the directories of / that something was in, entered are all.
	used, entered directories
	// programs are the directories that something was executed or mapped in.
	programs directories
	// changed are the directories of / in which something may be written to.
	changed directories
	tmp     bool
	// listed are directories that are there with all below them.
	listed []string
}

func (f *firejailProfile) addFiles(in *Input) {
	files := firejailFiles{
		seen: sightsOf(in), rooms: directories{}, open: directories{},
		used: directories{}, entered: directories{}, programs: directories{}, changed: directories{},
	}
	for _, t := range firejailOpen {
		files.open[t] = true
	}
	for _, p := range in.Profile.Files {
		if !p.Missing {
			files.entered.addAbove(p.Pattern.String())
		}
		if p.Classes&event.Exec != 0 {
			files.programs.addAbove(p.Pattern.String())
		}
	}
	rooms, passing, err := roomsOf(in, files.seen)
	if err != nil {
		f.err = err
		return
	}
	for _, p := range passing {
		f.notes.add("%s is empty at first and is not kept", p)
	}
	for _, r := range rooms {
		f.addRoom(&files, r)
	}
	if len(rooms) > 0 {
		f.notes.add("with all below them these may be written to, as files come and go there: %s", some(patternNames(rooms)))
	}
	for _, p := range in.Profile.Files {
		f.addFile(&files, anyProcess(p))
	}
	for _, seen := range in.Trace.Files {
		if seen.Errors.Total() < seen.Ops.Total() {
			f.addNames(&files, seen)
		}
	}
	if len(files.listed) > 0 {
		f.notes.add("with all below them these are there, as they were listed: %s", some(files.listed))
	}
	f.addRest(&files)
	f.notes.add("all in /usr, /bin, /sbin and /lib may be read, and everything in directories of / that no standard names")
	f.notes.add("a directory shows only what was seen in it, unless it is there as a whole")
}

// addRoom leaves a directory as a whole.
func (f *firejailProfile) addRoom(files *firejailFiles, r profile.Pattern) {
	name, top := r.String(), firejailTop(r)
	files.rooms[name] = true
	files.used[top], files.changed[top] = true, true
	switch {
	case below(name, "/etc"):
		f.line("writable-etc")
	case below(name, "/var/log"):
		f.line("writable-var-log")
		f.line("writable-var")
	case below(name, "/var"):
		f.line("writable-var")
	case files.open[top]:
		f.line("read-write %s", f.path(r))
	}
	if name == top {
		files.open[top] = true
	} else if !files.open[top] {
		f.line("whitelist %s", f.path(r))
	}
	if !files.programs[name] {
		f.line("noexec %s", f.path(r))
	}
}

// addFile leaves a file. A directory in which something was used is there with that.
func (f *firejailProfile) addFile(files *firejailFiles, p profile.File) {
	name, top := p.Pattern.String(), firejailTop(p.Pattern)
	if name == "/" || p.Missing || below(name, "/proc") || below(name, "/dev") {
		return
	}
	files.used[top] = true
	change := p.Classes&(event.Write|event.Attr|event.Connect) != 0
	if change || files.seen.changes(p) {
		files.changed[top] = true
	}
	switch {
	case files.rooms.hold(p.Pattern.Fixed().String()), name == top, files.seen.made(name):
	case files.open[top]:
		if change && slices.Contains(firejailOpen, top) {
			f.line("read-write %s", f.path(p.Pattern))
		}
	case files.entered[name] && !p.Pattern.Tree && p.Classes&(event.Read|event.Write|event.Exec) == 0:
	case !p.Pattern.IsLiteral() && !p.Pattern.Tree && p.Classes&^(event.Stat|event.List) == 0:
		// It may be a directory that is written to, which this would forbid.
		f.notes.add("what a wildcard stands for is not there if it was only looked at or listed")
	case change:
		f.line("whitelist %s", f.path(p.Pattern))
	default:
		f.line("whitelist-ro %s", f.path(p.Pattern))
		if files.seen.directory(p) {
			files.listed = append(files.listed, name)
		}
	}
	files.tmp = files.tmp || top == "/tmp" && name != top
}

// addNames has the other names of a file, if they are where only what was used is left.
func (f *firejailProfile) addNames(files *firejailFiles, seen *trace.File) {
	for _, asked := range seen.Asked {
		name := path.Clean(asked)
		p := profile.Literal(name)
		if path.IsAbs(asked) && !strings.Contains(asked, "..") && name != seen.Path && name != "/" && !files.open[firejailTop(p)] && !files.rooms.hold(name) {
			f.line("whitelist-ro %s", f.path(p))
		}
	}
}

// addRest takes away what was not used, and has nothing written to where nothing was.
func (f *firejailProfile) addRest(files *firejailFiles) {
	under := make(directories)
	for _, top := range slices.Sorted(maps.Keys(files.used)) {
		under[top] = true
		under.addAbove(top)
		if !files.changed[top] && !files.open[top] {
			f.line("read-only %s", f.path(profile.Literal(top)))
		}
	}
	for _, top := range firejailClosed {
		if !under[top] {
			f.line("blacklist %s", top)
		}
	}
	if !files.open["/tmp"] && !files.tmp {
		f.line("private-tmp")
	}
}

// firejailTop is the directory of which firejail makes a new one to show only some of it:
// one of /, or a home.
func firejailTop(p profile.Pattern) string {
	if p.Base == profile.Home {
		return p.At
	}
	const deepest = 3
	parts := strings.SplitN(strings.TrimPrefix(p.String(), "/"), "/", deepest+1)
	switch {
	case parts[0] == "home" && len(parts) > 1:
		return "/home/" + parts[1]
	case parts[0] == "run" && len(parts) > 2 && parts[1] == "user":
		return "/run/user/" + parts[2]
	}
	return "/" + parts[0]
}

// path is a pattern as firejail reads it: a glob(7), and a line in which # begins a comment
// and blanks are put together.
func (f *firejailProfile) path(p profile.Pattern) string {
	whole := p.String()
	base := firejailEscape(p.At)
	switch p.Base {
	case profile.Home:
		base = "${HOME}"
	case profile.Root:
		base = ""
	}
	p.Tree = false
	text := p.Format(base, firejailEscape, "*", "")
	if path.Clean(whole) != whole && p.IsLiteral() {
		text = firejailEscape(path.Clean(whole))
	}
	odd := func(r rune) bool { return r < ' ' || r == '#' || r == 0x7f }
	if strings.ContainsFunc(text, odd) || strings.Contains(text, "  ") || strings.HasSuffix(text, " ") || strings.Contains(text, "..") {
		f.refuse("firejail has no way to write the path %q: no control bytes, %q, %q, two blanks or a blank at the end", whole, "#", "..")
	}
	return text
}

// firejailEscape keeps bytes from being wildcards of glob(7).
func firejailEscape(s string) string { return firejailWildcards.Replace(s) }

var firejailWildcards = strings.NewReplacer("*", "[*]", "?", "[?]", "[", "[[]", `\`, `\\`)
