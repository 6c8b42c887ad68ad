package launch

import (
	"cmp"
	"fmt"
	"os"
	"os/user"
)

// InvokingUser is the user who called sudo(8), when this process is root by
// way of sudo, and nil otherwise.
//
// A user who is in no database that we can read (a directory service, a
// container without the host's /etc/passwd) has what sudo left in the
// environment: a name, a primary group, and no other group.
func InvokingUser() (*User, error) {
	sudoUID, sudoGID := os.Getenv("SUDO_UID"), os.Getenv("SUDO_GID")
	if os.Geteuid() != 0 || sudoUID == "" || sudoGID == "" {
		return nil, nil
	}
	uid, err := parseID(sudoUID)
	if err != nil {
		return nil, fmt.Errorf("reading SUDO_UID: %w", err)
	}
	if uid == 0 {
		return nil, nil
	}
	// The user may have had another group than the database's (newgrp(1)).
	gid, err := parseID(sudoGID)
	if err != nil {
		return nil, fmt.Errorf("reading SUDO_GID: %w", err)
	}

	name := os.Getenv("SUDO_USER")
	// Two names may share a number: SUDO_USER says which one it was.
	entry, err := user.Lookup(name)
	if err != nil || entry.Uid != sudoUID {
		entry, err = user.LookupId(sudoUID)
	}
	switch {
	case unknown(err):
		return &User{
			Name:   cmp.Or(name, sudoUID),
			UID:    uid,
			GID:    gid,
			Groups: []uint32{gid},
			Home:   cmp.Or(os.Getenv("SUDO_HOME"), "/"),
			Shell:  defaultShell,
		}, nil
	case err != nil:
		return nil, fmt.Errorf("looking up user %s: %w", sudoUID, err)
	}
	return fromDatabase(entry, gid)
}
