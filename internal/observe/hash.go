package observe

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
)

const batch = 4096

// each calls f with every entry of a hash map of counts, in batches: one system
// call for many entries.
func each[K any](m *ebpf.Map, f func(k *K, n uint64)) error {
	keys := make([]K, min(batch, int(m.MaxEntries())))
	values := make([]uint64, len(keys))
	var cursor ebpf.MapBatchCursor
	for {
		n, err := m.BatchLookup(&cursor, keys, values, nil)
		for i := range n {
			f(&keys[i], values[i])
		}
		if errors.Is(err, ebpf.ErrKeyNotExist) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading map %q: %w", m, err)
		}
	}
}

// take is each for the entries that want says, and deletes them. Nobody may add
// to those entries any more.
func take[K any](m *ebpf.Map, want func(k *K) bool, f func(k *K, n uint64)) error {
	var gone []K
	err := each(m, func(k *K, n uint64) {
		if want(k) {
			f(k, n)
			gone = append(gone, *k)
		}
	})
	if err != nil || len(gone) == 0 {
		return err
	}
	if _, err := m.BatchDelete(gone, nil); err != nil {
		return fmt.Errorf("clearing map %q: %w", m, err)
	}
	return nil
}

// isEmpty says whether a hash map has no entry.
func isEmpty(m *ebpf.Map, key any) (bool, error) {
	err := m.NextKey(nil, key)
	if errors.Is(err, ebpf.ErrKeyNotExist) {
		return true, nil
	}
	return false, err
}
