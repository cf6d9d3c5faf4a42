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
	links := map[string]string{
		"service":     "nave",
		"events":      "v1/events{?topic*,cursor,snapshot,wait,presence*}",
		"state":       "v1/state{?topic*}",
		"presence":    "v1/presence{?topic*}",
		"receipts":    "v1/receipts",
		"token":       "v1/token",
		"tickets":     "v1/tickets",
		"level":       "v1/admin/level",
		"breakers":    "v1/admin/breakers{/name}",
		"clients":     "v1/admin/clients{/id}{?subject,search,order,limit,after}",
		"health":      "v1/admin/health",
		"keys":        "v1/admin/keys",
		"topics":      "v1/admin/topics{?after}",
		"revocations": "v1/admin/revocations{/key}{?after}",
		"dashboard":   "dashboard",
		"liveness":    "livez",
		"readiness":   "readyz",
	}
	if x.Metrics != nil {
		links["metrics"] = strings.TrimPrefix(metricsPath, "/")
	}
	x.send(http.StatusOK, jsonType, encode(links))
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
