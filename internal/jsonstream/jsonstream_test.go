package jsonstream

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// read reads what has a number n and a list of strings of it.
func read(d *Decoder) (n int, list []string, err error) {
	err = d.Document(func(name string) error {
		switch name {
		case "n":
			return d.Value(&n)
		case "list":
			if d.Null() {
				return nil
			}
			return d.List(func(int) error {
				var s string
				err := d.Value(&s)
				list = append(list, s)
				return err
			})
		}
		return d.Skip()
	})
	return n, list, err
}

func TestDocument(t *testing.T) {
	for text, want := range map[string]string{
		`{}`: "0",
		` { "n" : 1 , "x":[{"n":"y"}], "list": ["a", "b\u0063"] } `: "1 a bc",
		`{"list":null,"n":2}`: "2",
		`{"list":[]}`:         "0",
	} {
		n, list, err := read(New(strings.NewReader(text)))
		if got := strings.Join(append([]string{strconv.Itoa(n)}, list...), " "); err != nil || got != want {
			t.Errorf("%s: %q, error %v, want %q", text, got, err, want)
		}
	}
}

func TestErrors(t *testing.T) {
	for text, want := range map[string]string{
		``:                                     "byte 0: there is nothing",
		"  \n":                                 "byte 0: there is nothing",
		`[]`:                                   "byte 1: a list where an object should be",
		`{`:                                    "byte 1: it ends in the middle",
		`{"n"`:                                 "it ends in the middle",
		`{"n":`:                                "it ends in the middle",
		`{"n":1`:                               "it ends in the middle",
		`{"list":["a",`:                        `"list": entry 1: it ends in the middle`,
		`{"n":1}{}`:                            "something follows the end of the object",
		`{"n":1}x`:                             "something follows the end of the object",
		`{"n":1,"n":2}`:                        `"n" is there twice`,
		`{"list":{}}`:                          `byte 9: "list": an object where a list should be`,
		`{"list":["a",2]}`:                     `byte 14: "list": entry 1: a number at "/list/1" is not of the type that belongs there`,
		`{"n":18446744073709551616}`:           `a number 18446744073709551616 at "/n": value out of range`,
		"{\"list\":[\"\xff\"]}":                `"list": entry 0: invalid UTF-8`,
		`{x:1}`:                                "byte 1: invalid character 'x'",
		"\x00":                                 `byte 0: invalid character '\x00' at start of value`,
		`{"x":` + strings.Repeat("[", 100_000): "exceeded max depth",
	} {
		_, _, err := read(New(strings.NewReader(text)))
		if len(text) > 100 {
			text = text[:100]
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", text, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "json") {
			t.Errorf("%q: error %q is of the library", text, err)
		}
	}
	dir, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	if _, _, err := read(New(dir)); err == nil || !strings.HasSuffix(err.Error(), dir.Name()+": is a directory") {
		t.Errorf("a directory: error %v", err)
	}
}
