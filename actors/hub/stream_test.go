package hub

import (
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/client"
)

func TestNewClientIsLiveFromNowOn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := start(t, Config{})
		publish1(t, h, event("cards/1", "made", 1))
		s := connectTo(t, h, "", "cards/*")
		synctest.Wait()
		publish1(t, h, event("cards/1", "moved", 2))
		publish1(t, h, event("users/1", "moved", 3))
		synctest.Wait()
		if got := s.statuses(t); !slices.Equal(got, []string{"live/"}) {
			t.Errorf("verdicts = %v, want live", got)
		}
		if err := rising(s.offsets(t), 2, 2); err != nil {
			t.Error(err)
		}
	})
}

func TestResumeGetsExactlyWhatWasMissed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := start(t, Config{Limits: Limits{RecentBytes: 4 << 10}}) // most of it is in the log only
		for i := range 1000 {
			publish1(t, h, event("cards/1", "moved", i))
		}
		s := connectTo(t, h, cursorAt(h, 10), "cards/*")
		for i := range 100 {
			publish1(t, h, event("cards/1", "moved", i))
		}
		synctest.Wait()
		if got := s.statuses(t); !slices.Equal(got, []string{"recovered/"}) {
			t.Errorf("verdicts = %v, want recovered", got)
		}
		if err := rising(s.offsets(t), 11, 1100); err != nil {
			t.Error(err)
		}
	})
}

func TestCursorThatCannotBeResumedIsReset(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := start(t, Config{})
		publish1(t, h, event("cards/1", "moved", 1))
		for cursor, want := range map[string]string{
			"nonsense\x00":         "reset/malformed",
			"otherepoch-1":         "reset/foreign-epoch",
			cursorAt(h, 1_000_000): "reset/ahead",
		} {
			s := connectTo(t, h, cursor, "cards/*")
			synctest.Wait()
			if got := s.statuses(t); !slices.Equal(got, []string{want}) {
				t.Errorf("cursor %q: verdicts = %v, want %s", cursor, got, want)
			}
			if id := s.events(t)[0].ID; id != cursorAt(h, 1) {
				t.Errorf("cursor %q: reset has id %q, want the head", cursor, id)
			}
		}
	})
}

func TestHeartbeatKeepsQuietClientsCursorAtTheHead(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := start(t, Config{Heartbeat: 15 * time.Second})
		s := connectTo(t, h, "", "quiet/1")
		synctest.Wait()
		for i := range 5 {
			publish1(t, h, event("busy/1", "moved", i))
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		var beats int
		var last string
		for _, e := range s.events(t) {
			if e.Name == "hub.heartbeat" {
				beats++
				last = e.ID
			}
		}
		if beats != 4 || last != cursorAt(h, 5) {
			t.Errorf("%d heartbeats in a minute, the last with id %q; want 4, and the head", beats, last)
		}
	})
}

func TestBatchIsContiguousAndOnlyItsLastFrameCarriesTheCursor(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := start(t, Config{})
		all := connectTo(t, h, "", "**")
		some := connectTo(t, h, "", "a/*", "c/*")
		late := connectTo(t, h, cursorAt(h, 0), "a/*", "b/*")
		synctest.Wait()
		publish1(t, h, event("a/1", "x", 1), event("b/1", "x", 2), event("c/1", "x", 3), event("b/2", "x", 4))
		synctest.Wait()
		for name, c := range map[string]struct {
			s    *stream
			want []string
		}{
			"all":  {all, []string{"", "", "", cursorAt(h, 4)}},
			"some": {some, []string{"", cursorAt(h, 3)}},
			"late": {late, []string{"", "", cursorAt(h, 4)}},
		} {
			var ids []string
			for _, e := range c.s.events(t) {
				if e.Name == "x" {
					ids = append(ids, e.ID)
				}
			}
			if !slices.Equal(ids, c.want) {
				t.Errorf("%s: ids = %q, want %q", name, ids, c.want)
			}
		}
	})
}

func TestClientThatLeavesIsForgotten(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := start(t, Config{})
		s := connectTo(t, h, "", "cards/*")
		synctest.Wait()
		s.gone()
		time.Sleep(time.Second)
		synctest.Wait()
		if counts := h.registry.Snapshot().Count(); !s.isClosed() || counts.Clients != 0 {
			t.Errorf("closed %v, clients in the registry %d", s.isClosed(), counts.Clients)
		}
	})
}

func TestSnapshotThenEventsWithoutRace(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := start(t, Config{})
		for i := range 10 {
			e := event("cards/1", "moved", i)
			e.Key = string(rune('a' + i%3))
			publish1(t, h, e)
		}
		s := &stream{}
		err := h.Connect(t.Context(), client.Request{
			Filters: nave.Filters{"cards/*"}, Snapshot: true, Transport: s,
		})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		publish1(t, h, event("cards/1", "moved", 11))
		synctest.Wait()
		if got, want := s.offsets(t), []uint64{10, 8, 9, 11}; !slices.Equal(got, want) {
			t.Errorf("offsets = %v, want the latest of a, b, c, then what followed: %v", got, want)
		}
	})
}

func TestTransientEventsAreLiveOnly(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := start(t, Config{Topics: []TopicRule{{Filter: "ui/**", Durability: nave.Transient}}})
		live := connectTo(t, h, "", "**")
		synctest.Wait()
		p := publish1(t, h, event("ui/click", "clicked", 1))
		if !p.Cursor.IsZero() || p.Events[0].Offset != 0 {
			t.Errorf("a transient event was placed: %+v", p)
		}
		publish1(t, h, event("cards/1", "moved", 2))
		publish1(t, h, event("ui/click", "clicked", 3))
		publish1(t, h, event("cards/1", "moved", 4))
		synctest.Wait() // or the late one may still be in time for it
		late := connectTo(t, h, cursorAt(h, 0), "**")
		synctest.Wait()
		if got := live.offsets(t); !slices.Equal(got, []uint64{0, 1, 0, 2}) {
			t.Errorf("live offsets = %v", got)
		}
		if got := late.offsets(t); !slices.Equal(got, []uint64{1, 2}) {
			t.Errorf("late offsets = %v", got)
		}
	})
}

func TestLongPollWaitsForWhatMatches(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := start(t, Config{})
		first, err := h.Poll(t.Context(), client.Request{Filters: nave.Filters{"cards/*"}}, 0)
		if err != nil {
			t.Fatal(err)
		}
		pages := make(chan Page)
		go func() {
			page, err := h.Poll(t.Context(), client.Request{Filters: nave.Filters{"cards/*"}, Cursor: first.Cursor.String()}, 25*time.Second)
			if err != nil {
				t.Error(err)
			}
			pages <- page
		}()
		synctest.Wait()
		publish1(t, h, event("users/1", "moved", 1))
		synctest.Wait()
		publish1(t, h, event("cards/1", "moved", 2))
		if page := <-pages; len(page.Frames) != 1 || page.Cursor.Offset != 2 {
			t.Errorf("page = %d frames up to %d, want event 2", len(page.Frames), page.Cursor.Offset)
		}
		start := time.Now()
		page, err := h.Poll(t.Context(), client.Request{Filters: nave.Filters{"cards/*"}, Cursor: cursorAt(h, 2)}, 25*time.Second)
		if err != nil || len(page.Frames) > 0 || time.Since(start) != 25*time.Second {
			t.Errorf("quiet poll: %d frames after %v, %v", len(page.Frames), time.Since(start), err)
		}
	})
}

// Clients come back, some far behind, while events are committed as fast as they
// can be: at the hand-over from catching up to live nothing is missed or doubled.
func TestResumeWhilePublishingAtFullSpeed(t *testing.T) {
	h := start(t, Config{
		Dispatchers: 2,
		Client:      client.Config{Mailbox: 2 << 10},
		Limits:      Limits{RecentBytes: 16 << 10},
	})
	const publishers, each, clients = 4, 1000, 40
	var publishing sync.WaitGroup
	for range publishers {
		publishing.Go(func() {
			for i := range each {
				if _, err := h.Publish(t.Context(), event("cards/1", "moved", i)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	streams := make([]*stream, clients)
	from := make([]uint64, clients)
	for i := range streams {
		for h.Head() < uint64(i*publishers*each/clients/2) {
			runtime.Gosched()
		}
		from[i] = h.Head() * uint64(i%4) / 4
		streams[i] = connectTo(t, h, cursorAt(h, from[i]), "cards/*")
	}
	publishing.Wait()
	for i, s := range streams {
		s.await(t, h.Head())
		if err := rising(s.offsets(t), from[i]+1, publishers*each); err != nil {
			t.Errorf("client %d, from %d: %v", i, from[i], err)
		}
	}
}
