package nave

// A bag is the set of values under one filter. Most hold one value, which costs
// no allocation; some hold a hundred thousand, and must give up any of them
// without a search.
type bag[V comparable] struct {
	n    int
	one  V        // if n is 1
	many *many[V] // if n is more
}

// many keeps its values in a slice, for fast walks, and from indexFrom on also
// each value's place in it.
type many[V comparable] struct {
	values []V
	places map[V]int // nil while a scan is cheaper
}

const (
	indexFrom = 32
	smallest  = 4
)

func (b *bag[V]) each(yield func(V)) {
	switch b.n {
	case 0:
	case 1:
		yield(b.one)
	default:
		for _, v := range b.many.values {
			yield(v)
		}
	}
}

// add reports whether v is new.
func (b *bag[V]) add(v V) bool {
	switch {
	case b.n == 0:
		b.one = v
	case b.n == 1 && b.one == v:
		return false
	case b.n == 1:
		b.many = &many[V]{values: append(make([]V, 0, smallest), b.one, v)}
		b.one = *new(V)
	case b.many.place(v) >= 0:
		return false
	default:
		b.many.add(v)
	}
	b.n++
	return true
}

// remove reports whether v was there.
func (b *bag[V]) remove(v V) bool {
	switch {
	case b.n == 0 || b.n == 1 && b.one != v:
		return false
	case b.n == 1:
		b.one = *new(V)
	default:
		at := b.many.place(v)
		if at < 0 {
			return false
		}
		b.many.removeAt(at)
	}
	b.n--
	if b.n == 1 {
		b.one, b.many = b.many.values[0], nil
	}
	return true
}

// place is where v is among the values, -1 if it is not.
func (m *many[V]) place(v V) int {
	if m.places != nil {
		if at, ok := m.places[v]; ok {
			return at
		}
		return -1
	}
	for at, w := range m.values {
		if v == w {
			return at
		}
	}
	return -1
}

func (m *many[V]) add(v V) {
	if m.places != nil {
		m.places[v] = len(m.values)
	}
	m.values = append(m.values, v)
	if m.places == nil && len(m.values) >= indexFrom {
		m.index()
	}
}

// removeAt moves the last value into the gap.
func (m *many[V]) removeAt(at int) {
	last := len(m.values) - 1
	gone, moved := m.values[at], m.values[last]
	m.values[at] = moved
	m.values[last] = *new(V)
	m.values = m.values[:last]
	if m.places != nil {
		m.places[moved] = at
		delete(m.places, gone)
	}
	if last > smallest && last <= cap(m.values)/4 {
		m.shrink()
	}
}

// shrink gives back the memory that slice and map keep when they empty. It runs
// once in so many removals that each of them pays a constant.
func (m *many[V]) shrink() {
	m.values = append(make([]V, 0, 2*len(m.values)), m.values...)
	m.places = nil
	if len(m.values) >= indexFrom {
		m.index()
	}
}

func (m *many[V]) index() {
	m.places = make(map[V]int, cap(m.values))
	for at, v := range m.values {
		m.places[v] = at
	}
}

// A shrinkingMap gives memory back when it empties, which Go's maps do not. It
// is read through m.
type shrinkingMap[K comparable, V any] struct {
	m    map[K]V
	peak int // the most entries since m was made
}

func (s *shrinkingMap[K, V]) set(k K, v V) {
	if s.m == nil {
		s.m = make(map[K]V)
	}
	s.m[k] = v
	s.peak = max(s.peak, len(s.m))
}

func (s *shrinkingMap[K, V]) delete(k K) {
	delete(s.m, k)
	const worthwhile = 64
	if s.peak < worthwhile || len(s.m) > s.peak/4 {
		return
	}
	smaller := make(map[K]V, 2*len(s.m))
	for k, v := range s.m {
		smaller[k] = v
	}
	s.m, s.peak = smaller, len(smaller)
}
