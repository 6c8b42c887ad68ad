package ask

import "testing"

func TestPress(t *testing.T) {
	for _, tt := range []struct {
		name  string
		input []string
		want  string
	}{
		{"keys", []string{"a", "?", "\n"}, "a?\n"},
		{"pasted", []string{"make all"}, ""},
		{"pasted, then a key", []string{"make all", "d"}, "d"},
		{"an arrow", []string{"\x1b[A", "d"}, "d"},
		{"an arrow in parts", []string{"\x1b", "[", "A", "d"}, "d"},
		{"a function key in parts", []string{"\x1bO", "D", "d"}, "d"},
		{"an arrow with modifiers in parts", []string{"\x1b[", "1", ";", "5", "A", "d"}, "d"},
		{"ESC and a key", []string{"\x1b", "a", "d"}, "d"},
		{"twice ESC", []string{"\x1b", "\x1b", "[", "A", "d"}, "d"},
		{"a title in parts", []string{"\x1b", "]", "l", "a", "A", "\x1b", "\\", "d"}, "d"},
		{"a title that ends with BEL", []string{"\x1b]", "l", "a", "\a", "d"}, "d"},
		{"a device control string", []string{"\x1bP", "a", "\x1b\\", "d"}, "d"},
		{"a key behind a sequence", []string{"\x1b[Aa", "d"}, "d"},
		{"nothing", []string{"", "d", ""}, "d"},
	} {
		var k keyboard
		got := ""
		for _, input := range tt.input {
			if key, ok := k.press([]byte(input)); ok {
				got += string(key)
			}
		}
		if got != tt.want {
			t.Errorf("%s: keys %q, want %q", tt.name, got, tt.want)
		}
	}
}
