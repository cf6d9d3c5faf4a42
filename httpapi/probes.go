package httpapi

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/navehub/nave"
)

// A health is the answer to a probe.
type health struct {
	Status  string     `json:"status"`
	Level   nave.Level `json:"level,omitempty"`
	Reasons []string   `json:"reasons,omitempty"`
}

// live answers GET /livez: whoever answers is alive.
func (x *exchange) live() error {
	x.Header().Set("Cache-Control", "no-store")
	x.send(http.StatusOK, jsonType, encode(health{Status: "alive"}))
	return nil
}

// ready answers GET /readyz: 503 says why not.
func (x *exchange) ready() error {
	x.Header().Set("Cache-Control", "no-store")
	if err := errors.Join(x.Hub.Ready(), x.authority.Ready()); err != nil {
		reasons := strings.Split(err.Error(), "\n") // as errors.Join has them
		x.send(http.StatusServiceUnavailable, jsonType, encode(health{Status: "not ready", Reasons: reasons}))
		return nil
	}
	x.send(http.StatusOK, jsonType, encode(health{Status: "ready", Level: x.Hub.Level()}))
	return nil
}

// index answers GET /: the rest can be found from here, wherever it is mounted.
func (x *exchange) index() error {
	x.send(http.StatusOK, jsonType, encode(map[string]string{
		"service":   "nave",
		"events":    "v1/events{?topic*,cursor,snapshot,wait,presence*}",
		"state":     "v1/state{?topic*}",
		"dashboard": "dashboard",
		"presence":  "v1/presence{?topic*}",
		"liveness":  "livez",
		"readiness": "readyz",
	}))
	return nil
}

const metricsPath = "/metrics"

// metrics answers GET /metrics.
func (x *exchange) metrics() error {
	x.discard() // before the page takes memory
	_ = x.rc.SetWriteDeadline(time.Now().Add(x.WriteTimeout))
	defer func() { _ = x.rc.SetWriteDeadline(time.Time{}) }()
	x.Metrics.ServeHTTP(x, x.r)
	return nil
}
