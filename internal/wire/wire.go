// Package wire is how strings that need not be UTF-8 go into JSON: a field X, or
// X_base64 if the bytes are not valid UTF-8 (docs/formats.md). Of a list all go one
// way.
package wire

import "unicode/utf8"

// Text is what the fields X and X_base64 hold for s; one of them is empty.
func Text[S string | []byte](s S) (plain string, base64 []byte) {
	if utf8.ValidString(string(s)) {
		return string(s), nil
	}
	return "", []byte(s)
}

// Texts is Text for a list.
func Texts[S string | []byte](list []S) (plain []string, base64 [][]byte) {
	for _, s := range list {
		if !utf8.ValidString(string(s)) {
			return nil, allBytes(list)
		}
		plain = append(plain, string(s))
	}
	return plain, nil
}

func allBytes[S string | []byte](list []S) [][]byte {
	all := make([][]byte, len(list))
	for i, s := range list {
		all[i] = []byte(s)
	}
	return all
}

// FromText is the inverse of Text.
func FromText(plain string, base64 []byte) string {
	if base64 != nil {
		return string(base64)
	}
	return plain
}

// FromTexts is the inverse of Texts.
func FromTexts(plain []string, base64 [][]byte) []string {
	if base64 == nil {
		return plain
	}
	list := make([]string, len(base64))
	for i, b := range base64 {
		list[i] = string(b)
	}
	return list
}
