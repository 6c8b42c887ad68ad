package launch

import "strings"

// Environ is env with the variables that say who one is made to say u: HOME,
// USER, LOGNAME and SHELL. PATH stays the caller's, so that the target finds
// the programs that the caller would find, and so do sudo's own variables. A
// nil user changes nothing.
func (u *User) Environ(env []string) []string {
	if u == nil {
		return env
	}
	result := make([]string, 0, len(env)+4)
	for _, entry := range env {
		switch name, _, _ := strings.Cut(entry, "="); name {
		case "HOME", "USER", "LOGNAME", "SHELL":
		default:
			result = append(result, entry)
		}
	}
	return append(result, "HOME="+u.Home, "USER="+u.Name, "LOGNAME="+u.Name, "SHELL="+u.Shell)
}
