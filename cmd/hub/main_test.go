package main

import (
	"bytes"
	"context"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

var update = flag.Bool("update", false, "write the files in testdata anew")

func TestMain(m *testing.M) {
	for _, name := range []string{"NAVE_URL", "NAVE_TOKEN", "NAVE_AUTH_KEY", "NAVE_CONFIG", "NO_COLOR"} {
		os.Unsetenv(name)
	}
	os.Setenv("NAVE_LIMITS_CONNECTIONS", "100") // any machine has the files for them; else the hub warns
	goleak.VerifyTestMain(m)
}

// golden compares text with a file in testdata.
func golden(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), text); diff != "" {
		t.Errorf("%s (-want +got; go test -update accepts it)\n%s", path, diff)
	}
}

// A result is what came of one command line.
type result struct {
	code     int
	out, err string
}

// hubCommand runs one command line to its end.
func hubCommand(t *testing.T, stdin string, args ...string) result {
	t.Helper()
	var out, errs bytes.Buffer
	code := run(t.Context(), strings.NewReader(stdin), &out, &errs, args)
	return result{code, out.String(), errs.String()}
}

// newServer serves as a hub would; its address is in $NAVE_URL.
func newServer(t *testing.T, handle http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	t.Setenv(urlVariable, server.URL)
	return server
}

// A watchedBuffer ends a context once it holds a text.
type watchedBuffer struct {
	until  string
	cancel context.CancelFunc

	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *watchedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n, err := b.buf.Write(p)
	if strings.Contains(b.buf.String(), b.until) {
		b.cancel()
	}
	return n, err
}

func (b *watchedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
