package emit

import (
	"bufio"
	_ "embed"
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/profile"
	"github.com/turnstile-project/turnstile/internal/trace"
)

var bwrap = Format{
	Name:       "bwrap",
	For:        "a shell script that runs the command, or another, in bubblewrap: only the files that were seen, and the filter",
	CheckedBy:  "sh, bwrap",
	Enforces:   true,
	Sections:   profile.AllSections,
	Vocabulary: profile.Numbers,
	Runtime:    "bwrap",
	Notes:      func(in *Input) []string { return once(in, bwrapOf).notes },
	Write: func(w io.Writer, in *Input) error {
		b := once(in, bwrapOf)
		if b.err != nil {
			return b.err
		}
		filter, err := rawFilter(in.Profile)
		if err != nil {
			return err
		}
		buffered := bufio.NewWriter(w)
		b.write(buffered, in, filter)
		return buffered.Flush()
	},
}

// bwrapFunctions find out what is a symbolic link on the machine where the script runs.
//
//go:embed bwrap.sh
var bwrapFunctions string

// bwrapMost is how many paths bwrap takes in any case: MAX_ARGS of bubblewrap.c is 9,000.
const bwrapMost = 2900

// bwrapScript is what the script calls, in this order.
type bwrapScript struct {
	options []string
	// odd are the pieces of names that would not be safe to look at.
	odd   []string
	oddAt map[string]int
	lines []string
	notes notes
	err   error
}

func bwrapOf(in *Input) *bwrapScript {
	b := &bwrapScript{oddAt: make(map[string]int), options: []string{"--proc /proc --dev /dev", "--unshare-ipc --unshare-pid --unshare-uts --unshare-cgroup-try"}}
	if kinds, _ := socketKinds(in); in.Profile.Sockets != nil && !leaves(kinds) {
		b.options = append(b.options, "--unshare-net")
	} else {
		b.notes.add("the network is that of the machine, with all addresses and ports")
	}
	b.options = append(b.options, "--die-with-parent --new-session")
	b.addFiles(in)
	if n := len(b.lines); n > bwrapMost {
		b.notes.add("there are %d paths, and bwrap takes 9,000 arguments, three for a path that is there: it may refuse them (--collapse takes paths together)", n)
	}
	b.notes.noteClosed(in.Profile.Closed)
	b.notes.noteAction(in.Profile.Default)
	if in.Trace.Target.UID == 0 {
		b.notes.add("a trace does not tell capabilities: what root runs in it has all that root has")
	}
	b.notes.add("a directory shows only what was seen in it, unless it is there as a whole")
	b.notes.add("what is removed or replaced cannot be renamed from one directory that is there as a whole to another (EXDEV)")
	return b
}

func (b *bwrapScript) line(function string, words ...string) {
	b.lines = append(b.lines, function+" "+strings.Join(words, " "))
}

func (b *bwrapScript) write(s *bufio.Writer, in *Input, filter []byte) {
	s.WriteString("#!/bin/sh\n")
	for _, l := range about(in, profile.AllSections, b.notes) {
		s.WriteString("# " + l + "\n")
	}
	s.WriteString("# Run it with nothing to run that command, or with another command.\n\n" + bwrapFunctions + "\n")
	argv := make([]string, 0, len(in.Profile.Argv))
	for _, a := range in.Profile.Argv {
		argv = append(argv, b.quote(a))
	}
	dir := b.quote(in.Trace.Target.Dir)
	for i, o := range b.odd {
		fmt.Fprintf(s, "odd%d=$(printf '%s.')\n", i, o)
	}
	if len(argv) > 0 {
		s.WriteString("[ $# -gt 0 ] || set -- " + strings.Join(argv, " ") + "\n")
	}
	s.WriteString("[ $# -gt 0 ] || fail 'no command'\n\n")
	for _, o := range b.options {
		s.WriteString("tell " + o + "\n")
	}
	for _, l := range b.lines {
		s.WriteString(l + "\n")
	}
	if in.Trace.Target.Dir != "" {
		s.WriteString("show " + dir + "\ntell --chdir " + dir + "\n")
	}
	s.WriteString("tell --remount-ro /\n\nbase64 -d >&5 <<'END' || fail 'cannot write the filter'\n")
	text := base64.StdEncoding.EncodeToString(filter)
	for len(text) > 76 {
		s.WriteString(text[:76] + "\n")
		text = text[76:]
	}
	s.WriteString(text + "\nEND\n\nexec 3>&- 5>&-\nexec bwrap --args 4 --seccomp 6 -- \"$@\"\n")
}

// bwrapUsual are the names of directories that are symbolic links on most machines, and of
// the ELF interpreters, which are in programs and not in a trace: what the ABIs call them.
var (
	bwrapUsual   = "/bin /sbin /lib /lib32 /lib64 /libx32"
	bwrapLinkers = []string{
		"/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux.so.2", "/libx32/ld-linux-x32.so.2", "/lib/ld-linux-aarch64.so.1", "/lib/ld-linux-armhf.so.3", "/lib/ld-linux.so.3",
		"/lib/ld-musl-x86_64.so.1", "/lib/ld-musl-i386.so.1", "/lib/ld-musl-aarch64.so.1", "/lib/ld-musl-armhf.so.1",
	}
)

func (b *bwrapScript) addFiles(in *Input) {
	seen := sightsOf(in)
	rooms, passing, err := roomsOf(in, seen)
	if err != nil {
		b.err = err
		return
	}
	for _, p := range passing {
		b.line("passing", b.word(p))
		b.notes.add("%s is empty at first and is not kept", p)
	}
	whole := b.addWhole(in, rooms)
	b.line("show", bwrapUsual)
	for _, f := range in.Profile.Files {
		text := f.Pattern.String()
		switch {
		case f.Pattern.Tree, below(text, "/proc"):
		case below(text, "/dev"):
			if !bwrapDevice(text) {
				b.line("device", b.word(f.Pattern))
			}
		case whole.hold(f.Pattern.Fixed().String()):
		case f.Classes&(event.Write|event.Attr) != 0:
			b.line("change", b.word(f.Pattern))
		default:
			b.line("show", b.word(f.Pattern))
		}
	}
	for _, f := range in.Trace.Files {
		if f.Errors.Total() < f.Ops.Total() {
			b.addNames(in.Trace.Target.Dir, f, whole)
		}
	}
}

// addWhole has the directories that are there with all in them, outer ones before those in
// them: those to be written to and trees to be read.
func (b *bwrapScript) addWhole(in *Input, rooms []profile.Pattern) directories {
	writable := make(map[string]profile.Pattern)
	readable := make(map[string]profile.Pattern)
	for _, r := range rooms {
		writable[r.String()] = r
	}
	if len(rooms) > 0 {
		b.notes.add("with all below them these may be written to, as files come and go there: %s", some(patternNames(rooms)))
	}
	for _, f := range in.Profile.Files {
		tree := f.Pattern
		if !tree.Tree || below(tree.String(), "/proc") || below(tree.String(), "/dev") {
			continue
		}
		tree.Tree = false
		if f.Classes&(event.Write|event.Attr) != 0 {
			writable[tree.String()] = tree
		} else {
			readable[tree.String()] = tree
		}
	}
	whole, write := make(directories), make(directories)
	for _, name := range slices.SortedFunc(maps.Keys(merged(readable, writable)), func(a, b string) int { return strings.Compare(a+"/", b+"/") }) {
		p, change := writable[name]
		switch {
		case write.hold(name), !change && whole.hold(name):
			continue
		case change:
			b.line("room", b.word(p))
		default:
			p = readable[name]
			b.line("tree", b.word(p))
		}
		if p.IsLiteral() {
			whole[name] = true
			write[name] = change
		}
	}
	return whole
}

func merged(a, b map[string]profile.Pattern) map[string]profile.Pattern {
	both := maps.Clone(a)
	maps.Copy(both, b)
	return both
}

// addNames has the other names by which a file was asked for: symbolic links lead from
// them to it.
func (b *bwrapScript) addNames(dir string, f *trace.File, whole directories) {
	for _, asked := range f.Asked {
		name := strings.TrimRight(asked, "/")
		if !path.IsAbs(asked) {
			name = path.Join(dir, asked)
		}
		switch {
		case name == "" || name == f.Path || whole.hold(name) || below(name, "/proc") || below(name, "/dev"):
		case path.IsAbs(asked):
			b.line("show", b.quote(name))
		case dir != "":
			b.line("also", b.quote(name), b.quote(f.Path))
		}
	}
	if len(f.Asked) == 0 && f.Ops.Get(event.OpExec.String()) > 0 {
		for _, linker := range bwrapLinkers {
			if path.Base(linker) == path.Base(f.Path) {
				b.line("also", b.quote(linker), b.quote(f.Path))
			}
		}
	}
}

// bwrapDevice reports whether a path below /dev is in the one that bwrap makes.
func bwrapDevice(p string) bool {
	for _, d := range []string{"full", "null", "ptmx", "pts", "random", "shm", "tty", "urandom", "zero", "fd", "stdin", "stdout", "stderr", "core", "console"} {
		if p == "/dev" || below(p, "/dev/"+d) {
			return true
		}
	}
	return false
}

// word is a pattern as the shell takes it, which puts in the files that are there when the
// script starts.
func (b *bwrapScript) word(p profile.Pattern) string {
	if !p.IsLiteral() && !p.Tree {
		b.notes.add("wildcards stand for what is there when the script starts, and not for names that begin with a dot")
	}
	base := ""
	switch p.Base {
	case profile.Home:
		base = `"${HOME:?}"`
	case profile.CWD:
		base = `"$PWD"`
	case profile.Tmp:
		base = `"${TMPDIR:-/tmp}"`
	}
	p.Tree = false
	return p.Format(base, func(s string) string {
		if s == "" {
			return "" // beside a wildcard
		}
		return b.quote(s)
	}, "*", "")
}

// quote is one word. What cannot be seen is not written as it is.
func (b *bwrapScript) quote(s string) string {
	unseen := func(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) }
	switch {
	case s == "":
		return "''"
	case !strings.ContainsFunc(s, func(r rune) bool {
		return r >= utf8.RuneSelf || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("/._-+:,@%", r)
	}):
		return s
	case !strings.ContainsFunc(s, unseen):
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	var octal strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&octal, `\%03o`, s[i])
	}
	i, known := b.oddAt[octal.String()]
	if !known {
		i = len(b.odd)
		b.odd = append(b.odd, octal.String())
		b.oddAt[octal.String()] = i
	}
	return fmt.Sprintf(`"${odd%d%%.}"`, i)
}
