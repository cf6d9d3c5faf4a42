package load

import "strconv"

// Topics are numbered, and called by a prefix and their number.
type Topics struct {
	Prefix string // such as "board/"
	N      int
}

// Name is the topic's name.
func (t Topics) Name(i int) string { return t.Prefix + strconv.Itoa(i) }

// A Follow is what a subscriber asks for, and which topics that is.
type Follow struct {
	Filters []string
	topics  []int32 // nil is all
}

// Only follows some topics by name.
func (t Topics) Only(numbers ...int) Follow {
	var f Follow
	for _, i := range numbers {
		f.Filters = append(f.Filters, t.Name(i))
		f.topics = append(f.topics, int32(i))
	}
	return f
}

// All follows all topics, by a pattern that matches them: prefix/* or prefix/**.
func (t Topics) All(pattern string) Follow { return Follow{Filters: []string{pattern}} }

// A Tally is what was published or received, without each of it: how many events,
// and the sum of what each one's number and offset are mixed to.
type Tally struct {
	Count int64
	Sum   uint64
}

// add counts an event; offset is 0 if it has none.
func (t *Tally) add(seq int64, offset uint64) {
	t.Count++
	t.Sum += mix(uint64(seq), offset)
}

// mix makes of two numbers one that has nothing to do with those of others, so
// that events which exchanged their offsets have another sum.
func mix(a, b uint64) uint64 {
	x := a*0x9e3779b97f4a7c15 ^ b
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// A Ledger is what was accepted, by topic.
type Ledger struct {
	topics []Tally
	all    Tally
}

// NewLedger is one in which nothing was accepted.
func NewLedger(t Topics) *Ledger { return &Ledger{topics: make([]Tally, t.N)} }

func (l *Ledger) add(topic int, seq int64, offset uint64) {
	l.topics[topic].add(seq, offset)
	l.all.add(seq, offset)
}

// of is what was accepted in the topics of a subscriber.
func (l *Ledger) of(f *Follow) (sum Tally) {
	if f.topics == nil {
		return l.all
	}
	for _, i := range f.topics {
		sum.Count += l.topics[i].Count
		sum.Sum += l.topics[i].Sum
	}
	return sum
}
