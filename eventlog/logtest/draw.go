package logtest

import (
	"strconv"
	"time"

	"pgregory.net/rapid"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog"
)

// Few topics, keys and ids, so that they meet.
var (
	topics  = rapid.SampledFrom([]nave.Topic{"a", "a/b", "a/c", "b", "b/b", "c/d/e", "$hub"})
	filters = rapid.SampledFrom([]nave.Filter{"a", "a/b", "a/*", "a/**", "*", "*/b", "**", "b", "c/**", "$hub", "d"})
	keys    = rapid.SampledFrom([]string{"", "", "1", "2"})
	ids     = rapid.SampledFrom([]string{"", "", "", "x", "y", "z"})
	datas   = rapid.SampledFrom([]string{"", "null", `1`, `{"a":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}`})
)

func drawFilters(t *rapid.T) nave.Filters {
	return rapid.SliceOfN(filters, 0, 3).Draw(t, "filters")
}

func drawOptions(t *rapid.T) eventlog.Options {
	retention := rapid.Custom(func(t *rapid.T) eventlog.Retention {
		return eventlog.Retention{
			Age:   rapid.SampledFrom([]time.Duration{0, time.Hour}).Draw(t, "age"),
			Bytes: rapid.SampledFrom([]int64{0, 0, 1000}).Draw(t, "bytes"),
		}
	})
	return eventlog.Options{
		Durable:           retention.Draw(t, "durable"),
		Memory:            retention.Draw(t, "memory"),
		IdempotencyWindow: 2 * time.Hour,
	}
}

// drawBatch is a new batch, or one that was said before.
func (h *history) drawBatch(t *rapid.T) eventlog.Batch {
	if len(h.said) > 0 && rapid.IntRange(0, 5).Draw(t, "again") == 0 {
		b := rapid.SampledFrom(h.said).Draw(t, "batch")
		b.Time = h.now
		return b
	}
	b := eventlog.Batch{
		Durability: rapid.SampledFrom([]nave.Durability{nave.Durable, nave.Memory}).Draw(t, "durability"),
		Time:       h.now,
	}
	used := make(map[string]bool)
	for range rapid.IntRange(1, 4).Draw(t, "size") {
		e := h.drawEvent(t)
		if used[e.ID] {
			e.ID = "" // the same twice in a batch has a test of its own
		}
		used[e.ID] = true
		b.Events = append(b.Events, e)
	}
	return b
}

func (h *history) drawEvent(t *rapid.T) nave.Event {
	e := nave.Event{
		Topic:  topics.Draw(t, "topic"),
		Type:   "t" + strconv.Itoa(rapid.IntRange(0, 9).Draw(t, "type")),
		Key:    keys.Draw(t, "key"),
		ID:     ids.Draw(t, "id"),
		Source: "s",
		Time:   h.now,
	}
	if data := datas.Draw(t, "data"); data != "" {
		e.Data = []byte(data)
	}
	if e.Key != "" && rapid.IntRange(0, 2).Draw(t, "conditional") == 0 {
		version := rapid.Uint64Range(0, 3).Draw(t, "version")
		if latest, ok := h.model.current(entity{e.Topic, e.Key}); ok && version > 0 {
			version = latest.Offset
		}
		e.IfVersion = &version
	}
	return e
}
