//go:build linux

package baseline

import (
	"strings"
	"testing"
)

func TestFilters(t *testing.T) {
	for _, c := range []struct {
		filter, topic string
		want          bool
	}{
		{"a/b", "a/b", true},
		{"a/b", "a/bc", false},
		{"a/*", "a/b", true},
		{"a/*", "a/b/c", false},
		{"a/*", "a/", false},
		{"a/**", "a/b/c", true},
		{"a/**", "a", false},
		{"**", "a", true},
	} {
		if got := matches(c.filter, c.topic); got != c.want {
			t.Errorf("%s matches %s: %v", c.filter, c.topic, got)
		}
	}
}

func TestRawKeepsTheLastEvents(t *testing.T) {
	var topic rawTopic
	for offset := range uint64(100) {
		topic.store(offset, []byte{byte(offset)}, 10)
	}
	if got := topic.after(96); string(got) != "\x61\x62\x63" {
		t.Errorf("after 96 there is %q", got)
	}
	if n := len(topic.after(0)); n < 10 || n >= 20 || len(topic.ends) != n {
		t.Errorf("%d events are kept of 10", n)
	}
}

func TestBlocksLookLikeTheHubs(t *testing.T) {
	got := string(appendBlock(appendSync(nil, "live", 41), "card.moved", "board/7", 42, []byte(`{"n":1}`)))
	want := "id: e-41\nevent: hub.sync\ndata: {\"status\":\"live\"}\n\n" +
		"event: card.moved\ndata: {\"topic\":\"board/7\",\"offset\":42,\"data\":{\"n\":1}}\nid: e-42\n\n"
	if got != want {
		t.Errorf("got\n%s", got)
	}
	if offset, ok := parseCursor("e-42"); offset != 42 || !ok {
		t.Errorf("its cursor is read as %d, %v", offset, ok)
	}
	if _, ok := parseCursor(strings.Repeat("9", 30)); ok {
		t.Error("another cursor was taken for one")
	}
}
