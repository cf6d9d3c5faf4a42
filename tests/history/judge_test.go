package history

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/navehub/nave"
)

// batch begins a batch of events that are written topic/id, or topic/id key, or
// topic/id key ifVersion.
func batch(r *Record, events ...string) *Publish {
	var all []Event
	for _, text := range events {
		var e Event
		var version uint64
		name, rest, _ := strings.Cut(text, " ")
		topic, id, _ := strings.Cut(name, "/")
		e.Topic, e.ID = nave.Topic(topic), id
		if n, _ := fmt.Sscan(rest, &e.Key, &version); n == 2 {
			e.IfVersion = &version
		}
		all = append(all, e)
	}
	return r.Begin(all...)
}

// follow adds a subscriber of the filters, which are split by commas.
func follow(r *Record, filters string) *Subscription {
	parsed, err := nave.ParseFilters(strings.Split(filters, ","))
	if err != nil {
		panic(err)
	}
	return r.Subscriber("s"+fmt.Sprint(len(r.subscriptions)+1), parsed)
}

// see lets the subscriber see events, written id@offset, as they were sent, and
// with cursors where they belong.
func (s *Subscription) see(sightings ...string) {
	for _, text := range sightings {
		id, at, _ := strings.Cut(text, "@")
		e := s.record.events[s.record.byID[id]]
		seen := Seen{ID: id, Topic: e.Topic, Key: e.Key, I: e.i, Cursor: true}
		if seen.N = len(e.publish.events); seen.N == 1 {
			seen.N = 0
		}
		for _, later := range e.publish.events[e.i+1:] {
			seen.Cursor = seen.Cursor && !s.filters.Match(s.record.events[later].Topic)
		}
		fmt.Sscan(at, &seen.Offset)
		s.Saw(seen)
	}
}

// verdict is what the findings complain of.
func verdict(f Findings) string {
	var all []string
	for _, row := range f.faults() {
		if *row.n > 0 {
			all = append(all, fmt.Sprintf("%s: %d", row.what, *row.n))
		}
	}
	return strings.Join(all, "; ")
}

// None of these has anything wrong.
func TestGoodHistories(t *testing.T) {
	for what, write := range map[string]func(*Record){
		"nothing at all":    func(r *Record) { follow(r, "**") },
		"everything unseen": func(r *Record) { batch(r, "a/1"); batch(r, "a/2").Refused() },
		"an unknown outcome that was none": func(r *Record) {
			batch(r, "a/1", "a/2")
			follow(r, "**")
		},
		"an unknown outcome that was a yes": func(r *Record) {
			batch(r, "a/1", "b/2")
			follow(r, "**").see("1@1", "2@2")
			follow(r, "b").see("2@2")
		},
		"batches of which everybody sees a part": func(r *Record) {
			batch(r, "a/1", "b/2", "a/3").Acked([]uint64{1, 2, 3})
			batch(r, "b/4").Acked([]uint64{9})
			follow(r, "a").see("1@1", "3@3")
			follow(r, "b").see("2@2", "4@9")
			follow(r, "*").see("1@1", "2@2", "3@3", "4@9")
			follow(r, "c")
		},
		"repeats that are answered as before": func(r *Record) {
			p := batch(r, "a/1", "a/2")
			p.Acked([]uint64{1, 2})
			p.Acked([]uint64{1, 2})
			follow(r, "a").see("1@1", "2@2")
		},
		"a subscriber that came late, and one that left": func(r *Record) {
			for i := range uint64(4) {
				batch(r, fmt.Sprintf("a/%d", i+1)).Acked([]uint64{i + 1})
			}
			late := follow(r, "a")
			late.From(2)
			late.see("3@3", "4@4")
			left := follow(r, "a")
			left.Until(1)
			left.see("1@1")
			told := follow(r, "a")
			told.Missed(1, 3)
			told.see("1@1", "4@4")
		},
		"conditions that hold": func(r *Record) {
			batch(r, "a/1 k 0").Acked([]uint64{1})
			batch(r, "b/2 k 0").Acked([]uint64{5})
			batch(r, "a/3 k 1", "a/4 k 1").Acked([]uint64{6, 7})
			batch(r, "a/5 k 1").Conflicted(7)
			batch(r, "a/6 k 7").Acked([]uint64{8})
			batch(r, "a/7 k 1").Refused()
			batch(r, "a/8 k 1", "c/9 k 0").Conflicted(8)
			batch(r, "a/10 k 7", "c/11 k 3").Conflicted(0)
		},
		"a condition after an outcome that nobody knows": func(r *Record) {
			batch(r, "a/1 k")
			batch(r, "a/2 k 5").Acked([]uint64{6})
			s := follow(r, "a") // did not see all
			s.From(5)
			s.see("2@6")
		},
		"transient events": func(r *Record) {
			batch(r, "a/1", "a/2").Acked([]uint64{0, 0})
			batch(r, "a/3")
			follow(r, "a").see("1@0", "2@0")
			follow(r, "a").see("3@0")
		},
		"a reset that may be": func(r *Record) {
			s := follow(r, "a")
			s.MayReset()
			s.Told("live")
			s.Told("reset retention")
			s.Told("recovered")
		},
		"a subscriber that notes no cursors": func(r *Record) {
			batch(r, "a/1", "a/2").Acked([]uint64{1, 2})
			s := follow(r, "a")
			s.Saw(Seen{ID: "1", Topic: "a", Offset: 1, I: 0, N: 2})
			s.Saw(Seen{ID: "2", Topic: "a", Offset: 2, I: 1, N: 2})
		},
		"connections that recover": func(r *Record) {
			s := follow(r, "a")
			s.Told("live")
			s.Told("recovered")
			follow(r, "a").Told("recovered")
		},
	} {
		r := New()
		write(r)
		f := r.Judge()
		if got := verdict(f); got != "" || !f.Clean() || len(f.Details) > 0 {
			t.Errorf("%s: found %q\n%s", what, got, strings.Join(f.Details, "\n"))
		}
	}
}

func TestFindingsCount(t *testing.T) {
	r := New()
	p := batch(r, "a/1", "b/2")
	p.Acked([]uint64{1, 2})
	p.Acked([]uint64{1, 2})
	batch(r, "a/3", "a/4")
	batch(r, "a/5")
	batch(r, "a/6 k 4").Refused()
	batch(r, "a/7 k 4").Conflicted(0)
	batch(r, "a/8").Refused()
	follow(r, "a").see("1@1", "3@5", "4@6")
	f := r.Judge()
	got := []int{f.Acked, f.Unknown, f.Refused, f.Conflicts, f.Repeats, f.Stored, f.Deliveries}
	if want := []int{1, 2, 1, 2, 1, 4, 3}; !slices.Equal(got, want) {
		t.Errorf("counted %v, want %v", got, want)
	}
	if again := r.Judge(); verdict(again) != verdict(f) || again.Stored != f.Stored {
		t.Error("judged twice, it is not the same")
	}
}

// Of many faults of a kind some are told, and all are counted.
func TestDetailsAreBounded(t *testing.T) {
	r := New()
	for i := range uint64(100) {
		batch(r, fmt.Sprintf("a/%d", i)).Acked([]uint64{i + 1})
	}
	follow(r, "a")
	if f := r.Judge(); f.Lost != 100 || len(f.Details) != detailsEach {
		t.Errorf("%d are lost and %d are told; want 100 and %d", f.Lost, len(f.Details), detailsEach)
	}
}

func TestAnIDIsBegunOnce(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("the same id is begun twice")
		}
	}()
	r := New()
	batch(r, "a/1")
	batch(r, "a/1")
}

type table struct{ rows, counts []string }

func (t *table) Row(what, _, format string, args ...any) {
	t.rows = append(t.rows, what+": "+fmt.Sprintf(format, args...))
}

func (t *table) Count(what string, n int) {
	t.counts = append(t.counts, fmt.Sprintf("%s: %d", what, n))
}

func TestTables(t *testing.T) {
	r := New()
	batch(r, "a/1").Acked([]uint64{1})
	follow(r, "a")
	f := r.Judge()
	var got table
	f.Describe(&got)
	f.Count(&got)
	if len(got.rows) != 7 || got.rows[0] != "publishes acknowledged: 1" {
		t.Errorf("described as %q", got.rows)
	}
	if len(got.counts) != 11 || got.counts[0] != "lost for a subscriber: 1" || got.counts[1] != "seen twice by a subscriber: 0" {
		t.Errorf("counted as %q", got.counts)
	}
}

// Publishers and subscribers write at the same time; the race detector looks on.
func TestManyWrite(t *testing.T) {
	r := New()
	var all sync.WaitGroup
	s := follow(r, "**")
	for p := range 4 {
		all.Go(func() {
			for i := range 100 {
				batch(r, fmt.Sprintf("a/%d-%d", p, i)).Refused()
				s.Told("recovered")
			}
		})
	}
	all.Wait()
	if f := r.Judge(); f.Refused != 400 || !f.Clean() {
		t.Errorf("%d are refused, found %q", f.Refused, verdict(f))
	}
}
