package hub_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/breaker"
	"github.com/navehub/nave/actors/hub"
	"github.com/navehub/nave/auth"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/eventlog/pebblelog"
	"github.com/navehub/nave/httpapi"
	"github.com/navehub/nave/supervision"
	"github.com/navehub/nave/telemetry"
	"github.com/navehub/nave/tests/harness"
)

// A target is a whole hub, on a disk and behind a socket, whose actors fail when
// they are told to.
type target struct {
	*hub.Hub
	t      *testing.T
	dir    string
	faults *faults
	logs   *logs

	root, extensions hub.Fragile
	breaker          *breaker.Breaker

	metrics *sdkmetric.ManualReader
	address string
	server  *http.Server
	served  chan error
}

// startTarget starts one with its log in dir. Whoever starts it ends it.
func startTarget(t *testing.T, dir string) *target {
	t.Helper()
	g := &target{
		t: t, dir: dir, faults: newFaults(), logs: new(logs), metrics: sdkmetric.NewManualReader(), served: make(chan error, 1),
		breaker: breaker.New(breaker.Config{Name: "chaos", Manual: true}),
	}
	measured, err := telemetry.New(telemetry.Config{
		MeterProvider: meters{sdkmetric.NewMeterProvider(sdkmetric.WithReader(g.metrics)), g.faults},
	})
	if err != nil {
		t.Fatal(err)
	}
	logger := slog.New(slog.NewTextHandler(g.logs, &slog.HandlerOptions{Level: slog.LevelWarn}))
	g.Hub = hub.New(hub.Config{
		Authority: auth.Open(),
		Topics: []hub.TopicRule{
			{Filter: "session/**", Durability: nave.Memory},
			{Filter: "ui/**", Durability: nave.Transient},
		},
		// A topic may have 8 KiB in the journal, so that a share which is not given
		// back is missed.
		Limits: hub.Limits{JournalBytes: 64 << 10},
		// By itself the level would take transient events for longer than a fault lasts.
		Levels:   hub.Levels{Manual: true},
		Breakers: []*breaker.Breaker{g.breaker},
		Logger:   logger, Telemetry: measured,
	}, g.faults.opener(pebblelog.Opener(dir, pebblelog.Options{Logger: logger})))
	if g.root, err = g.StartFragile(t.Context()); err != nil {
		t.Fatal(err)
	}
	if g.extensions, err = g.SpawnExtensions(func() {}, g.faults.mirror()); err != nil {
		t.Fatal(err)
	}
	g.serve(httpapi.New(httpapi.Config{Hub: g.Hub, Logger: logger}), logger)
	return g
}

func (g *target) serve(handler http.Handler, logger *slog.Logger) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		g.t.Fatal(err)
	}
	g.address = listener.Addr().String()
	g.server = &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second,
		ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
	go func() { g.served <- g.server.Serve(listener) }() // ends in stop
}

// stop ends it in good order, and reports what was not.
func (g *target) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	err := errors.Join(g.Shutdown(ctx), g.server.Shutdown(ctx))
	if served := <-g.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	if g.t.Failed() {
		g.t.Logf("the end of the hub's log:\n%s", g.logs)
	}
	return err
}

// turn makes the breaker change its state, and the next that does so fail.
func (g *target) turn() {
	g.faults.turning.armed.Add(1)
	if g.breaker.State() == breaker.Closed {
		g.breaker.Hold("as told", time.Time{})
	} else {
		g.breaker.Release()
	}
}

func (g *target) url(path string) string { return "http://" + g.address + path }

func (g *target) subscriber(filters ...string) *harness.Subscriber {
	return &harness.Subscriber{URL: g.url("/v1/events"), Filters: filters}
}

// failures reads from the metrics how often actors have failed, by kind and by
// what their supervisor did.
func (g *target) failures() map[supervision.Kind]map[string]int64 {
	var all metricdata.ResourceMetrics
	if err := g.metrics.Collect(context.Background(), &all); err != nil {
		g.t.Fatal(err)
	}
	found := make(map[supervision.Kind]map[string]int64)
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			if m.Name != "nave.actor.failures" {
				continue
			}
			for _, p := range m.Data.(metricdata.Sum[int64]).DataPoints {
				kind, _ := p.Attributes.Value(telemetry.AttrActorKind)
				directive, _ := p.Attributes.Value(telemetry.AttrDirective)
				of := supervision.Kind(kind.AsString())
				if found[of] == nil {
					found[of] = make(map[string]int64)
				}
				found[of][directive.AsString()] += p.Value
			}
		}
	}
	return found
}

// stored reads the log in a directory from its beginning, when no hub has it open.
func stored(t *testing.T, dir string) map[string]uint64 {
	t.Helper()
	log, err := pebblelog.Open(t.Context(), dir, pebblelog.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	ids := make(map[string]uint64)
	for after := uint64(0); ; {
		page, err := log.Read(t.Context(), after, nave.Filters{"cards/**"}, eventlog.Limit{})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Events {
			ids[e.ID] = e.Offset
		}
		if !page.More {
			return ids
		}
		after = page.Next
	}
}

// logs keeps the end of what a hub logs.
type logs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	const most = 64 << 10
	if l.text.Len() > most {
		l.text.Next(l.text.Len() - most/2)
	}
	return l.text.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
