package degrade

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/sse"
	"github.com/navehub/nave/tests/harness"
	"github.com/navehub/nave/tests/trial"
)

// listener writes down the levels that one stream is told of.
type listener struct {
	mu     sync.Mutex
	levels []nave.Level
	badly  []string
}

func (l *listener) follow(ctx context.Context, hub *harness.Process) {
	r, err := http.NewRequestWithContext(ctx, "GET", hub.URL("/v1/events?topic=a/**"), nil)
	if err != nil {
		return
	}
	r.Header.Set("Accept", "text/event-stream")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return
	}
	defer resp.Body.Close()
	for reader := sse.NewReader(resp.Body); ; {
		e, err := reader.Next()
		if err != nil {
			return
		}
		if e.Name != "hub.level" {
			continue
		}
		var said struct {
			Level              nave.Level
			Reason             string
			ForMs, HeartbeatMs int
		}
		l.mu.Lock()
		if err := json.Unmarshal(e.Data, &said); err != nil || said.Reason == "" || said.HeartbeatMs == 0 ||
			said.ForMs == 0 && said.Level != nave.LevelNormal {
			l.badly = append(l.badly, string(e.Data))
		}
		l.levels = append(l.levels, said.Level)
		l.mu.Unlock()
	}
}

func (l *listener) heard() []nave.Level {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.levels)
}

// Pressure that lasts has the hub give things up by itself, say so, and come back. Here
// events are late after a millisecond, which it takes to write one to all of them.
func TestAutomatic(t *testing.T) {
	hub := trial.CheckedHub(t, "NAVE_LEVELS_PROPAGATION=1ms", "NAVE_LEVELS_HOLD=2s",
		"NAVE_TOPICS=[{filter: ui/**, durability: transient}]")
	defer http.DefaultClient.CloseIdleConnections()
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	listeners := make([]listener, 200)
	for i := range listeners {
		running.Go(func() { listeners[i].follow(ctx, hub) })
	}
	load := publish(t, hub, 5*time.Millisecond, number)

	isShed := func() (string, bool) {
		_, text := trial.Get(t, hub, "/v1/admin/level")
		return text, !strings.Contains(text, `"level":"normal","since"`)
	}
	text := trial.EventuallyWithin(t, time.Minute, isShed)
	if !strings.Contains(text, `"signals":[{`) || !strings.Contains(text, "propagation p99 is ") {
		t.Errorf("it is not said why: %s", text)
	}
	a, err := harness.Publish(trial.Soon(t), hub.URL("/v1/events"), harness.Event{Topic: "ui/1", Type: "click"})
	if err != nil || a.Status != http.StatusServiceUnavailable || !strings.Contains(a.Detail, "no transient events") {
		t.Errorf("a transient event is answered with %d %s, %v", a.Status, a.Detail, err)
	}
	if status, text := trial.Get(t, hub, "/readyz"); status != http.StatusOK {
		t.Errorf("/readyz: %d %s", status, text)
	}
	if _, text := trial.Get(t, hub, "/metrics"); strings.Contains(text, "\nnave_level 0\n") || !strings.Contains(text, `nave_level_changes_total{nave_level="shed"} 1`) {
		t.Error("metrics do not say so")
	}
	if len(load.end()) == 0 {
		t.Error("nothing was published")
	}
	trial.EventuallyWithin(t, time.Minute, func() (string, bool) {
		text, shed := isShed()
		return text, !shed
	})
	trial.Eventually(t, func() (bool, bool) {
		all := true
		for i := range listeners {
			levels := listeners[i].heard()
			all = all && len(levels) > 0 && levels[len(levels)-1] == nave.LevelNormal
		}
		return all, all
	})
	cancel()
	running.Wait()
	for i := range listeners {
		before := nave.LevelNormal
		for _, level := range listeners[i].heard() {
			if by := level.Number() - before.Number(); by != 1 && by != -1 {
				t.Errorf("stream %d was told %v", i, listeners[i].levels)
				break
			}
			before = level
		}
		if listeners[i].badly != nil {
			t.Errorf("stream %d was told %s", i, listeners[i].badly)
		}
	}
}
