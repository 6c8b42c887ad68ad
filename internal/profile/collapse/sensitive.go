package collapse

import (
	"iter"
	"slices"
	"strings"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/profile"
)

// What is done with what is sensitive. The rest, to look at names, is done by many.
const (
	changes = event.Write | event.Create | event.Delete | event.Attr
	uses    = changes | event.Read | event.Exec | event.Connect | event.Bind
)

// sensitive is what a pattern has only if it was seen.
type sensitive struct {
	names   []string
	classes event.Class
	why     string
	// at is the place of the last name without a wildcard: most paths differ there.
	at int
}

// has says whether a path without wildcards is one of these.
func (s *sensitive) has(names []string) bool {
	return len(names) > s.at && (names[s.at] == s.names[s.at] || s.at == 0 && strings.Contains(s.names[0], wild)) && meet(s.names, names)
}

// sensitiveFiles are in words of a shell: ~ is a home directory, ** any number of names.
// What begins with ** can be anywhere; its first name begins with a dot.
var sensitiveFiles = []struct {
	why     string
	classes event.Class
	paths   string
}{
	{"keys and tokens", uses, `~/.ssh/** ~/.gnupg/** ~/.aws/** ~/.azure/** ~/.kube/** ~/.docker/** ~/.oci/**
		~/.password-store/** ~/.netrc ~/.npmrc ~/.pypirc ~/.pgpass ~/.my.cnf ~/.git-credentials ~/.vault-token
		~/.config/gh/** ~/.config/hub ~/.config/gcloud/** ~/.config/op/** ~/.config/rclone/** ~/.config/git/credentials
		~/.config/containers/** ~/.cargo/credentials* ~/.terraform.d/** ~/.local/share/keyrings/** ~/.local/share/kwalletd/**
		**/.env **/.ssh/**`},
	{"a browser's or a mail program's", uses, `~/.mozilla/** ~/.thunderbird/** ~/.config/google-chrome/** ~/.config/chromium/**
		~/.config/BraveSoftware/** ~/.config/microsoft-edge/** ~/.config/vivaldi/** ~/.config/opera/**`},
	{"what was typed", uses, `~/.bash_history ~/.zsh_history ~/.python_history ~/.psql_history ~/.lesshst`},
	{"what shells, editors and the session execute", changes, `~/.bashrc ~/.bash_profile ~/.bash_login ~/.bash_logout
		~/.bash_aliases ~/.profile ~/.inputrc ~/.zshrc ~/.zshenv ~/.zprofile ~/.zlogin ~/.zlogout ~/.xprofile ~/.xsessionrc
		~/.vimrc ~/.vim/** ~/.emacs ~/.emacs.d/** ~/.gitconfig ~/.config/git/** ~/.config/autostart/** ~/.config/systemd/**
		~/.config/environment.d/** ~/.config/fish/** ~/.config/nvim/** ~/.config/direnv/** ~/.local/bin/** ~/bin/**
		~/.local/share/applications/** ~/.local/share/systemd/** **/.envrc **/.husky/** **/.vscode/** **/.idea/** **/.devcontainer/**`},
	{"what git executes", changes, `**/.git/hooks/** **/.git/config **/.git/config.worktree **/.git/commondir`},
	{"the system's secrets", uses, `/etc/shadow* /etc/gshadow* /etc/sudoers* /etc/sudoers.d/** /etc/krb5.keytab* /etc/ssh/*_key
		/etc/ssl/private/** /etc/security/opasswd /var/lib/sss/** /var/lib/sudo/**`},
	{"the system", changes, `/etc/** /usr/** /bin/** /sbin/** /lib/** /lib32/** /lib64/** /boot/** /var/spool/cron/** /var/lib/dpkg/** /var/lib/apt/**`},
	{"the kernel's", uses, `/proc/** /sys/kernel/** /sys/firmware/** /dev/**`},
	{"who does it for others", uses, `/run/docker.sock /var/run/docker.sock /run/containerd/** /run/crio/** /run/podman/**
		/run/user/*/** /run/dbus/** /var/lib/docker/** /var/lib/containerd/** /run/systemd/**`},
}

// catalogue is what is sensitive on one machine.
type catalogue struct {
	// anchored by their first name; those that begin with a wildcard are under wild.
	anchored map[string][]sensitive
	// floating can be anywhere, by the first name.
	floating map[string][]sensitive
	homes    []sensitive // those below the home directory, from there
	// deepest is how many names those have at most that are anchored. What is behind
	// as many does not make a path one of them.
	deepest int
}

// newCatalogue is that for a user: keys of others are sensitive too.
func newCatalogue(home string) *catalogue {
	c := &catalogue{anchored: make(map[string][]sensitive), floating: make(map[string][]sensitive)}
	homes := [][]string{{"root"}, {"home", wild}}
	if own := namesOf(home); len(own) > 0 && !slices.ContainsFunc(homes, func(h []string) bool { return meet(h, own) }) {
		homes = append(homes, own)
	}
	for _, group := range sensitiveFiles {
		for text := range strings.FieldsSeq(group.paths) {
			names := namesOf("/" + strings.ReplaceAll(strings.TrimPrefix(text, "/"), "*", wild))
			s := sensitive{names: names, classes: group.classes, why: group.why}
			switch names[0] {
			case "~":
				s.names = names[1:]
				c.homes = append(c.homes, s)
				for _, home := range homes {
					c.anchor(sensitive{names: slices.Concat(home, names[1:]), classes: s.classes, why: s.why})
				}
			case anyDepth:
				s.names = names[1:]
				c.floating[s.names[0]] = append(c.floating[s.names[0]], s)
			default:
				c.anchor(s)
			}
		}
	}
	return c
}

func (c *catalogue) anchor(s sensitive) {
	for i, name := range s.names {
		if !strings.Contains(name, wild) {
			s.at = i
		}
	}
	c.anchored[s.names[0]] = append(c.anchored[s.names[0]], s)
	c.deepest = max(c.deepest, len(s.names))
}

// keeps is from which of the names of a path on they stay as they are: all of them if the
// path is that of something sensitive, those of what is sensitive wherever it is, or none.
func (c *catalogue) keeps(names []string, classes event.Class) int {
	if len(names) == 0 {
		return 0
	}
	for _, s := range c.anchored[names[0]] {
		if s.classes&classes != 0 && s.has(names) {
			return 0
		}
	}
	for i, name := range names {
		for _, s := range c.floating[name] {
			if s.classes&classes != 0 && meet(s.names, names[i:]) {
				return i
			}
		}
	}
	return len(names)
}

// meets says whether a pattern has something sensitive, other than what can be anywhere in a
// tree: see closed.
func (c *catalogue) meets(names []string, classes event.Class) bool {
	if len(names) > 0 && names[len(names)-1] != anyDepth && c.meetsFloating(names, classes) {
		return true
	}
	for first, all := range c.anchored {
		if len(names) > 0 && names[0] != anyDepth && !namesMeet(names[0], first) {
			continue
		}
		for _, s := range all {
			if s.classes&classes != 0 && meet(s.names, names) {
				return true
			}
		}
	}
	return false
}

// meetsFloating says whether a pattern that is no tree has something sensitive that can be
// anywhere.
func (c *catalogue) meetsFloating(names []string, classes event.Class) bool {
	for i, name := range names {
		if !strings.HasPrefix(name, ".") {
			continue // as all of these do
		}
		for first, all := range c.floating {
			if !namesMeet(first, name) {
				continue
			}
			for _, s := range all {
				if s.classes&classes != 0 && meet(s.names, names[i:]) {
					return true
				}
			}
		}
	}
	return false
}

// public are the trees of the system: nobody keeps hooks or tokens of his own there.
var public = map[string]bool{"usr": true, "lib": true, "lib32": true, "lib64": true, "bin": true, "sbin": true, "opt": true, "nix": true, "snap": true}

// closed is what can be anywhere in a tree, and is no part of it.
func (c *catalogue) closed(tree profile.Pattern, classes event.Class) []profile.Closed {
	if tree.Base == profile.Root && public[tree.First()] {
		return nil
	}
	var closed []profile.Closed
	dir := tree
	dir.Tree = false
	path := encoded(dir)
	for _, all := range c.floating {
		for _, s := range all {
			if s.classes&classes == 0 {
				continue
			}
			closed = append(closed, profile.Closed{Pattern: below(tree, s, true), Classes: s.classes, Why: s.why})
			for k := range s.begun(path) {
				rest := sensitive{names: s.names[k:]}
				closed = append(closed, profile.Closed{Pattern: below(tree, rest, false), Classes: s.classes, Why: s.why})
			}
		}
	}
	return closed
}

// begun are how many of the first names a path ends with, as that of a directory .git does.
func (s *sensitive) begun(path []string) iter.Seq[int] {
	return func(yield func(int) bool) {
		for k := 1; k < len(s.names) && k <= len(path); k++ {
			if meet(s.names[:k], path[len(path)-k:]) && !yield(k) {
				return
			}
		}
	}
}

// closedHome is what a tree has if it is a home directory the next time.
func (c *catalogue) closedHome(home profile.Pattern, classes event.Class) []profile.Closed {
	var closed []profile.Closed
	for _, s := range c.homes {
		if s.classes&classes != 0 {
			closed = append(closed, profile.Closed{Pattern: below(home, s, false), Classes: s.classes, Why: s.why})
		}
	}
	return closed
}

// below is the pattern of something sensitive in a directory, or anywhere below it.
func below(dir profile.Pattern, s sensitive, anywhere bool) profile.Pattern {
	p := dir
	p.Tree = false
	if anywhere {
		p = p.With(profile.Name{})
	}
	for _, name := range s.names {
		if name == anyDepth {
			p.Tree = true // it is the last
		} else {
			p = p.With(profile.Name(strings.Split(name, wild)))
		}
	}
	return p
}
