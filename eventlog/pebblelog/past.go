package pebblelog

import (
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog/internal/admit"
)

// past shows the log to admit, from memory and from disk. The newer of the two
// latest events of a key is the one that counts.
type past struct {
	log *Log
	ids *pebble.Iterator // made when first needed
	key []byte
}

func (p *past) close() {
	if p.ids != nil {
		p.ids.Close()
	}
}

func (p *past) Version(k admit.Key) (uint64, error) {
	stored, _, err := p.stored(k)
	return max(stored.offset, p.log.memory.Version(k)), err
}

func (p *past) Latest(k admit.Key) (nave.Event, error) {
	stored, ok, err := p.stored(k)
	if err != nil {
		return nave.Event{}, err
	}
	if e, found := p.log.memory.Latest(k); found && e.Offset > stored.offset {
		return e, nil
	}
	if !ok {
		return nave.Event{}, fmt.Errorf("latest event of %s in %s is missing: %w", k.Key, k.Topic, errCorrupt)
	}
	return stored.event(p.log.db)
}

func (p *past) stored(k admit.Key) (latest, bool, error) {
	p.key = appendLatestKey(p.key[:0], k)
	value, err := p.log.get(p.key)
	if value == nil || err != nil {
		return latest{}, false, err
	}
	l, err := decodeLatest(value)
	return l, true, err
}

// event is the latest event itself.
func (l latest) event(r pebble.Reader) (nave.Event, error) {
	if l.kind == kept {
		e, _, err := decodeEvent(l.body, l.offset)
		return e, err
	}
	return getEvent(r, l.offset)
}

func (p *past) Seen(id admit.ID, now time.Time) (admit.Place, bool, error) {
	if place, ok := p.log.memory.Seen(id, now); ok {
		return place, true, nil
	}
	place, ok, err := p.storedPlace(id)
	return place, ok && place.Expires.After(now), err
}

// storedPlace looks for an ID that is most often absent. An iterator, unlike
// Get, can be told to ask the bottom level's bloom filter, which then saves
// reading a block.
func (p *past) storedPlace(id admit.ID) (admit.Place, bool, error) {
	if p.ids == nil {
		it, err := p.log.db.NewIter(&pebble.IterOptions{
			LowerBound:   []byte{idKeys},
			UpperBound:   []byte{idKeys + 1},
			UseL6Filters: true,
		})
		if err != nil {
			return admit.Place{}, false, err
		}
		p.ids = it
	}
	p.key = appendIDKey(p.key[:0], id)
	if !p.ids.SeekPrefixGE(p.key) {
		return admit.Place{}, false, p.ids.Error()
	}
	value, err := p.ids.ValueAndErr()
	if err != nil {
		return admit.Place{}, false, err
	}
	place, err := decodePlace(value)
	return place, true, err
}
