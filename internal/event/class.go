package event

import "strings"

// Class is a set of the classes that a policy speaks of.
type Class uint16

// The classes.
const (
	Read Class = 1 << iota
	Write
	Create
	Delete
	List
	Stat
	Attr
	Exec
	Connect
	Bind
)

var classNames = [...]string{
	"read", "write", "create", "delete", "list", "stat", "attr", "exec", "connect", "bind",
}

// Names of the classes in the set, in the order of the constants.
func (c Class) Names() []string {
	var names []string
	for i, n := range classNames {
		if c&(1<<i) != 0 {
			names = append(names, n)
		}
	}
	return names
}

// String is the names joined by commas.
func (c Class) String() string { return strings.Join(c.Names(), ",") }

// ParseClass is the class of one name.
func ParseClass(s string) (Class, bool) {
	for i, n := range classNames {
		if n == s {
			return 1 << i, true
		}
	}
	return 0, false
}
