package trace

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
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

// MarshalJSON implements [json.Marshaler].
func (c Counts) MarshalJSON() ([]byte, error) {
	sorted := slices.Clone(c)
	slices.SortFunc(sorted, func(a, b Count) int { return strings.Compare(a.Name, b.Name) })
	b := []byte{'{'}
	for i, x := range sorted {
		if i > 0 {
			b = append(b, ',')
		}
		name, err := json.Marshal(x.Name)
		if err != nil {
			return nil, err
		}
		b = append(b, name...)
		b = fmt.Appendf(b, ":%d", x.N)
	}
	return append(b, '}'), nil
}

// UnmarshalJSON implements [json.Unmarshaler].
func (c *Counts) UnmarshalJSON(b []byte) error {
	var m map[string]uint64
	if err := json.Unmarshal(b, &m); err != nil {
		return err
	}
	*c = (*c)[:0]
	for name, n := range m {
		*c = append(*c, Count{name, n})
	}
	slices.SortFunc(*c, func(a, b Count) int { return strings.Compare(a.Name, b.Name) })
	return nil
}
