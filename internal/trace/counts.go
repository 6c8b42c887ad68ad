package trace

import (
	"fmt"
	"slices"
	"strings"
	"unique"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Counts counts by name. It is a short list and not a map: a trace may have a
// million of them, most with one entry. In JSON it is an object, sorted by name.
type Counts []Count

// Count is one entry of Counts.
type Count struct {
	Name string
	N    uint64
}

// Add adds n to the count of name.
func (c *Counts) Add(name string, n uint64) {
	for i := range *c {
		if (*c)[i].Name == name {
			(*c)[i].N += n
			return
		}
	}
	*c = append(*c, Count{name, n})
}

// Get is the count of name.
func (c Counts) Get(name string) uint64 {
	for _, x := range c {
		if x.Name == name {
			return x.N
		}
	}
	return 0
}

// Total is the sum of all counts.
func (c Counts) Total() uint64 {
	var n uint64
	for _, x := range c {
		n += x.N
	}
	return n
}

// MarshalJSONTo implements [json.MarshalerTo].
func (c Counts) MarshalJSONTo(e *jsontext.Encoder) error {
	if len(c) > 1 {
		c = slices.Clone(c)
		slices.SortFunc(c, func(a, b Count) int { return strings.Compare(a.Name, b.Name) })
	}
	if err := e.WriteToken(jsontext.BeginObject); err != nil {
		return err
	}
	for _, x := range c {
		if err := e.WriteToken(jsontext.String(x.Name)); err != nil {
			return err
		}
		if err := e.WriteToken(jsontext.Uint(x.N)); err != nil {
			return err
		}
	}
	return e.WriteToken(jsontext.EndObject)
}

// MarshalJSON is [Counts.MarshalJSONTo] for encoding/json.
func (c Counts) MarshalJSON() ([]byte, error) { return json.Marshal(c) }

// UnmarshalJSONFrom implements [json.UnmarshalerFrom].
func (c *Counts) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	t, err := d.ReadToken()
	if err != nil {
		return err
	}
	*c = nil
	switch t.Kind() {
	case 'n':
		return nil
	case '{':
	default:
		return fmt.Errorf("counts are no %v", t.Kind())
	}
	for d.PeekKind() != '}' {
		name, err := d.ReadToken()
		if err != nil {
			return err
		}
		// A trace has few names, each of them often.
		x := Count{Name: unique.Make(name.String()).Value()}
		if err := json.UnmarshalDecode(d, &x.N); err != nil {
			return err
		}
		*c = append(*c, x)
	}
	slices.SortFunc(*c, func(a, b Count) int { return strings.Compare(a.Name, b.Name) })
	_, err = d.ReadToken()
	return err
}
