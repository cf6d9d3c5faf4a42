package hub

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/client"
	"github.com/navehub/nave/frame"
)

// Heartbeats are slower where the level has given up quick ones, and every client knows.
func TestHeartbeatsAreSlower(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h, _ := pressed(t, Config{Heartbeat: 15 * time.Second})
		early := connectTo(t, h, "", "cards/*")
		beats := func(s *stream) (n int, every int64) {
			for _, e := range s.events(t) {
				var beat frame.Heartbeat
				if e.Name == frame.HeartbeatName {
					if err := json.Unmarshal(e.Data, &beat); err != nil {
						t.Fatal(err)
					}
					n, every = n+1, beat.HeartbeatMS
				}
			}
			return n, every
		}
		within := func(s *stream, d time.Duration) (int, int64) {
			before, _ := beats(s)
			time.Sleep(d)
			synctest.Wait()
			after, every := beats(s)
			return after - before, every
		}
		if n, every := within(early, 15*time.Minute); n < 59 || n > 61 || every != 15_000 {
			t.Errorf("%d heartbeats in a quarter of an hour, said to come every %d ms", n, every)
		}
		if err := h.Pin(t.Context(), &Pin{Level: nave.LevelConserve}); err != nil {
			t.Fatal(err)
		}
		late := connectTo(t, h, "", "cards/*")
		synctest.Wait()
		var sync frame.Sync
		if err := json.Unmarshal(late.events(t)[0].Data, &sync); err != nil || sync.HeartbeatMS != 45_000 || sync.Level != nave.LevelConserve {
			t.Errorf("who comes is told %+v, %v", sync, err)
		}
		if n, every := within(early, 15*time.Minute); n < 19 || n > 22 || every != 45_000 {
			t.Errorf("%d heartbeats in a quarter of an hour at conserve, said to come every %d ms", n, every)
		}
		if err := h.Pin(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if n, _ := within(early, 30*time.Second); n < 1 {
			t.Error("no heartbeat within two of the intervals that are said")
		}
	})
}

// At conserve a client that catches up gets the latest of each key, and the same state.
func TestCatchingUpSkipsVersionsAtConserve(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h, _ := pressed(t, Config{})
		first := publish1(t, h, event("cards/0", "moved", 0))
		keyed := func(key string, data any) nave.Event {
			e := event("cards/1", "moved", data)
			e.Key = key
			return e
		}
		for i := range 100 {
			publish1(t, h, keyed("a", i))
			if i%10 == 0 {
				publish1(t, h, keyed("a", fmt.Sprint("batch ", i)), keyed("b", i), event("cards/1", "noted", i))
			}
		}
		publish1(t, h, keyed("c", 1))
		catchUp := func() (offsets []uint64, state map[string]string) {
			s := connectTo(t, h, first.Cursor.String(), "cards/1")
			synctest.Wait()
			state = make(map[string]string)
			for _, e := range s.events(t) {
				var b struct {
					Key  string
					Data json.RawMessage
				}
				if err := json.Unmarshal(e.Data, &b); err != nil {
					t.Fatal(err)
				}
				state[b.Key] = string(b.Data)
			}
			return s.offsets(t), state
		}
		all, want := catchUp()
		if err := rising(all, first.Cursor.Offset+1, first.Cursor.Offset+131); err != nil {
			t.Fatal(err)
		}
		if err := h.Pin(t.Context(), &Pin{Level: nave.LevelConserve}); err != nil {
			t.Fatal(err)
		}
		few, got := catchUp()
		delete(want, "")
		delete(got, "")
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("the state is %v, want %v", got, want)
		}
		if len(few) != 10*3+2 { // the batches, the last of a, and c
			t.Errorf("%d events of %d: %v", len(few), len(all), few)
		}
		page, err := h.Poll(t.Context(), client.Request{Filters: nave.Filters{"cards/1"}, Cursor: first.Cursor.String()}, 0)
		if err != nil || len(page.Frames) != 131 {
			t.Errorf("a page has %d events, %v; want all", len(page.Frames), err)
		}
	})
}

// At conserve a cursor that is far behind what is in memory is told to fetch anew, and
// why; one that is not is resumed from.
func TestLongReplaysAreGivenUpAtConserve(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h, _ := pressed(t, Config{Limits: Limits{RecentBytes: 1 << 10}})
		batch := make([]nave.Event, 1000)
		for range longReplay/1000 + 2 {
			for i := range batch {
				batch[i] = event("cards/1", "moved", 1)
			}
			publish1(t, h, slices.Clone(batch)...)
		}
		floor := h.recent.behind(0)
		verdict := func(offset uint64) string {
			s := connectTo(t, h, cursorAt(h, offset), "quiet/*")
			synctest.Wait()
			page, err := h.Poll(t.Context(), client.Request{Filters: nave.Filters{"quiet/*"}, Cursor: cursorAt(h, offset)}, 0)
			if err != nil {
				t.Fatal(err)
			}
			if polled, streamed := string(page.Sync.Status)+"/"+string(page.Sync.Reason), s.statuses(t)[0]; polled != streamed {
				t.Errorf("a poll is told %s, and a stream %s", polled, streamed)
			}
			return s.statuses(t)[0]
		}
		if got := verdict(floor - longReplay - 1); got != "recovered/" {
			t.Errorf("while the level is normal: %s", got)
		}
		if err := h.Pin(t.Context(), &Pin{Level: nave.LevelConserve}); err != nil {
			t.Fatal(err)
		}
		floor = h.recent.behind(0) // the pin is kept in the log
		if got := verdict(floor - longReplay); got != "recovered/" {
			t.Errorf("one that is just near enough: %s", got)
		}
		if got := verdict(floor - longReplay - 1); got != "reset/degraded" {
			t.Errorf("one that is too far: %s", got)
		}
		for _, l := range nave.Losses {
			if l.Feature == nave.LongReplays && !strings.Contains(l.Instead, "100,000") {
				t.Errorf("%q names another limit than %d", l.Instead, longReplay)
			}
		}
	})
}
