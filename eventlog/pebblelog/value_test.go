package pebblelog

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog/internal/admit"
)

func drawTime(t *rapid.T, label string) time.Time {
	return time.Unix(rapid.Int64Range(-1<<40, 1<<40).Draw(t, label), rapid.Int64Range(0, 999_999_999).Draw(t, label+" ns")).UTC()
}

func drawEvent(t *rapid.T) nave.Event {
	text := rapid.String()
	n := rapid.IntRange(1, 1<<20).Draw(t, "n")
	i := rapid.IntRange(0, n-1).Draw(t, "i")
	return nave.Event{
		Topic: nave.Topic(text.Draw(t, "topic")), Type: text.Draw(t, "type"), Key: text.Draw(t, "key"),
		Data: json.RawMessage(text.Draw(t, "data")), ID: text.Draw(t, "id"), Source: text.Draw(t, "source"),
		Time: drawTime(t, "time"), TraceParent: text.Draw(t, "parent"), TraceState: text.Draw(t, "state"),
		Offset: rapid.Uint64Min(uint64(i)+1).Draw(t, "offset"), Batch: nave.Position{I: i, N: n},
	}
}

func TestEventRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want, wantCommit := drawEvent(t), drawTime(t, "commit")
		value := appendEvent(nil, &want, wantCommit)
		got, commit, err := decodeEvent(value, want.Offset)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" || !commit.Equal(wantCommit) {
			t.Fatalf("commit %v, want %v; event (-want +got):\n%s", commit, wantCommit, diff)
		}
		if topic, err := topicOf(value); err != nil || string(topic) != string(want.Topic) {
			t.Fatalf("topic = %q, %v, want %q", topic, err, want.Topic)
		}
	})
}

func TestDecodedEventDoesNotShareMemory(t *testing.T) {
	e := nave.Event{Topic: "a", Type: "t", Data: []byte(`"data"`), Offset: 1, Batch: nave.Position{N: 1}}
	value := appendEvent(nil, &e, time.Time{})
	got, _, err := decodeEvent(value, 1)
	if err != nil {
		t.Fatal(err)
	}
	clear(value)
	if string(got.Data) != `"data"` || got.Topic != "a" {
		t.Errorf("event changed with the value's memory: %+v", got)
	}
}

func TestZeroTimesStayZero(t *testing.T) {
	e := nave.Event{Topic: "a", Type: "t", Offset: 1, Batch: nave.Position{N: 1}}
	got, commit, err := decodeEvent(appendEvent(nil, &e, time.Time{}), 1)
	if err != nil || !got.Time.IsZero() || !commit.IsZero() {
		t.Errorf("times = %v, %v, %v, want zero", got.Time, commit, err)
	}
}

func TestEveryTruncationIsNoticed(t *testing.T) {
	e := nave.Event{Topic: "a/b", Type: "t", Key: "k", ID: "i", Source: "s", TraceParent: "p", TraceState: "q",
		Time: time.Unix(1, 2), Offset: 9, Batch: nave.Position{I: 1, N: 3}}
	value := appendEvent(nil, &e, time.Unix(3, 4))
	for n := range value {
		if _, _, err := decodeEvent(value[:n], 9); !errors.Is(err, errCorrupt) {
			t.Errorf("the first %d of %d bytes decode with error %v, want %v", n, len(value), err, errCorrupt)
		}
	}
}

// FuzzDecode feeds all decoders bytes that may be anything: they answer with
// errCorrupt, or with what encodes to the same meaning again.
func FuzzDecode(f *testing.F) {
	e := nave.Event{Topic: "a/b", Type: "t", Key: "k", ID: "i", Source: "s", Data: []byte(`{"n":1}`),
		Time: time.Unix(1, 2), Offset: 9, Batch: nave.Position{I: 1, N: 3}}
	body := appendEvent(nil, &e, time.Unix(3, 4))
	f.Add(body, uint64(9))
	f.Add(appendLatest(nil, latest{kind: kept, offset: 9, body: body}), uint64(9))
	f.Add(appendLatest(nil, latest{kind: tombstone, offset: 9}), uint64(1))
	f.Add(appendPlace(nil, admit.PlaceOf(&e, time.Unix(5, 6))), uint64(2))
	f.Add(appendPosition(nil, position{reserved: 7, bytes: 8, commits: 6}), uint64(2))
	f.Add([]byte{encoding, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}, uint64(1))
	f.Fuzz(func(t *testing.T, value []byte, offset uint64) {
		if e, commit, err := decodeEvent(value, offset); err == nil {
			again, commitAgain, err := decodeEvent(appendEvent(nil, &e, commit), offset)
			if err != nil || !cmp.Equal(e, again, cmpopts.EquateEmpty()) || !commit.Equal(commitAgain) {
				t.Errorf("%+v becomes %+v, %v", e, again, err)
			}
		} else if !errors.Is(err, errCorrupt) {
			t.Errorf("error = %v, want %v", err, errCorrupt)
		}
		if l, err := decodeLatest(value); err == nil {
			if again, err := decodeLatest(appendLatest(nil, l)); err != nil || l.kind != again.kind || !bytes.Equal(l.body, again.body) {
				t.Errorf("%+v becomes %+v, %v", l, again, err)
			}
		}
		if p, err := decodePlace(value); err == nil {
			if again, err := decodePlace(appendPlace(nil, p)); err != nil || p != again {
				t.Errorf("%+v becomes %+v, %v", p, again, err)
			}
		}
		if p, err := decodePosition(value); err == nil {
			if again, err := decodePosition(appendPosition(nil, p)); err != nil || p != again {
				t.Errorf("%+v becomes %+v, %v", p, again, err)
			}
		}
	})
}
