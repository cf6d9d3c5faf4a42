package wiring_test

import (
	"testing"
	"time"

	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/wiring"
)

// Who says nothing about retention has what the program has by default.
func TestLogsHaveTheProgramsRetention(t *testing.T) {
	const aDay, aWeek = 24 * time.Hour, 7 * 24 * time.Hour
	unbounded := eventlog.Retention{Age: -1, Bytes: -1}
	hour := eventlog.Retention{Age: time.Hour}
	for _, test := range []struct {
		says       string
		options    []eventlog.Options
		durability nave.Durability
		keeps      time.Duration // this old an event stays
		loses      time.Duration // and this old it goes; zero if it never does
	}{
		{"durable", nil, nave.Durable, aWeek, aWeek + 1},
		{"memory", nil, nave.Memory, 30 * time.Minute, 30*time.Minute + 1},
		{"other than what is said", []eventlog.Options{{Durable: hour}}, nave.Memory, 30 * time.Minute, 30*time.Minute + 1},
		{"what is said", []eventlog.Options{{Durable: hour}}, nave.Durable, time.Hour, time.Hour + 1},
		{"durable without bound", []eventlog.Options{{Durable: unbounded}}, nave.Durable, 1000 * aDay, 0},
		{"memory without bound", []eventlog.Options{{Memory: unbounded}}, nave.Memory, 1000 * aDay, 0},
	} {
		t.Run(test.says, func(t *testing.T) {
			for _, option := range []fx.Option{wiring.DurableLog(t.TempDir(), test.options...), wiring.MemoryLog(test.options...)} {
				log := opened(t, option)
				now := time.Now()
				fill(t, log, test.durability, now, 1)
				if trim(t, log, now.Add(test.keeps)); log.Oldest(all) != 0 {
					t.Errorf("%T: gone after %s", log, test.keeps)
				}
				if test.loses == 0 {
					continue
				}
				if trim(t, log, now.Add(test.loses)); log.Oldest(all) == 0 {
					t.Errorf("%T: still there after %s", log, test.loses)
				}
			}
		})
	}
}

// What is in RAM must not grow with time, whatever the log is told.
func TestMemoryEventsAreBoundedInBytes(t *testing.T) {
	const standard = 16 << 20
	for _, option := range []fx.Option{
		wiring.MemoryLog(),
		wiring.DurableLog(t.TempDir()),
		wiring.DurableLog(t.TempDir(), eventlog.Options{IdempotencyWindow: time.Hour}),
	} {
		log := opened(t, option)
		now := time.Now()
		fill(t, log, nave.Memory, now, 20<<20)
		if trim(t, log, now); log.Stats().MemoryBytes > standard {
			t.Errorf("%T: %d bytes in RAM, want at most %d", log, log.Stats().MemoryBytes, standard)
		}
	}
}

var all = nave.Filters{"**"}

func opened(t *testing.T, option fx.Option) eventlog.Log {
	t.Helper()
	var open eventlog.Opener
	fxtest.New(t, option, fx.Populate(&open))
	log, err := open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := log.Close(); err != nil {
			t.Error(err)
		}
	})
	return log
}

// fill appends events of about so many bytes together, one at least.
func fill(t *testing.T, log eventlog.Log, d nave.Durability, at time.Time, bytes int) {
	t.Helper()
	data := make([]byte, min(bytes, 64<<10))
	for n := 0; n < bytes; n += len(data) {
		batch := eventlog.Batch{Durability: d, Time: at, Events: []nave.Event{{Topic: "a/1", Type: "t", Data: data}}}
		if outcomes, err := log.Append(t.Context(), []eventlog.Batch{batch}); err != nil || outcomes[0].Err != nil {
			t.Fatal(err, outcomes)
		}
	}
}

func trim(t *testing.T, log eventlog.Log, now time.Time) {
	t.Helper()
	if err := log.Trim(t.Context(), now); err != nil {
		t.Fatal(err)
	}
}
