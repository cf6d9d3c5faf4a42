package nave

import "strings"

// An Index finds the values, such as subscribers, whose filters match a topic,
// among many thousands. An exact filter is found by one map lookup. Patterns
// live in a trie of segments, so that a match costs what the patterns that begin
// like the topic cost, however many others there are. A node stands only where
// patterns end or part: however deep they are, there are at most two for each.
//
// The zero Index is empty and ready. It must not be copied once used. It is not
// safe for concurrent use, except that several Matches may run at the same time.
type Index[V comparable] struct {
	exact shrinkingMap[Topic, bag[V]]
	root  node[V]
	// edges are the literal edges of all nodes, by their first segments. Most nodes
	// have one or none, for which a map in each of them would cost ten times the bytes.
	edges shrinkingMap[edge[V], *node[V]]
	len   int
}

// A node is where the patterns with the same first segments end or part.
type node[V comparable] struct {
	label string   // the segments from the node above to here, "" for the root
	here  bag[V]   // of patterns that end here
	rest  bag[V]   // of patterns that go on with "**", their end
	star  *node[V] // for patterns that go on with "*"
	// literals is the first of those for patterns that go on with anything else;
	// they are siblings of one another.
	literals   *node[V]
	next, prev *node[V] // siblings
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
	n := &x.root
	path, rest := cutRest(string(f))
	for path != "" {
		n, path = x.grow(n, path)
	}
	values := &n.here
	if rest {
		values = &n.rest
	}
	if values.add(v) {
		x.len++
	}
}

// grow goes from n to the next node on the path, which it makes if need be, and
// returns what is left of the path.
func (x *Index[V]) grow(n *node[V], path string) (*node[V], string) {
	child := x.child(n, path)
	if child == nil {
		child = &node[V]{label: strings.Clone(path)} // the filter may be part of a long text
		x.link(n, child)
		return child, ""
	}
	shared := sharedSegments(child.label, path)
	if shared < len(child.label) {
		child = x.split(n, child, shared)
	}
	return child, strings.TrimPrefix(path[shared:], "/")
}

// split puts a node on the way from n to child, after the first bytes of its label.
func (x *Index[V]) split(n, child *node[V], at int) *node[V] {
	x.unlink(n, child)
	between := &node[V]{label: child.label[:at]}
	child.label = child.label[at+1:]
	x.link(n, between)
	x.link(between, child)
	return between
}

// Remove takes v from under f. It does nothing if v is not there.
func (x *Index[V]) Remove(f Filter, v V) {
	topic, ok := f.Exact()
	if !ok {
		path, rest := cutRest(string(f))
		x.prune(&x.root, path, rest, v)
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
func (x *Index[V]) prune(n *node[V], path string, rest bool, v V) {
	switch {
	case path != "":
		child := x.child(n, path)
		if child != nil && sharedSegments(child.label, path) == len(child.label) {
			x.prune(child, strings.TrimPrefix(path[len(child.label):], "/"), rest, v)
			x.tidy(n, child)
		}
	case rest:
		x.take(&n.rest, v)
	default:
		x.take(&n.here, v)
	}
}

// tidy removes a child of n at which no pattern ends or parts.
func (x *Index[V]) tidy(n, child *node[V]) {
	if child.here.n > 0 || child.rest.n > 0 {
		return
	}
	only := child.star
	switch {
	case only == nil:
		only = child.literals
	case child.literals != nil:
		return
	}
	if only == nil {
		x.unlink(n, child)
		return
	}
	if only.next != nil {
		return
	}
	x.unlink(child, only)
	x.unlink(n, child)
	only.label = child.label + "/" + only.label
	x.link(n, only)
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
	if t.Reserved() {
		// A wildcard in the first segment does not match the hub's own topics.
		x.step(x.literal(&x.root, string(t)), string(t), yield)
		return
	}
	x.match(&x.root, string(t), yield)
}

func (x *Index[V]) match(n *node[V], topic string, yield func(V)) {
	n.rest.each(yield)
	x.step(n.star, topic, yield)
	if n.literals != nil {
		x.step(x.literal(n, topic), topic, yield)
	}
}

// step goes on at n, if there is such a node and its label matches.
func (x *Index[V]) step(n *node[V], topic string, yield func(V)) {
	if n == nil {
		return
	}
	at, ok := matchSegments(n.label, topic)
	switch {
	case !ok:
	case at < len(topic):
		x.match(n, topic[at+1:], yield)
	default:
		n.here.each(yield)
	}
}

// Len is how many values there are, each counted once for every filter that it
// is under.
func (x *Index[V]) Len() int { return x.len }

// child is the one of n where path goes on.
func (x *Index[V]) child(n *node[V], path string) *node[V] {
	if firstSegment(path) == "*" {
		return n.star
	}
	return x.literal(n, path)
}

func (x *Index[V]) literal(n *node[V], path string) *node[V] {
	return x.edges.m[edge[V]{n, firstSegment(path)}]
}

func (x *Index[V]) link(n, child *node[V]) {
	segment := firstSegment(child.label)
	if segment == "*" {
		n.star = child
		return
	}
	x.edges.set(edge[V]{n, segment}, child)
	if child.next = n.literals; child.next != nil {
		child.next.prev = child
	}
	n.literals = child
}

func (x *Index[V]) unlink(n, child *node[V]) {
	segment := firstSegment(child.label)
	if segment == "*" {
		n.star = nil
		return
	}
	x.edges.delete(edge[V]{n, segment})
	if child.prev != nil {
		child.prev.next = child.next
	} else {
		n.literals = child.next
	}
	if child.next != nil {
		child.next.prev = child.prev
	}
	child.next, child.prev = nil, nil
}

// cutRest reports whether a pattern ends in "**", and gives what is before.
func cutRest(pattern string) (path string, rest bool) {
	path, rest = strings.CutSuffix(pattern, "**")
	return strings.TrimSuffix(path, "/"), rest
}

func firstSegment(path string) string {
	segment, _, _ := strings.Cut(path, "/")
	return segment
}

// sharedSegments is how many bytes the first segments take that two paths have in
// common.
func sharedSegments(a, b string) int {
	i, end := 0, 0
	for ; i < len(a) && i < len(b) && a[i] == b[i]; i++ {
		if a[i] == '/' {
			end = i
		}
	}
	if (i == len(a) || a[i] == '/') && (i == len(b) || b[i] == '/') {
		return i
	}
	return end
}

// matchSegments reports whether a topic begins with what the pattern asks for,
// and how many bytes of it that takes.
func matchSegments(pattern, topic string) (at int, ok bool) {
	for i := 0; i < len(pattern); i++ {
		switch {
		case pattern[i] == '*': // a whole segment
			for at < len(topic) && topic[at] != '/' {
				at++
			}
		case at < len(topic) && topic[at] == pattern[i]:
			at++
		default:
			return 0, false
		}
	}
	return at, at == len(topic) || topic[at] == '/'
}
