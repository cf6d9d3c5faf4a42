package pebblelog

import (
	"bytes"
	"encoding/binary"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog/internal/admit"
)

// The first byte of a key says what it is. Texts hold no control characters, so
// a zero byte ends them and keeps their order.
const (
	eventKeys   = 'e' // offset → event
	topicKeys   = 't' // topic 0 offset → nothing; the index
	latestKeys  = 'k' // topic 0 key → latest
	idKeys      = 'i' // source 0 id → place
	horizonKeys = 'h' // topic → offset; without topic, the floor
	restartKeys = 'r' // first segment → offset, or 0; without segment, any
	metaKeys    = 'm' // name → value
)

var (
	epochKey    = []byte("mepoch")
	positionKey = []byte("mposition")
)

func appendEventKey(b []byte, offset uint64) []byte {
	return binary.BigEndian.AppendUint64(append(b, eventKeys), offset)
}

func eventKeyOffset(key []byte) (uint64, bool) {
	if len(key) != 1+8 {
		return 0, false
	}
	return binary.BigEndian.Uint64(key[1:]), true
}

func appendTopicKey(b []byte, topic nave.Topic, offset uint64) []byte {
	b = append(append(append(b, topicKeys), topic...), 0)
	return binary.BigEndian.AppendUint64(b, offset)
}

// splitTopicKey reads an index key. The topic is part of the key's memory.
func splitTopicKey(key []byte) (topic []byte, offset uint64, ok bool) {
	topic, rest, found := bytes.Cut(key[1:], []byte{0})
	if !found || len(rest) != 8 {
		return nil, 0, false
	}
	return topic, binary.BigEndian.Uint64(rest), true
}

func appendLatestKey(b []byte, k admit.Key) []byte {
	b = append(append(append(b, latestKeys), k.Topic...), 0)
	return append(b, k.Key...)
}

func splitLatestKey(key []byte) (topic, name []byte, ok bool) {
	return bytes.Cut(key[1:], []byte{0})
}

func appendIDKey(b []byte, id admit.ID) []byte {
	b = append(append(append(b, idKeys), id.Source...), 0)
	return append(b, id.ID...)
}

func appendNameKey(b []byte, kind byte, name string) []byte {
	return append(append(b, kind), name...)
}

// after is the first key that is past all that start with the prefix, which
// does not end in 0xff: no prefix of ours does.
func after(prefix []byte) []byte {
	end := bytes.Clone(prefix)
	end[len(end)-1]++
	return end
}
