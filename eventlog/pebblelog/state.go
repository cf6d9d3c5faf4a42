package pebblelog

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/eventlog/internal/state"
)

// State is a snapshot of the latest events; see [eventlog.Log].
func (l *Log) State(ctx context.Context, filters nave.Filters) (eventlog.Snapshot, error) {
	if err := l.enter(ctx); err != nil {
		return nil, err
	}
	defer l.leave()
	// Pebble shows a commit before it is synced, so keep clear of commits.
	l.write.Lock()
	defer l.write.Unlock()
	if err := l.broken(); err != nil {
		return nil, err
	}
	s := &snapshot{
		log:     l,
		offset:  l.Head(),
		filters: slices.Clone(filters),
		memory:  l.memory.State(filters),
		db:      l.db.NewSnapshot(),
	}
	l.snapshots.add(s)
	return s, nil
}

// snapshots are those that are open, since Pebble cannot be closed before them.
type snapshots struct {
	mu   sync.Mutex
	open map[*snapshot]struct{}
}

func (o *snapshots) add(s *snapshot) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.open[s] = struct{}{}
}

func (o *snapshots) close(s *snapshot) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, open := o.open[s]; !open {
		return nil
	}
	delete(o.open, s)
	return s.db.Close()
}

func (o *snapshots) closeAll() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for s := range o.open {
		s.db.Close()
	}
	clear(o.open)
}

type snapshot struct {
	log     *Log
	offset  uint64
	filters nave.Filters
	memory  []nave.Event
	db      *pebble.Snapshot
}

func (s *snapshot) Offset() uint64 { return s.offset }

func (s *snapshot) Close() error { return s.log.snapshots.close(s) }

func (s *snapshot) Events() iter.Seq2[nave.Event, error] {
	return state.Merge(s.stored, s.memory)
}

// stored yields what is on disk, read a chunk at a time: between two of them,
// while a slow reader makes up its mind, the log can be closed.
func (s *snapshot) stored(yield func(nave.Event, error) bool) {
	for _, prefix := range latestPrefixes(s.filters) {
		for from := prefix; from != nil; {
			events, next, err := s.chunk(prefix, from)
			for _, e := range events {
				if !yield(e, nil) {
					return
				}
			}
			if err != nil {
				yield(nave.Event{}, s.log.unreadableState(err))
				return
			}
			from = next
		}
	}
}

// chunkEvents and chunkBytes bound what a snapshot holds in memory.
const (
	chunkEvents = 256
	chunkBytes  = 256 << 10
)

// chunk reads events below prefix, beginning with the key from. next is where to
// go on, nil at the end.
func (s *snapshot) chunk(prefix, from []byte) (events []nave.Event, next []byte, err error) {
	if err := s.log.enter(context.Background()); err != nil {
		return nil, nil, err
	}
	defer s.log.leave()
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: []byte{latestKeys}, UpperBound: []byte{latestKeys + 1}})
	if err != nil {
		return nil, nil, err
	}
	defer it.Close()
	bytesRead := 0
	for it.SeekGE(from); it.Valid() && bytes.HasPrefix(it.Key(), prefix); {
		if len(events) == chunkEvents || bytesRead >= chunkBytes {
			return events, slices.Clone(it.Key()), nil
		}
		e, found, err := s.step(it)
		if err != nil {
			return events, nil, err
		}
		if found {
			events = append(events, e)
			bytesRead += e.Size()
		}
	}
	return events, nil, it.Error()
}

// step reads the key that the iterator is at, if it matches, and moves on: to the
// next key, or past a topic that does not match.
func (s *snapshot) step(it *pebble.Iterator) (e nave.Event, found bool, err error) {
	topic, _, ok := splitLatestKey(it.Key())
	if !ok {
		return e, false, fmt.Errorf("key %q: %w", it.Key(), errCorrupt)
	}
	if !s.filters.Match(nave.Topic(topic)) {
		it.SeekGE(append(append([]byte{latestKeys}, topic...), 1))
		return e, false, nil
	}
	e, err = s.latestAt(it)
	if err == nil {
		it.Next()
	}
	return e, err == nil, err
}

func (s *snapshot) latestAt(it *pebble.Iterator) (nave.Event, error) {
	value, err := it.ValueAndErr()
	if err != nil {
		return nave.Event{}, err
	}
	l, err := decodeLatest(value)
	if err != nil {
		return nave.Event{}, err
	}
	return l.event(s.db)
}

// latestPrefixes are where keys of matching topics begin: in order, and none
// within another, so that every key comes once and in its place.
func latestPrefixes(filters nave.Filters) [][]byte {
	prefixes := make([]string, 0, len(filters))
	for _, f := range filters {
		prefix := string(latestKeys) + f.Prefix()
		if _, exact := f.Exact(); exact {
			prefix += "\x00"
		}
		prefixes = append(prefixes, prefix)
	}
	slices.Sort(prefixes)
	var apart [][]byte
	for _, p := range prefixes {
		if n := len(apart); n > 0 && strings.HasPrefix(p, string(apart[n-1])) {
			continue
		}
		apart = append(apart, []byte(p))
	}
	return apart
}
