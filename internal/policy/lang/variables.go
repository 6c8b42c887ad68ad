package lang

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/turnstile-project/turnstile/internal/policy"
)

// Variables are absolute paths of the target, by their names in a policy. One that the
// target does not have is empty or missing.
type Variables map[string]string

// variableNames are all that there are.
var variableNames = []string{"CWD", "HOME", "TMPDIR", "EXE"}

// expand puts in its path for the variable that a glob begins with. The path stands for
// itself: nothing in it is a wildcard.
func (v Variables) expand(text string) (string, error) {
	at := strings.Index(text, "${")
	switch {
	case at < 0:
		return text, nil
	case at > 0:
		return "", fmt.Errorf("%s: a variable is an absolute path, and stands at the beginning", show(text))
	}
	name, rest, closed := strings.Cut(text[len("${"):], "}")
	switch path := v[name]; {
	case !closed:
		return "", fmt.Errorf("%s: a variable ends with }", show(text))
	case !isVariable(name):
		return "", fmt.Errorf("%s is no variable; %s", show(name), instead(name, variableNames))
	case path == "":
		return "", fmt.Errorf("the variable ${%s} is not set: %s", name, unset[name])
	case !filepath.IsAbs(path):
		return "", fmt.Errorf("the variable ${%s} is %s, which is no absolute path", name, show(path))
	case rest != "" && rest[0] != '/':
		return "", fmt.Errorf("%s: behind a variable comes a \"/\" or nothing", show(text))
	case strings.Contains(rest, "${"):
		return "", fmt.Errorf("%s: a variable is an absolute path, and stands at the beginning", show(text))
	default:
		return cmp.Or(strings.TrimSuffix(policy.Quote(filepath.Clean(path)), "/")+rest, "/"), nil
	}
}

// unset is why a variable can be without a value.
var unset = map[string]string{
	"CWD":    "there is no working directory",
	"HOME":   "the command has no HOME in its environment",
	"TMPDIR": "there is none",
	"EXE":    "the program of the command was not found",
}

func isVariable(name string) bool {
	_, known := unset[name]
	return known
}
