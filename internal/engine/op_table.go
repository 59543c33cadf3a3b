package engine

// opRef names an operation without pointing to it: slots outlive operations.
type opRef struct{ index, generation uint32 }

// opTable finds operations by their reference.
type opTable struct {
	entries []opEntry
	unused  []uint32
}

type opEntry struct {
	op         *Op
	generation uint32
}

func (t *opTable) add(op *Op) opRef {
	if n := len(t.unused); n > 0 {
		i := t.unused[n-1]
		t.unused = t.unused[:n-1]
		t.entries[i].op = op
		return opRef{i, t.entries[i].generation}
	}
	t.entries = append(t.entries, opEntry{op: op})
	return opRef{index: uint32(len(t.entries) - 1)}
}

func (t *opTable) remove(ref opRef) {
	if t.get(ref) == nil {
		return
	}
	e := &t.entries[ref.index]
	e.op = nil
	e.generation++
	t.unused = append(t.unused, ref.index)
}

// get returns nil when the operation has ended.
func (t *opTable) get(ref opRef) *Op {
	if e := &t.entries[ref.index]; e.generation == ref.generation {
		return e.op
	}
	return nil
}
