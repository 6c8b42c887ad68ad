package policy

import (
	"math/bits"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestDoors(t *testing.T) {
	if n := len(AllDoors.Names()); n != bits.OnesCount32(uint32(AllDoors)) || DoorObsolete != 1<<(n-1) {
		t.Errorf("%d names for the doors up to %#x", n, DoorObsolete)
	}
	for _, d := range AllDoors.Doors() {
		if d.What() == "" || d.Bypasses() == "" {
			t.Errorf("%v: nothing is said about it", d)
		}
		if parsed, err := ParseDoor(d.String()); parsed != d || err != nil {
			t.Errorf("ParseDoor(%v) = %v, %v", d, parsed, err)
		}
	}
	if s := (DoorMount | DoorIOUring).String(); s != "io_uring,mount" {
		t.Errorf("two doors are %q", s)
	}
}

func TestParseDoorErrors(t *testing.T) {
	for name, want := range map[string]string{
		"iouring":    `did you mean "io_uring"?`,
		"io-uring":   `did you mean "io_uring"?`,
		"rawsocket":  `did you mean "raw_sockets"?`,
		"namespace":  `did you mean "namespaces"?`,
		"windows":    "they are io_uring, mount",
		"":           "they are io_uring, mount",
		"mount,bpf":  "they are io_uring, mount",
		"everything": "they are io_uring, mount",
	} {
		d, err := ParseDoor(name)
		if d != 0 || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseDoor(%q) = %v, %v", name, d, err)
		}
	}
}

// TestDoorsDocument: the threat model says of each door what it goes around, in the order of
// the constants.
func TestDoorsDocument(t *testing.T) {
	text, err := os.ReadFile("../../docs/threat-model.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "### Side doors")
	var rows []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\|").FindAllStringSubmatch(section, -1) {
		rows = append(rows, row[1])
	}
	if !slices.Equal(rows, AllDoors.Names()) {
		t.Errorf("the table has %q, want %q", rows, AllDoors.Names())
	}
}
