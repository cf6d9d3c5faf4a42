package nave

import "strings"

// An Index finds the values, such as subscribers, whose filters match a topic,
// among many thousands. An exact filter is found by one map lookup. Patterns
// live in a trie of segments, so that a match costs what the topic's depth and
// the patterns that begin like it cost, however many others there are.
//
// The zero Index is empty and ready. It must not be copied once used. It is not
// safe for concurrent use, except that several Matches may run at the same time.
type Index[V comparable] struct {
	exact shrinkingMap[Topic, bag[V]]
	root  node[V]
	// edges are the literal edges of all nodes. Most nodes have one or none, for
	// which a map in each of them would cost ten times the bytes.
	edges shrinkingMap[edge[V], *node[V]]
	len   int
}

// A node is where the patterns with the same first segments meet.
type node[V comparable] struct {
	here bag[V]   // of patterns that end here
	rest bag[V]   // of patterns that go on with "**", their end
	star *node[V] // for patterns that go on with "*"
	// literals counts the edges that leave from here.
	literals int
}

type edge[V comparable] struct {
	from    *node[V]
	segment string
}

// Add puts v under f. Adding it again under the same filter does nothing.
func (x *Index[V]) Add(f Filter, v V) {
	if topic, ok := f.Exact(); ok {
		values := x.exact.m[topic]
		if values.add(v) {
			x.len++
			x.exact.set(topic, values)
		}
		return
	}
	if x.grow(string(f)).add(v) {
		x.len++
	}
}

// grow makes the way to a pattern's values.
func (x *Index[V]) grow(pattern string) *bag[V] {
	n := &x.root
	for more := true; more; {
		var segment string
		segment, pattern, more = strings.Cut(pattern, "/")
		if segment == "**" {
			return &n.rest
		}
		next := x.child(n, segment)
		if next == nil {
			next = new(node[V])
			x.link(n, segment, next)
		}
		n = next
	}
	return &n.here
}

// Remove takes v from under f. It does nothing if v is not there.
func (x *Index[V]) Remove(f Filter, v V) {
	topic, ok := f.Exact()
	if !ok {
		x.prune(&x.root, string(f), v)
		return
	}
	values := x.exact.m[topic]
	if !values.remove(v) {
		return
	}
	x.len--
	if values.n == 0 {
		x.exact.delete(topic)
	} else {
		x.exact.set(topic, values)
	}
}

// prune removes v from under the pattern, seen from n, and on its way back the
// nodes that are no longer needed.
func (x *Index[V]) prune(n *node[V], pattern string, v V) {
	segment, rest, more := strings.Cut(pattern, "/")
	if segment == "**" {
		x.take(&n.rest, v)
		return
	}
	next := x.child(n, segment)
	switch {
	case next == nil:
		return
	case more:
		x.prune(next, rest, v)
	default:
		x.take(&next.here, v)
	}
	if next.empty() {
		x.unlink(n, segment)
	}
}

func (x *Index[V]) take(from *bag[V], v V) {
	if from.remove(v) {
		x.len--
	}
}

// Match calls yield for every value of every filter that matches t, in no
// particular order: once for each such filter that the value is under. It
// allocates nothing. Yield must not change the index.
func (x *Index[V]) Match(t Topic, yield func(V)) {
	if values, ok := x.exact.m[t]; ok {
		values.each(yield)
	}
	if !t.Reserved() {
		x.match(&x.root, string(t), yield)
		return
	}
	// A wildcard in the first segment does not match the hub's own topics.
	segment, rest, more := strings.Cut(string(t), "/")
	x.step(x.edges.m[edge[V]{&x.root, segment}], rest, more, yield)
}

func (x *Index[V]) match(n *node[V], topic string, yield func(V)) {
	n.rest.each(yield)
	segment, rest, more := strings.Cut(topic, "/")
	x.step(n.star, rest, more, yield)
	if n.literals > 0 {
		x.step(x.edges.m[edge[V]{n, segment}], rest, more, yield)
	}
}

// step goes on at n, if there is such a node, with the rest of the topic.
func (x *Index[V]) step(n *node[V], rest string, more bool, yield func(V)) {
	switch {
	case n == nil:
	case more:
		x.match(n, rest, yield)
	default:
		n.here.each(yield)
	}
}

// Len is how many values there are, each counted once for every filter that it
// is under.
func (x *Index[V]) Len() int { return x.len }

func (x *Index[V]) child(n *node[V], segment string) *node[V] {
	if segment == "*" {
		return n.star
	}
	return x.edges.m[edge[V]{n, segment}]
}

func (x *Index[V]) link(n *node[V], segment string, child *node[V]) {
	if segment == "*" {
		n.star = child
		return
	}
	x.edges.set(edge[V]{n, segment}, child)
	n.literals++
}

func (x *Index[V]) unlink(n *node[V], segment string) {
	if segment == "*" {
		n.star = nil
		return
	}
	x.edges.delete(edge[V]{n, segment})
	n.literals--
}

func (n *node[V]) empty() bool {
	return n.here.n == 0 && n.rest.n == 0 && n.star == nil && n.literals == 0
}

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
