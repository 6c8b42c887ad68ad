package launch

import (
	"fmt"
	"os"
	"os/user"
)

// User is who a target runs as. A nil *User means: as Turnstile itself.
type User struct {
	Name   string
	UID    uint32
	GID    uint32
	Groups []uint32 // supplementary groups
	Home   string
	Shell  string
}

// LookupUser finds a user by name or by number in /etc/passwd and /etc/group.
// It is an error to ask without being root, since nobody else may become
// another user.
func LookupUser(nameOrUID string) (*User, error) {
	if os.Geteuid() != 0 {
		return nil, fmt.Errorf("running as user %q: only root may change the user", nameOrUID)
	}
	entry, err := user.Lookup(nameOrUID)
	if unknown(err) {
		// A name of digits alone is a name first (chown(1) does the same).
		if _, notNumber := parseID(nameOrUID); notNumber == nil {
			entry, err = user.LookupId(nameOrUID)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("looking up user %q: %w", nameOrUID, err)
	}
	gid, err := parseID(entry.Gid)
	if err != nil {
		return nil, fmt.Errorf("looking up user %q: %w", nameOrUID, err)
	}
	return fromDatabase(entry, gid)
}
