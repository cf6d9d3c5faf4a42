package memstore

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/eventlog/internal/admit"
)

var noon = time.Date(2026, 3, 20, 12, 0, 0, 0, time.UTC)

func TestQueueIsASlice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q queue[int]
		var want []int
		for i := range rapid.IntRange(0, 200).Draw(t, "steps") {
			if len(want) == 0 || rapid.Bool().Draw(t, "push") {
				q.push(i + 1)
				want = append(want, i+1)
			} else {
				if q.front() != want[0] {
					t.Fatalf("front = %d, want %d", q.front(), want[0])
				}
				q.pop()
				want = want[1:]
			}
			if !slices.Equal(q.live(), want) || q.len() != len(want) {
				t.Fatalf("queue = %v, want %v", q.live(), want)
			}
			if len(q.items) > 2*q.len()+1 {
				t.Fatalf("queue of %d holds on to %d", q.len(), len(q.items))
			}
			if i := slices.IndexFunc(q.items[:cap(q.items)], func(v int) bool { return v != 0 && !slices.Contains(want, v) }); i >= 0 {
				t.Fatalf("queue still holds %d, which was popped", q.items[:cap(q.items)][i])
			}
		}
	})
}

func (s *ids) names() []string {
	var names []string
	for id := range s.places {
		names = append(names, id.ID)
	}
	slices.Sort(names)
	return names
}

func TestIDsAreBounded(t *testing.T) {
	s := ids{bound: 3, places: make(map[admit.ID]admit.Place)}
	for i, name := range []string{"a", "b", "a", "c", "d"} { // "a" again, after it expired
		s.add(admit.ID{ID: name}, admit.Place{First: uint64(i + 1), Expires: noon})
	}
	if got := s.names(); !slices.Equal(got, []string{"a", "c", "d"}) || s.order.len() != 3 {
		t.Errorf("ids = %v, want a, c, d", got)
	}
}

func TestExpiredIDsAreSwept(t *testing.T) {
	s := ids{bound: 100, places: make(map[admit.ID]admit.Place)}
	for i := range 10 {
		s.add(admit.ID{ID: fmt.Sprint(i)}, admit.Place{First: uint64(i + 1), Expires: noon.Add(time.Duration(i))})
	}
	if more := s.sweep(noon.Add(6), 4); !more || len(s.places) != 6 {
		t.Errorf("after a sweep of 4, %d ids are left, more %t; want 6, true", len(s.places), more)
	}
	if more := s.sweep(noon.Add(6), 4); more || !slices.Equal(s.names(), []string{"7", "8", "9"}) {
		t.Errorf("after a second sweep, %v are left, more %t; want 7, 8, 9, false", s.names(), more)
	}
}

func TestStatsCountWhatIsKept(t *testing.T) {
	s := New(eventlog.Retention{Age: time.Hour}, time.Hour)
	e := nave.Event{Topic: "a", Type: "t", Key: "k", Data: []byte("1"), Offset: 1, Batch: nave.Position{N: 1}}
	size := int64(e.Size())
	s.Append(eventlog.Batch{Events: []nave.Event{e}, Time: noon})
	if got, want := s.Stats(), (Stats{Logged: size, Oldest: noon, Newest: noon}); got != want {
		t.Errorf("stats = %+v, want %+v", got, want)
	}
	s.Trim(noon.Add(2*time.Hour), 10)
	if got, want := s.Stats(), (Stats{Kept: size}); got != want {
		t.Errorf("stats after trim = %+v, want %+v", got, want)
	}
	s.Forget(admit.KeyOf(&e))
	if got := s.Stats(); got != (Stats{}) {
		t.Errorf("stats after the key was superseded = %+v, want nothing", got)
	}
}

func TestReadEndsWhereItIsTold(t *testing.T) {
	const events = 2 * maxFollowed
	s := New(eventlog.Retention{}, time.Hour)
	for offset := range uint64(events) {
		topic := nave.Topic(fmt.Sprintf("t/%d", offset))
		e := nave.Event{Topic: topic, Type: "t", Offset: offset + 1, Batch: nave.Position{N: 1}}
		s.Append(eventlog.Batch{Events: []nave.Event{e}, Time: noon})
	}
	for _, fs := range []nave.Filters{{"**"}, {"t/0", "t/1", "t/2"}} { // in order, and by topic
		if p := s.Read(0, 2, fs, eventlog.Limit{}); len(p.Events) != 2 || p.Next != 2 || p.More {
			t.Errorf("page of %q up to 2 = %+v, want two events and no more", fs, p)
		}
	}
}
