package overload

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/navehub/nave/tests/harness"
	"github.com/navehub/nave/tests/trial"
)

// pulse is the topic of the events that show how a hub fares.
const pulse = "pulse/1"

// A pulseOf publishes one event at a time, over a connection that it keeps, and
// waits until everybody in a crowd has it.
type pulseOf struct {
	hub    *harness.Process
	crowd  *harness.Crowd
	client *http.Client
	usual  time.Duration // from a publish to its answer, when nothing else happens
}

func newPulse(t *testing.T, hub *harness.Process, crowd *harness.Crowd) *pulseOf {
	t.Helper()
	kept := &http.Transport{MaxConnsPerHost: 1}
	t.Cleanup(kept.CloseIdleConnections)
	p := &pulseOf{hub: hub, crowd: crowd, client: &http.Client{Transport: kept}}
	var took []time.Duration
	for range 50 {
		answered, _, err := p.beat(trial.Soon(t))
		if err != nil {
			t.Fatal(err)
		}
		took = append(took, answered)
	}
	slices.Sort(took)
	p.usual = took[len(took)/2]
	return p
}

// beat publishes an event, and says how long it took until the yes, and until
// everybody had it.
func (p *pulseOf) beat(ctx context.Context) (answered, received time.Duration, err error) {
	start := time.Now()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.hub.URL("/v1/events"), strings.NewReader(`{"topic":"`+pulse+`","type":"beat"}`))
	if err != nil {
		return 0, 0, err
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return 0, 0, err
	}
	defer resp.Body.Close()
	var a harness.Answer
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
		return 0, 0, err
	}
	if len(a.Events) != 1 {
		return 0, 0, fmt.Errorf("%s: %s", resp.Status, a.Detail)
	}
	answered = time.Since(start)
	if err := p.crowd.Await(ctx, p.crowd.Size, harness.Reached(a.Events[0].Offset)); err != nil {
		return answered, 0, fmt.Errorf("waiting for offset %d: %w", a.Events[0].Offset, err)
	}
	return answered, time.Since(start), nil
}

// recovers waits until publishes are answered about as fast as usual, everybody
// has everything, others can connect, and nothing waits anywhere; and says how long
// that took.
func (p *pulseOf) recovers(t *testing.T) time.Duration {
	t.Helper()
	start := time.Now()
	soon := max(10*p.usual, 50*time.Millisecond)
	trial.EventuallyWithin(t, time.Minute, func() (string, bool) {
		answered, received, err := p.beat(trial.Soon(t))
		waiting, nobody := metric(trial.Soon(t), p.hub, "nave_mailbox_messages")
		return fmt.Sprintf("answered in %v, received in %v (%v), %v messages waiting (%v)", answered, received, err, waiting, nobody),
			err == nil && nobody == nil && answered <= soon && waiting == 0
	})
	return time.Since(start)
}
