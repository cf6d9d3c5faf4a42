package httpapi

import (
	"bytes"
	"log/slog"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/navehub/nave/auth"
)

// What a caller makes up takes a line, and not a page.
func TestRefusalsAreShort(t *testing.T) {
	var log bytes.Buffer
	h := New(Config{Hub: fake{authority: auth.NewAuthority(auth.AuthorityConfig{})}, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/v1/admin/clients/"+strings.Repeat("%ff", 10_000), nil))
	if n := log.Len(); n == 0 || n > 2000 {
		t.Errorf("a refusal takes %d bytes of the log", n)
	}
}

// Somebody who sends nothing but wrong tokens does not fill the disk with lines about
// it, and how often it was is known.
func TestRefusalsDoNotFillTheLog(t *testing.T) {
	var log struct {
		sync.Mutex
		bytes.Buffer
	}
	h := New(Config{Hub: fake{authority: auth.NewAuthority(auth.AuthorityConfig{})}, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	const tries = 5000
	for range tries {
		r := httptest.NewRequest("GET", "/v1/events?topic=a&ticket=secret", nil)
		r.Header.Set("Authorization", "Bearer secret")
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
	h.(*handler).audit.strangers.SetLimit(1e9)
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/v1/events?topic=a", nil))
	lines := strings.Count(log.String(), "\n")
	omitted := 0
	for _, m := range regexp.MustCompile(`omitted=(\d+)`).FindAllStringSubmatch(log.String(), -1) {
		n, _ := strconv.Atoi(m[1])
		omitted += n
	}
	if lines > 500 || lines+omitted != tries+1 {
		t.Errorf("%d lines, and %d that were left out, of %d refusals", lines, omitted, tries+1)
	}
	if strings.Contains(log.String(), "secret") {
		t.Error("what was shown is in the log")
	}
}
