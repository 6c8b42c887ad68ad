package ask

// keyboard tells single key presses from everything else that a terminal sends:
// pasted text, keys that are sequences (an arrow is ESC [ A), and the answers to
// queries, which a target can provoke by what it prints, in part with a text of
// its choice (a window's title). None of these may answer a question.
type keyboard struct {
	state keyboardState
}

type keyboardState uint8

const (
	plain keyboardState = iota
	// escaped: after ESC.
	escaped
	// sequence: after ESC [ or ESC O, until a byte from @ to ~.
	sequence
	// text: after ESC and one of P ] X ^ _, until BEL or ESC \.
	text
)

const (
	bell   = 0x07
	escape = 0x1b
)

// press is the key that was pressed, if that is all that input is. What comes
// together was not typed at a question, and a sequence may come in parts.
func (k *keyboard) press(input []byte) (key byte, ok bool) {
	for _, b := range input {
		ok = k.state == plain && b != escape
		k.state = k.after(b)
		key = b
	}
	return key, ok && len(input) == 1
}

// after is the state after b (ECMA-48, and XTerm Control Sequences).
func (k *keyboard) after(b byte) keyboardState {
	switch {
	case b == escape:
		return escaped
	case k.state == escaped:
		switch b {
		case '[', 'O':
			return sequence
		case 'P', ']', 'X', '^', '_':
			return text
		}
		return plain
	case k.state == sequence && (b < '@' || b > '~'):
		return sequence
	case k.state == text && b != bell:
		return text
	}
	return plain
}
