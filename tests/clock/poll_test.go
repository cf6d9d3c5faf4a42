package clock

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/navehub/nave/tests/harness"
	"github.com/navehub/nave/tests/trial"
)

// page is an answer to a poll.
type page struct {
	Cursor string
	Events []struct {
		Offset uint64
		Time   time.Time
	}
}

// ask polls from a cursor, "" for none, and waits for as long.
func ask(t *testing.T, hub *harness.Process, cursor string, wait time.Duration, filter string) (p page) {
	t.Helper()
	query := url.Values{"topic": {filter}}
	if cursor != "" {
		query.Set("cursor", cursor)
		query.Set("wait", wait.String())
	}
	req, err := http.NewRequestWithContext(trial.Soon(t), http.MethodGet, hub.URL("/v1/events?"+query.Encode()), nil)
	if err != nil {
		t.Error(err)
		return p
	}
	req.Header.Set("Accept", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Errorf("poll: %v", err)
		return p
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&p); err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("poll: %s: %v", resp.Status, err)
	}
	return p
}
