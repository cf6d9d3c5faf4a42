package degrade

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/tests/harness"
	"github.com/navehub/nave/tests/trial"
)

// hold is how long a level is held before a better one; in the long form as by default.
func hold() string { return "NAVE_LEVELS_HOLD=" + trial.Pick("2s", "15s") }

// A change is a level that the hub came to.
type change struct {
	after time.Duration
	level nave.Level
}

// A watch looks at the hub's level all the time.
type watch struct {
	*testing.T
	hub *harness.Process

	mu      sync.Mutex
	begun   time.Time
	changes []change
	stop    context.CancelFunc
	done    chan struct{}
}

// watchLevel looks until the test ends.
func watchLevel(t *testing.T, hub *harness.Process) *watch {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	w := &watch{T: t, hub: hub, begun: time.Now(), stop: stop, done: make(chan struct{})}
	go func() { // ends with stop
		defer close(w.done)
		for ; ctx.Err() == nil; time.Sleep(20 * time.Millisecond) {
			w.look(ctx)
		}
	}()
	t.Cleanup(func() { stop(); <-w.done; http.DefaultClient.CloseIdleConnections() })
	return w
}

type service struct{ Level nave.Level }

func (w *watch) look(ctx context.Context) {
	s, err := askLevel(ctx, w.hub, http.MethodGet, "")
	if err != nil {
		return // it is being restarted, or too busy
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := len(w.changes); n == 0 || w.changes[n-1].level != s.Level {
		w.changes = append(w.changes, change{time.Since(w.begun), s.Level})
	}
}

func askLevel(ctx context.Context, hub *harness.Process, method, body string) (s service, err error) {
	r, err := http.NewRequestWithContext(ctx, method, hub.URL("/v1/admin/level"), strings.NewReader(body))
	if err != nil {
		return s, err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return s, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return s, fmt.Errorf("%s: %s", method, resp.Status)
	}
	return s, json.NewDecoder(resp.Body).Decode(&s)
}

// pin asks for a level, or with none for its end.
func pin(t *testing.T, hub *harness.Process, level nave.Level) {
	t.Helper()
	method, body, want := http.MethodPut, fmt.Sprintf(`{"level":%q,"reason":"a trial"}`, level), level
	if level == "" {
		method, body, want = http.MethodDelete, "", nave.LevelNormal
	}
	if s, err := askLevel(t.Context(), hub, method, body); err != nil || s.Level != want {
		t.Fatalf("the level is %q, want %q: %v", s.Level, want, err)
	}
}

// await waits until the level is one of these, for so long at most.
func (w *watch) await(within time.Duration, levels ...nave.Level) {
	w.Helper()
	w.until(within, fmt.Sprint(levels), func() bool { return slices.Contains(levels, w.latest()) })
}

// awaitWorse waits until the level has been worse than normal, for so long at most. It
// may be normal again: a machine that is slow comes late to look.
func (w *watch) awaitWorse(within time.Duration) {
	w.Helper()
	w.until(within, "any worse", func() bool { return w.worst() != nave.LevelNormal })
}

func (w *watch) until(within time.Duration, want string, so func() bool) {
	w.Helper()
	for begun := time.Now(); !so(); time.Sleep(10 * time.Millisecond) {
		if time.Since(begun) > within {
			w.Fatalf("the level is %s after %v, want %s: %s", w.latest(), within, want, w)
		}
	}
}

func (w *watch) latest() nave.Level {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.changes) == 0 {
		return ""
	}
	return w.changes[len(w.changes)-1].level
}

// worst is the worst of them so far.
func (w *watch) worst() nave.Level {
	w.mu.Lock()
	defer w.mu.Unlock()
	worst := nave.LevelNormal
	for _, c := range w.changes {
		worst = worst.Worse(c.level)
	}
	return worst
}

func (w *watch) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []string
	for _, c := range w.changes {
		all = append(all, fmt.Sprintf("%.1f s %s", c.after.Seconds(), c.level))
	}
	return strings.Join(all, ", ")
}

// said finds in the hub's log what it has changed to, and why.
var said = regexp.MustCompile(`time=(\S+) level=WARN msg="the level changes" .*?from=(\w+) to=(\w+) reason=(".*?"|\S+) signals="?(.*?)"?\n`)

// detail finds in that what speaks for the change.
var detail = regexp.MustCompile(`Detail:(.*?)\}`)

// tell writes the sequence into the table, by the hub's own log, since a hub that is busy
// may keep a look waiting. There must be no jump: one step at a time.
func (w *watch) tell(table *trial.Table) {
	w.Helper()
	changes := said.FindAllStringSubmatch(w.hub.Output(), -1)
	if len(changes) == 0 {
		w.Errorf("the hub's log says nothing of levels")
	}
	for _, c := range changes {
		at, err := time.Parse(time.RFC3339Nano, c[1])
		if err != nil {
			w.Fatal(err)
		}
		row := fmt.Sprintf("after %.1f s", at.Sub(w.begun).Seconds())
		if why := detail.FindStringSubmatch(c[5]); why != nil {
			row += ", since " + why[1]
		}
		table.Row(row, "", "%s", c[3])
		if from, to := nave.Level(c[2]).Number(), nave.Level(c[3]).Number(); from-to != 1 && to-from != 1 {
			w.Errorf("from %s to %s in one step", c[2], c[3])
		}
	}
}
