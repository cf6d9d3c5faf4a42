package pebblelog

import (
	"bytes"
	"cmp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog/internal/admit"
)

// FuzzKeys: keys of valid texts are read back as they were, stand in the order of
// what they hold, and no two things have the same.
func FuzzKeys(f *testing.F) {
	for _, text := range []string{"a", "a/b", "a\x00", "", "\xff", "\xff\xff", "\u00ff", "\U0010ffff", "e", "metaepoch", "a\x01", "é", "e\u0301"} {
		f.Add(text, "k", "a", text, uint64(1), uint64(1<<63))
		f.Add("a", text, "a/b", "", uint64(255), uint64(256))
	}
	f.Fuzz(func(t *testing.T, topic, key, otherTopic, otherKey string, offset, other uint64) {
		for _, raw := range []string{topic, key} {
			for _, kind := range []byte{eventKeys, topicKeys, latestKeys} {
				readAny(append([]byte{kind}, raw...)) // whatever is on disk: no panic
			}
		}
		for _, text := range []string{topic, key, otherTopic, otherKey} {
			if !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
				return // Validate lets no such text through
			}
		}
		checkTopicKeys(t, topic, otherTopic, offset, other)
		a := appendLatestKey(nil, admit.Key{Topic: nave.Topic(topic), Key: key})
		b := appendLatestKey(nil, admit.Key{Topic: nave.Topic(otherTopic), Key: otherKey})
		gotTopic, gotKey, ok := splitLatestKey(a)
		if !ok || string(gotTopic) != topic || string(gotKey) != key {
			t.Errorf("%q, %q is read as %q, %q", topic, key, gotTopic, gotKey)
		}
		if want := cmp.Or(strings.Compare(topic, otherTopic), strings.Compare(key, otherKey)); bytes.Compare(a, b) != want {
			t.Errorf("%q stands to %q in another order than what they hold", a, b)
		}
		i := appendIDKey(nil, admit.ID{Source: topic, ID: key})
		j := appendIDKey(nil, admit.ID{Source: otherTopic, ID: otherKey})
		if same := topic == otherTopic && key == otherKey; same != bytes.Equal(i, j) {
			t.Errorf("%q/%q and %q/%q: the same key %v, want %v", topic, key, otherTopic, otherKey, !same, same)
		}
		if prefix := appendNameKey(nil, horizonKeys, topic); bytes.Compare(after(prefix), append(prefix, "\xf4\x8f\xbf\xbf"...)) <= 0 {
			t.Errorf("%q is not after all that starts with %q", after(prefix), prefix)
		}
	})
}

func checkTopicKeys(t *testing.T, topic, otherTopic string, offset, other uint64) {
	t.Helper()
	a, b := appendTopicKey(nil, nave.Topic(topic), offset), appendTopicKey(nil, nave.Topic(otherTopic), other)
	got, at, ok := splitTopicKey(a)
	if !ok || string(got) != topic || at != offset {
		t.Errorf("%q at %d is read as %q at %d", topic, offset, got, at)
	}
	if want := cmp.Or(strings.Compare(topic, otherTopic), cmp.Compare(offset, other)); bytes.Compare(a, b) != want {
		t.Errorf("%q stands to %q in another order than what they hold", a, b)
	}
	e := appendEventKey(nil, offset)
	if at, ok := eventKeyOffset(e); !ok || at != offset {
		t.Errorf("offset %d is read as %d", offset, at)
	}
	if bytes.Compare(e, appendEventKey(nil, other)) != cmp.Compare(offset, other) {
		t.Errorf("offsets %d and %d are out of order", offset, other)
	}
}

func readAny(key []byte) {
	_, _ = eventKeyOffset(key)
	_, _, _ = splitTopicKey(key)
	_, _, _ = splitLatestKey(key)
}
