package memlog_test

import (
	"context"
	"testing"

	"go.uber.org/goleak"

	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/eventlog/logtest"
	"github.com/navehub/nave/eventlog/memlog"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestLog(t *testing.T) {
	logtest.Run(t, logtest.Factory{New: func(o eventlog.Options) eventlog.Opener {
		return func(context.Context) (eventlog.Log, error) { return memlog.Open(o), nil }
	}})
}

func TestOpenerOpensTheSameLogAgain(t *testing.T) {
	open := memlog.Opener(eventlog.Options{})
	first, err := open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := open(t.Context())
	if err != nil || again.Epoch() != first.Epoch() {
		t.Fatalf("opened again: epoch %s, was %s, %v", again.Epoch(), first.Epoch(), err)
	}
	if _, err := again.Append(t.Context(), nil); err != nil {
		t.Errorf("append to the log opened again: %v", err)
	}
}
