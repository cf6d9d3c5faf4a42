package httpapi

import (
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/navehub/nave"
	"github.com/navehub/nave/telemetry"
)

var (
	update = flag.Bool("update", false, "write the golden files anew")
	quiet  = slog.New(slog.DiscardHandler)
)

// Codes, statuses and types are promises: clients are written against them.
func TestProblems(t *testing.T) {
	var got strings.Builder
	for _, code := range slices.Sorted(maps.Keys(kinds)) {
		dump(&got, nave.Errorf(code, "the reason is here"))
	}
	dump(&got, nave.Errorf(nave.CodeBusy, "slow down").After(1200*time.Millisecond))
	dump(&got, errors.New("a secret: postgres://root:hunter2@db"))
	dump(&got, &nave.ConflictError{Conflicts: []nave.Conflict{
		{Topic: "cards/1", Key: "k", IfVersion: 3, Version: 7, Event: &nave.Event{
			Topic: "cards/1", Type: "card.moved", Key: "k", Offset: 7, ID: "e1", Source: "s",
			Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Batch: nave.Position{N: 1}, Data: []byte(`{"x":"<1>"}`)}},
		{Topic: "cards/1", Key: "l", IfVersion: 3},
	}})
	const golden = "testdata/problems.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("problem documents (-want +got); go test -update writes them anew:\n%s", diff)
	}
}

// dump writes the answer to an error.
func dump(b *strings.Builder, err error) {
	h := New(Config{Hub: fake{}, Logger: quiet}).(*handler)
	w := httptest.NewRecorder()
	h.serve(w, httptest.NewRequest("GET", "/", nil), identified(func(*exchange) error { return err }))
	fmt.Fprintf(b, "%d\n", w.Code)
	_ = w.Header().Write(b)
	fmt.Fprintf(b, "\n%s\n", w.Body)
}

// What is refused is counted by its code, and not as something else.
func TestEveryCodeIsCounted(t *testing.T) {
	reader := metric.NewManualReader()
	tel, err := telemetry.New(telemetry.Config{MeterProvider: metric.NewMeterProvider(metric.WithReader(reader))})
	if err != nil {
		t.Fatal(err)
	}
	for code := range kinds {
		tel.RequestRefused(code)
	}
	var counted metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &counted); err != nil {
		t.Fatal(err)
	}
	seen := make(map[nave.Code]bool)
	for _, m := range counted.ScopeMetrics[0].Metrics {
		if m.Name != "nave.request.refused" {
			continue
		}
		for _, p := range m.Data.(metricdata.Sum[int64]).DataPoints {
			code, _ := p.Attributes.Value(telemetry.AttrErrorType)
			seen[nave.Code(code.AsString())] = true
		}
	}
	if got, want := slices.Sorted(maps.Keys(seen)), slices.Sorted(maps.Keys(kinds)); !slices.Equal(got, want) {
		t.Errorf("counted are %v, want %v", got, want)
	}
}

func TestEveryCallSaysWhyNot(t *testing.T) {
	s := startFake(t, fake{err: nave.Errorf(nave.CodeUnavailable, "the log is being reopened").After(3 * time.Second)})
	for _, call := range [][]string{
		{"POST", "/v1/events", `{"topic":"a","type":"b"}`},
		{"GET", "/v1/events?topic=a", ""}, // by the connection that was taken over
		{"GET", "/v1/events?topic=a", "", "Accept", "application/json"},
		{"GET", "/v1/state?topic=a", ""},
	} {
		a := s.do(call[0], call[1], call[2], call[3:]...).refused(nave.CodeUnavailable, "the log is being reopened")
		if a.Header.Get("Retry-After") != "3" || a.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%v: headers = %v", call, a.Header)
		}
	}
	if a := s.do("GET", "/readyz", ""); a.StatusCode != http.StatusServiceUnavailable || !strings.Contains(a.body, "being reopened") {
		t.Errorf("readyz = %s %s", a.Status, a.body)
	}
	s.do("GET", "/livez", "").ok()
}

// What a defect says about the inside is for the log only.
func TestDefectsStayInside(t *testing.T) {
	s := startFake(t, fake{err: errors.New("hunter2")})
	for _, path := range []string{"/v1/events?topic=a", "/v1/state?topic=a"} {
		if a := s.do("GET", path, "").refused(nave.CodeInternal, "the hub's log says more"); strings.Contains(a.body, "hunter2") {
			t.Errorf("%s tells %s", path, a.body)
		}
	}
}
