package power

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/client"
	"github.com/navehub/nave/actors/hub"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/eventlog/pebblelog"
)

// patience bounds what should take a moment.
const patience = time.Minute

// A shape is how the hubs of a seed are configured.
type shape struct {
	dispatchers int
	mailbox     int64         // of a client: a small one makes it lag
	recent      int           // bytes of what is kept formatted: few make readers read the log
	heartbeat   time.Duration // carries cursors of quiet topics
}

func drawShape(random *rand.Rand) shape {
	s := shape{dispatchers: 1 + random.IntN(2), heartbeat: time.Hour}
	if random.IntN(2) == 0 {
		s.mailbox = 2 << 10
	}
	if random.IntN(2) == 0 {
		s.recent = 1
	}
	if random.IntN(2) == 0 {
		s.heartbeat = 3 * time.Millisecond
	}
	return s
}

// A plan says when the power is cut.
type plan struct {
	write      int64         // before this write
	beforeSync bool          // and then before the next sync of a WAL
	after      time.Duration // or after so long
	answers    int64         // or while the hub ends in good order, which it does after so many answers
}

// A start changes the disk about so many times: the first one, and any later one.
const (
	firstStart = 66
	laterStart = 30
)

// plans are those of the runs of a seed. The seeds together cut every write of a
// start, several times over; after two of these comes a run that works.
func (w *world) plans(cuts int, writes int64) []plan {
	all := []plan{{write: 1 + int64(w.seed)*7%firstStart}}
	next := int64(w.seed) * int64(2*cuts)
	for range cuts {
		all = append(all, plan{write: 1 + next%laterStart}, plan{write: 1 + (next+1)%laterStart}, drawPlan(w.random, writes))
		next += 2
	}
	return all
}

// drawPlan is a plan for a run of up to so many writes after its start.
func drawPlan(random *rand.Rand, writes int64) plan {
	write := laterStart + random.Int64N(writes)
	switch random.IntN(7) {
	case 0, 1, 2:
		return plan{write: write, beforeSync: true}
	case 3:
		return plan{after: time.Duration(1 + random.Int64N(int64(50*time.Millisecond)))}
	case 4:
		return plan{answers: 1 + random.Int64N(writes/2)}
	default:
		return plan{write: write}
	}
}

// mostAnswers is far more than a run has before its cut, unless nothing is synced.
const mostAnswers = 3000

// A run is one hub, from its start until the power is cut.
type run struct {
	world  *world
	supply *supply
	drive  *drive
	hub    *hub.Hub
	log    atomic.Pointer[trimmed]

	ending   atomic.Bool // the hub is being shut down
	answered atomic.Int64
	plan     plan
	enough   chan struct{} // closed after as many answers as are planned
}

func (w *world) boot(p plan) *run {
	r := &run{world: w, supply: newSupply(), plan: p, enough: make(chan struct{})}
	var err error
	if r.drive, err = w.machine.boot(r.supply); err != nil {
		w.t.Fatal(err)
	}
	if p.write > 0 {
		r.supply.at.Store(p.write)
		r.supply.beforeSync = p.beforeSync
	}
	logger := slog.New(listener{w, r.supply})
	r.hub = hub.New(hub.Config{
		Topics:      []hub.TopicRule{{Filter: "presence/**", Durability: nave.Memory}},
		Limits:      hub.Limits{RecentBytes: w.config.recent},
		Client:      client.Config{Mailbox: w.config.mailbox},
		Heartbeat:   w.config.heartbeat,
		Dispatchers: w.config.dispatchers,
		Logger:      logger,
	}, r.opener(logger))
	return r
}

func (r *run) opener(logger *slog.Logger) eventlog.Opener {
	o := pebblelog.Options{FS: r.drive, Logger: logger}
	if r.world.retention {
		o.Durable.Bytes = 20_000
	}
	open := pebblelog.Opener(r.world.place(), o)
	return func(ctx context.Context) (eventlog.Log, error) {
		l, err := open(ctx)
		if err != nil {
			return nil, err
		}
		log := &trimmed{Log: l}
		r.log.Store(log)
		return log, nil
	}
}

// trimmed is a log that is trimmed by the hub, and oftener by us.
type trimmed struct {
	eventlog.Log
	mu sync.Mutex
}

func (l *trimmed) Trim(ctx context.Context, now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Log.Trim(ctx, now)
}

// count is called with every answer. After very many the power is cut in any case.
func (r *run) count() {
	switch r.answered.Add(1) {
	case r.plan.answers:
		close(r.enough)
	case mostAnswers:
		if r.plan != (plan{}) {
			r.supply.cut()
		}
	}
}

// start reports whether there is a hub: its power may be cut before.
func (r *run) start(ctx context.Context) bool {
	err := r.hub.Start(ctx)
	if err != nil && r.supply.on() {
		r.world.fault(faultStart, "start: %v", err)
	}
	return err == nil
}

// live is a run that ends by a power cut.
func (w *world) live(p plan) {
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	r := w.boot(p)
	var following, working sync.WaitGroup
	if r.start(ctx) {
		r.follow(ctx, &following, w.subscribers...)
		if r.haveVerdicts(ctx) {
			r.work(ctx, &working)
			r.untilTheCut(ctx)
		}
	}
	r.stop(ctx)
	working.Wait()
	following.Wait()
	r.lose()
}

func (r *run) follow(ctx context.Context, following *sync.WaitGroup, who ...*subscriber) {
	for _, s := range who {
		following.Go(func() { s.follow(ctx, r) })
	}
}

// haveVerdicts waits until every subscriber has a cursor: what is published from
// now on is for all of them.
func (r *run) haveVerdicts(ctx context.Context) bool {
	for _, s := range r.world.subscribers {
		if !s.await(ctx, r, 0) {
			return false
		}
	}
	return true
}

func (r *run) work(ctx context.Context, working *sync.WaitGroup) {
	for _, p := range r.world.publishers {
		working.Go(func() { p.publish(ctx, r) })
	}
	working.Go(func() { r.world.peeker.peek(ctx, r) })
	if r.world.retention {
		working.Go(func() { r.trim(ctx) })
	}
}

// trim applies retention more often than the hub does.
func (r *run) trim(ctx context.Context) {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-r.supply.dark:
			return
		}
		if err := r.log.Load().Trim(ctx, time.Now()); err != nil {
			if r.ending.Load() || !r.supply.on() {
				return
			}
			r.world.fault("errors that the hub logged with the power on", "trim: %v", err)
		}
	}
}

// untilTheCut returns when the power is cut, or when the hub is to end.
func (r *run) untilTheCut(ctx context.Context) {
	if r.plan.after > 0 {
		timer := time.AfterFunc(r.plan.after, r.supply.cut)
		defer timer.Stop()
	}
	select {
	case <-r.supply.dark:
	case <-r.enough:
		r.supply.at.Store(r.supply.writes.Load() + 1 + r.world.random.Int64N(12))
	case <-ctx.Done():
		r.world.t.Errorf("seed %d: after %v and %d writes there was no power cut", r.world.seed, patience, r.supply.writes.Load())
	}
}

// stop ends the hub; if there is power, in good order.
func (r *run) stop(ctx context.Context) {
	r.ending.Store(true)
	if err := r.hub.Shutdown(ctx); err != nil && r.supply.on() {
		r.world.fault(faultStart, "stop: %v", err)
	}
}

// lose cuts the power if that has not happened, and leaves what the cut left.
func (r *run) lose() {
	r.supply.cut()
	lost, err := r.world.machine.down()
	if err != nil {
		r.world.t.Fatal(err)
	}
	t := r.world.tally
	t.add(rowCuts, 1)
	if r.answered.Load() == 0 {
		t.add(rowStarts, 1)
	}
	if lost.torn {
		t.add(rowTorn, 1)
	}
	t.add(rowBytes, lost.bytes)
	t.add(rowNames, int64(lost.names))
	t.add(rowTables, r.drive.tables.Load())
}
