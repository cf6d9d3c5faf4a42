package httpapi

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/navehub/nave/actors/hub"
	"github.com/navehub/nave/auth"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/eventlog/memlog"
)

// published are bodies of publishes, of one event and of a hundred.
func published() map[string]string {
	one := `{"topic":"cards/board-1","type":"card.moved","key":"card-42","id":"0123456789abcdef","source":"board","data":{"x":"` + strings.Repeat("x", 200) + `"}}`
	return map[string]string{"one": one, "array": "[" + strings.Repeat(one+",", 99) + one + "]"}
}

func BenchmarkDecode(b *testing.B) {
	for name, body := range published() {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				if _, err := decodeEvents([]byte(body), 100); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// A publish goes through all of the surface, but for the connection; what is left of it
// is the hub's, with a log in memory.
func BenchmarkPublish(b *testing.B) {
	h := hub.New(hub.Config{Authority: auth.Open(), Logger: quiet}, memlog.Opener(eventlog.Options{}))
	if err := h.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	defer func() { _ = h.Shutdown(context.Background()) }()
	handler := New(Config{Hub: h, Logger: quiet})
	body := strings.Replace(published()["one"], `"id":"0123456789abcdef",`, "", 1)
	b.ReportAllocs()
	for b.Loop() {
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, httptest.NewRequestWithContext(b.Context(), "POST", "/v1/events", strings.NewReader(body)))
		if answer.Code != http.StatusOK {
			b.Fatal(answer.Code, answer.Body)
		}
	}
}
