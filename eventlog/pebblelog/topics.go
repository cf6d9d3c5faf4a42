package pebblelog

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/eventlog/internal/page"
)

// Following more topics than maxFollowed, or looking for them among more than
// maxSearched, costs more than going through the events in order.
const (
	maxFollowed = 128
	maxSearched = 256
)

// follow finds the topics that the filters match, if these are few, by skipping
// in the index from topic to topic.
func follow(index *pebble.Iterator, filters nave.Filters) (topics []nave.Topic, few bool, err error) {
	searched := 0
	for _, f := range filters {
		if topic, exact := f.Exact(); exact {
			topics = append(topics, topic)
			continue
		}
		if f == "**" {
			return nil, false, nil // all topics, but the hub's own
		}
		prefix := append([]byte{topicKeys}, f.Prefix()...)
		for index.SeekGE(prefix); index.Valid() && bytes.HasPrefix(index.Key(), prefix); {
			topic, _, ok := splitTopicKey(index.Key())
			if !ok {
				return nil, false, fmt.Errorf("key %q: %w", index.Key(), errCorrupt)
			}
			if searched++; searched > maxSearched {
				return nil, false, nil
			}
			if f.Match(nave.Topic(topic)) {
				topics = append(topics, nave.Topic(topic))
			}
			index.SeekGE(pastTopic(topic))
		}
		if err := index.Error(); err != nil {
			return nil, false, err
		}
	}
	slices.Sort(topics)
	topics = slices.Compact(topics)
	return topics, len(topics) <= maxFollowed, nil
}

// pastTopic is the first index key past all of the topic's.
func pastTopic(topic []byte) []byte {
	return append(append([]byte{topicKeys}, topic...), 1)
}

// A merger yields the offsets of several topics' events in order. It reads each
// topic's index some entries at a time, all with one iterator.
type merger struct {
	index   *pebble.Iterator
	stretch stretch
	ahead   int // how many entries of a topic to read at a time
	topics  []topicCursor
	key     []byte
}

type topicCursor struct {
	topic   nave.Topic
	offsets []uint64 // read ahead
	after   uint64   // the index is read up to here
	done    bool
}

func newMerger(index *pebble.Iterator, topics []nave.Topic, s stretch, limit eventlog.Limit) *merger {
	m := &merger{
		index:   index,
		stretch: s,
		ahead:   page.Bounded(limit).Events/max(len(topics), 1) + 2,
		topics:  make([]topicCursor, len(topics)),
	}
	for i, topic := range topics {
		m.topics[i] = topicCursor{topic: topic, after: s.after}
	}
	return m
}

// next is the next offset; there is none if ok is false.
func (m *merger) next() (offset uint64, ok bool, err error) {
	var first *topicCursor
	for i := range m.topics {
		c := &m.topics[i]
		if len(c.offsets) == 0 && !c.done {
			if err := m.refill(c); err != nil {
				return 0, false, err
			}
		}
		if len(c.offsets) > 0 && (first == nil || c.offsets[0] < first.offsets[0]) {
			first = c
		}
	}
	if first == nil {
		return 0, false, nil
	}
	offset, first.offsets = first.offsets[0], first.offsets[1:]
	return offset, true, nil
}

func (m *merger) refill(c *topicCursor) error {
	m.key = appendTopicKey(m.key[:0], c.topic, c.after+1)
	topicPart := len(m.key) - 8
	c.offsets = c.offsets[:0]
	for m.index.SeekGE(m.key); m.index.Valid() && len(c.offsets) < m.ahead; m.index.Next() {
		key := m.index.Key()
		if !bytes.HasPrefix(key, m.key[:topicPart]) {
			break
		}
		_, offset, ok := splitTopicKey(key)
		if !ok {
			return fmt.Errorf("key %q: %w", key, errCorrupt)
		}
		if offset > m.stretch.upTo {
			break
		}
		c.offsets = append(c.offsets, offset)
		c.after = offset
	}
	c.done = len(c.offsets) < m.ahead
	return m.index.Error()
}

// seekEvent reads the event at the offset, which must be there.
func seekEvent(events *pebble.Iterator, key []byte, offset uint64) (nave.Event, error) {
	if !events.SeekGE(key) || !bytes.Equal(events.Key(), key) {
		if err := events.Error(); err != nil {
			return nave.Event{}, err
		}
		return nave.Event{}, fmt.Errorf("event at offset %d is missing: %w", offset, errCorrupt)
	}
	e, _, err := readEvent(events)
	return e, err
}
