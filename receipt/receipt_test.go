package receipt

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// A world has two clocks: the hub's, which is right, and a client's.
type world struct {
	skew  time.Duration // of the client's clock at epoch
	drift float64       // seconds that it gains in a second
	rng   *rand.Rand
}

// client is what the client's clock says, in milliseconds since 1970.
func (w *world) client(at time.Time) float64 {
	since := at.Sub(epoch)
	says := epoch.Add(w.skew).Add(since + time.Duration(w.drift*float64(since)))
	return float64(says.UnixMicro()) / 1000
}

// way is how long a message takes, at least least.
func (w *world) way(least, jitter time.Duration) time.Duration {
	return least + time.Duration(w.rng.ExpFloat64()*float64(jitter))
}

// estimate is what a client does: of what heartbeats say, less when they came, the
// greatest is the offset less the quickest way down; half of the quickest round trip
// makes up for that, and is how far it may be off.
func (w *world) estimate(start time.Time, least, jitter time.Duration) (offset, uncertainty float64) {
	offset, trip := math.Inf(-1), math.Inf(1)
	for i := range 10 {
		at := start.Add(time.Duration(i) * 15 * time.Second)
		down, up := w.way(least, jitter), w.way(least, jitter)
		offset = max(offset, float64(at.UnixMicro())/1000-w.client(at.Add(down)))
		trip = min(trip, float64((down+up).Microseconds())/1000)
	}
	return offset + trip/2, trip / 2
}

// Whatever the clocks say, a latency is as far off as it says at most, and never
// negative: with a client that estimates, and with one that does not.
func TestLatenciesAreAsGoodAsTheySay(t *testing.T) {
	for name, w := range map[string]world{
		"right":                  {},
		"three hours ahead":      {skew: 3 * time.Hour},
		"a day behind":           {skew: -24 * time.Hour},
		"drifts by a second/day": {skew: time.Minute, drift: 1.0 / 86400},
		"drifts by 100 ppm":      {skew: -time.Second, drift: -100e-6},
	} {
		for network, way := range map[string][2]time.Duration{
			"same machine": {50 * time.Microsecond, 20 * time.Microsecond},
			"continent":    {20 * time.Millisecond, 5 * time.Millisecond},
			"phone":        {60 * time.Millisecond, 200 * time.Millisecond},
		} {
			t.Run(name+", "+network, func(t *testing.T) {
				w.rng = rand.New(rand.NewPCG(1, 2))
				for round := range 200 {
					w.round(t, epoch.Add(time.Duration(round)*time.Minute), way[0], way[1], round%2 == 0)
				}
			})
		}
	}
}

// round has a client receive some events, and report them a second later.
func (w *world) round(t *testing.T, start time.Time, least, jitter time.Duration, estimates bool) {
	t.Helper()
	var r Report
	var events []Event
	var truth []time.Duration
	for range 1 + w.rng.IntN(10) {
		at := start.Add(time.Duration(w.rng.IntN(1000)) * time.Millisecond)
		committed := at.Add(w.way(0, 5*time.Millisecond))
		received := committed.Add(w.way(least, jitter))
		events, truth = append(events, Event{at, committed}), append(truth, received.Sub(at))
		says := w.client(received)
		r.Receipts = append(r.Receipts, Receipt{Received: says, Rendered: says + 7})
	}
	sent := start.Add(10 * time.Second)
	r.Sent, r.Arrived = w.client(sent), sent.Add(w.way(least, jitter))
	if estimates {
		offset, uncertainty := w.estimate(start.Add(-150*time.Second), least, jitter)
		r.Offset, r.Uncertainty = &offset, &uncertainty
	}
	// A clock that drifts is off by what it gains while a report is held, or since it
	// was compared.
	drifted := time.Duration(math.Abs(w.drift) * float64(10*time.Second))
	if estimates {
		drifted = time.Duration(math.Abs(w.drift) * float64(160*time.Second))
	}
	for i, l := range Measure(r, events) {
		if l == nil {
			t.Fatalf("a true receipt is left out: took %v", truth[i])
		}
		off := l.Received - truth[i]
		if max(off, -off) > l.Error+drifted+5*time.Microsecond || l.Received < 0 {
			t.Errorf("took %v, and %v is said, to within %v", truth[i], l.Received, l.Error)
		}
		if estimates && l.Error > 5*least+5*jitter {
			t.Errorf("an estimate is good to within %v only", l.Error)
		}
		if rendered := l.Rendered - l.Received; rendered < 6999*time.Microsecond || rendered > 7001*time.Microsecond {
			t.Errorf("rendered %v after it was received, want 7ms", rendered)
		}
		if far := math.Abs(w.drift) > 20e-6; l.Moved && !far {
			t.Errorf("an honest estimate is said to be wrong: by %v", off)
		}
	}
}

func ms(f float64) *float64 { return &f }

// at is a report that arrives 100 ms after its event was committed, and was held for 60.
func at(receipts ...Receipt) (Report, []Event) {
	r := Report{Arrived: epoch.Add(100 * time.Millisecond), Sent: 1060, Receipts: receipts}
	events := make([]Event, len(receipts))
	for i := range events {
		events[i] = Event{epoch, epoch}
	}
	return r, events
}

func TestTheClientsWordCountsWithinTheBound(t *testing.T) {
	hub := float64(epoch.UnixMilli())
	for name, one := range map[string]struct {
		offset, uncertainty *float64
		received, bound     float64
		moved               bool
	}{
		"none":                           {nil, nil, 20, 20, false},
		"took 10 up":                     {ms(hub + 90 - 1060), ms(3), 30, 3, false},
		"took 10 up, for certain or not": {ms(hub + 90 - 1060), nil, 30, 30, false},
		"surer than it can be":           {ms(hub + 90 - 1060), ms(-5), 30, 0, false},
		"less sure than the hub":         {ms(hub + 90 - 1060), ms(1000), 30, 30, false},
		"arrived before it was sent":     {ms(hub + 200 - 1060), ms(3), 40, 40, true},
		"received before it was there":   {ms(hub - 1060), ms(3), 0, 40, true},
		"a little so":                    {ms(hub + 59.5 - 1060), ms(3), 0, 3, false},
		"nonsense":                       {ms(-1e300), ms(1), 0, 40, true},
	} {
		r, events := at(Receipt{Received: 1000})
		r.Offset, r.Uncertainty = one.offset, one.uncertainty
		l := Measure(r, events)[0]
		got := Latency{l.Received.Round(time.Microsecond), l.Rendered, l.Error.Round(time.Microsecond), l.Moved}
		want := Latency{time.Duration(one.received * 1e6), 0, time.Duration(one.bound * 1e6), one.moved}
		if got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}

func TestWhatCannotBeTrueIsLeftOut(t *testing.T) {
	good := Receipt{Received: 1000, Rendered: 1010}
	for name, bad := range map[string]Receipt{
		"received after it was reported": {Received: 1061},
		"rendered before":                {Received: 1000, Rendered: 999},
		"rendered after":                 {Received: 1000, Rendered: 1061},
		"received before it was there":   {Received: 950},
		"long before":                    {Received: -1e300},
		"never":                          {},
	} {
		r, events := at(bad, good)
		all := Measure(r, events)
		if all[0] != nil {
			t.Errorf("%s: %+v", name, all[0])
		}
		if all[1] == nil || all[1].Received != 20*time.Millisecond || all[1].Rendered != 30*time.Millisecond {
			t.Errorf("beside one that was %s a good one is %+v", name, all[1])
		}
	}
	r, events := at(good, good)
	events[0].Accepted = epoch.Add(-Longest)
	if all := Measure(r, events); all[0] != nil || all[1] == nil {
		t.Errorf("one that took more than %v: %+v", Longest, all[0])
	}
	r, events = at(Receipt{Received: 958.5}) // by a browser's coarse clock
	if l := Measure(r, events)[0]; l == nil || l.Received != 0 {
		t.Errorf("a little too early: %+v", l)
	}
	if all := Measure(Report{}, nil); len(all) != 0 {
		t.Errorf("of nothing: %v", all)
	}
}

// Nobody has received what was not committed.
func TestTheCommitIsBeforeTheClient(t *testing.T) {
	r, events := at(Receipt{Received: 1000})
	events[0].Accepted = epoch.Add(-time.Second)
	if l := Measure(r, events)[0]; l.Received != 1020*time.Millisecond || l.Error != 20*time.Millisecond {
		t.Errorf("%+v, want 1.02s, to within 20ms", l)
	}
}

// The quickest of a report bounds how long that took.
func TestTheQuickestBoundsAll(t *testing.T) {
	r, events := at(Receipt{Received: 1000}, Receipt{Received: 970})
	all := Measure(r, events)
	if all[1].Received != 5*time.Millisecond || all[0].Received != 35*time.Millisecond || all[0].Error != 5*time.Millisecond {
		t.Errorf("quick %+v, slow %+v", all[1], all[0])
	}
}
