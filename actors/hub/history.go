package hub

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync/atomic"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/frame"
	"github.com/navehub/nave/telemetry"
)

// pageEvents and pageBytes bound what one step of catching up holds.
const (
	pageEvents = 256
	pageBytes  = 256 << 10
)

// history is what has been committed: the recent groups, and behind them the log.
type history struct {
	recent    *recent
	telemetry *telemetry.Telemetry
	level     func() nave.Level
	log       atomic.Pointer[eventlog.Log] // set by the journal whenever it opens one
	// turns bounds the pages of the log that are read at once. Otherwise those who
	// catch up, when they are many, take the processor from those who are live.
	turns chan struct{}
}

func (h *history) Epoch() nave.Epoch { return (*h.log.Load()).Epoch() }

func (h *history) Head() uint64 {
	_, head := h.recent.last()
	return head
}

// AtHand reports whether Read answers from memory; see client.History.
func (h *history) AtHand(after uint64) bool { return h.recent.reaches(after) }

// Verdict judges a cursor, given as text; see client.History.
func (h *history) Verdict(filters nave.Filters, cursor string) (uint64, error) {
	if cursor == "" {
		return 0, nil
	}
	c, err := nave.ParseCursor(cursor)
	switch {
	case err != nil:
		return 0, &nave.ResetError{Reason: nave.ResetMalformed}
	case c.Epoch != h.Epoch():
		return 0, &nave.ResetError{Reason: nave.ResetForeignEpoch}
	case c.Offset > max(h.Head(), (*h.log.Load()).Head()): // a read of the log may have been ahead of recent
		return 0, &nave.ResetError{Reason: nave.ResetAhead}
	case c.Offset < h.oldest(filters):
		return 0, &nave.ResetError{Reason: nave.ResetRetention}
	case h.recent.behind(c.Offset) > longReplay && !h.level().Has(nave.LongReplays):
		return 0, &nave.ResetError{Reason: nave.ResetDegraded}
	}
	return c.Offset, nil
}

// longReplay is how many offsets a cursor may be behind what is in memory without a
// replay being long. A crash leaves a gap of up to 65,536, which nobody has to replay.
const longReplay = 100_000

// oldest is where a reader of filters can resume from.
func (h *history) oldest(filters nave.Filters) uint64 { return (*h.log.Load()).Oldest(filters) }

// Read returns a page of what matches after the offset; see client.History.
func (h *history) Read(ctx context.Context, after uint64, filters nave.Filters) ([]*frame.Frame, uint64, error) {
	start := time.Now()
	source := "ring"
	frames, next, ok := h.readRecent(after, filters)
	if !ok {
		source = "log"
		var err error
		if frames, next, err = h.readLog(ctx, after, filters); err != nil {
			return nil, 0, err
		}
	}
	if len(frames) > 0 {
		h.telemetry.Replayed(source, len(frames), time.Since(start))
	}
	return frames, next, nil
}

// fewTopics is how many topics are looked up one by one; for more of them, and for
// patterns, all that is recent is gone through.
const fewTopics = 32

func (h *history) readRecent(after uint64, filters nave.Filters) ([]*frame.Frame, uint64, bool) {
	if topics, ok := exactly(filters, fewTopics); ok {
		return h.recent.ofTopics(after, topics, eventlog.Limit{Events: pageEvents, Bytes: pageBytes})
	}
	groups, head, ok := h.recent.after(after)
	if !ok {
		return nil, 0, false
	}
	var frames []*frame.Frame
	next, bytes := after, 0
	for _, g := range groups {
		for _, f := range g.frames {
			if f.Event.Offset > after && filters.Match(f.Event.Topic) {
				frames = append(frames, f)
				bytes += f.Size()
			}
		}
		next = g.head
		if len(frames) >= pageEvents || bytes >= pageBytes {
			return frames, next, true
		}
	}
	if len(groups) == 0 {
		next = max(after, head) // a page of the log may have been ahead of recent
	}
	return frames, next, true
}

// exactly is the topics that the filters name, if there are at most so many and no
// pattern among them.
func exactly(filters nave.Filters, most int) (topics []nave.Topic, ok bool) {
	if len(filters) > most {
		return nil, false
	}
	for _, f := range filters {
		t, exact := f.Exact()
		if !exact {
			return nil, false
		}
		if !slices.Contains(topics, t) {
			topics = append(topics, t)
		}
	}
	return topics, true
}

func (h *history) readLog(ctx context.Context, after uint64, filters nave.Filters) ([]*frame.Frame, uint64, error) {
	select {
	case h.turns <- struct{}{}:
	case <-ctx.Done():
		return nil, 0, ctx.Err()
	}
	defer func() { <-h.turns }()
	log := *h.log.Load()
	page, err := log.Read(ctx, after, filters, eventlog.Limit{Events: pageEvents, Bytes: pageBytes})
	if err != nil {
		return nil, 0, reopening(err)
	}
	return frame.All(log.Epoch(), page.Events), max(after, page.Next), nil
}

// State is the latest event of every key; see eventlog.Log.
func (h *history) State(ctx context.Context, filters nave.Filters) (eventlog.Snapshot, error) {
	state, err := (*h.log.Load()).State(ctx, filters)
	if err != nil {
		return nil, reopening(err)
	}
	return snapshot{state}, nil
}

// snapshot says in the hub's words why it ends early: its log may be closed while
// it is read.
type snapshot struct{ eventlog.Snapshot }

func (s snapshot) Events() iter.Seq2[nave.Event, error] {
	return func(yield func(nave.Event, error) bool) {
		for e, err := range s.Snapshot.Events() {
			if !yield(e, reopening(err)) {
				return
			}
		}
	}
}

// reopening says in the hub's words that the journal is at work on the log.
func reopening(err error) error {
	if errors.Is(err, eventlog.ErrClosed) || errors.Is(err, eventlog.ErrBroken) {
		return nave.Errorf(nave.CodeUnavailable, "the log is being reopened: %w", err).After(time.Second)
	}
	return err
}
