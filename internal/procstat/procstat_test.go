package procstat

import (
	"os"
	"testing"
)

func TestParse(t *testing.T) {
	for content, want := range map[string]Stat{
		"7 (cat) R 3 7 3 34816":         {State: 'R', PPID: 3},
		"7 (a) Z 9 (b) c) S 1 7 3":      {State: 'S', PPID: 1},
		"7 (new\nline) Z 0 0 0 0 -1 42": {State: 'Z'},
	} {
		if got, err := parse([]byte(content)); err != nil || got != want {
			t.Errorf("%q: %+v, %v, want %+v", content, got, err, want)
		}
	}
	for _, content := range []string{"", "7 (cat)", "7 (cat) R", "7 (cat) R x"} {
		if s, err := parse([]byte(content)); err == nil {
			t.Errorf("%q: %+v", content, s)
		}
	}
}

func TestReadSelf(t *testing.T) {
	s, err := Read("/proc/self/stat")
	if err != nil || s.PPID != os.Getppid() || s.Gone() {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := Read("/proc/self/no-such-file"); !os.IsNotExist(err) {
		t.Errorf("%v, want that it does not exist", err)
	}
}
