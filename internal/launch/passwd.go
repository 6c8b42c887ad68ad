package launch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"slices"
	"strconv"
	"strings"
)

// The login shell of an entry that names none (passwd(5)).
const defaultShell = "/bin/sh"

// fromDatabase completes an entry of /etc/passwd. The supplementary groups are
// those that login(1) would set (initgroups(3)): the user's groups and gid.
func fromDatabase(entry *user.User, gid uint32) (*User, error) {
	uid, err := parseID(entry.Uid)
	if err != nil {
		return nil, fmt.Errorf("looking up user %q: %w", entry.Username, err)
	}
	groups := []uint32{gid}
	names, err := entry.GroupIds()
	if err != nil && !unknown(err) {
		return nil, fmt.Errorf("listing groups of user %q: %w", entry.Username, err)
	}
	for _, name := range names {
		id, err := parseID(name)
		if err != nil {
			return nil, fmt.Errorf("listing groups of user %q: %w", entry.Username, err)
		}
		if !slices.Contains(groups, id) {
			groups = append(groups, id)
		}
	}
	return &User{
		Name:   entry.Username,
		UID:    uid,
		GID:    gid,
		Groups: groups,
		Home:   entry.HomeDir,
		Shell:  loginShell(entry.Username),
	}, nil
}

// unknown reports that a database has no such entry, or is not there at all,
// as in a container made from nothing.
func unknown(err error) bool {
	var name user.UnknownUserError
	var id user.UnknownUserIdError
	return errors.As(err, &name) || errors.As(err, &id) || errors.Is(err, fs.ErrNotExist)
}

// loginShell is the last field of the user's line, which os/user leaves out
// (passwd(5)).
func loginShell(name string) string {
	passwd, err := os.ReadFile("/etc/passwd")
	if err != nil {
		return defaultShell
	}
	for line := range strings.Lines(string(passwd)) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), ":")
		if len(fields) == 7 && fields[0] == name && fields[6] != "" {
			return fields[6]
		}
	}
	return defaultShell
}

// parseID reads a user or group number. The largest means "no change" to the
// system calls that set it (setresuid(2)), so it is nobody's.
func parseID(s string) (uint32, error) {
	id, err := strconv.ParseUint(s, 10, 32)
	if err == nil && id == 1<<32-1 {
		err = &strconv.NumError{Func: "ParseUint", Num: s, Err: strconv.ErrRange}
	}
	return uint32(id), err
}
