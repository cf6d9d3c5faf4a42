package disk

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/navehub/nave/tests/harness"
	"github.com/navehub/nave/tests/trial"
)

var damageSeed = flag.Uint64("seed", 0, "damage the files in this one way only")

// A damage does something to a file, which it gets and returns.
var damages = map[string]func(r *rand.Rand, file []byte) []byte{
	"one bit is another": func(r *rand.Rand, file []byte) []byte {
		if len(file) > 0 {
			file[r.IntN(len(file))] ^= 1 << r.IntN(8)
		}
		return file
	},
	"a sector is zero": func(r *rand.Rand, file []byte) []byte {
		clear(stretch(r, file, 512))
		return file
	},
	"a page is noise": func(r *rand.Rand, file []byte) []byte {
		copy(stretch(r, file, 4096), noise(8192))
		return file
	},
	"its end is missing": func(r *rand.Rand, file []byte) []byte { return file[:r.IntN(len(file)+1)] },
	"it has more":        func(_ *rand.Rand, file []byte) []byte { return append(file, noise(5000)...) },
	"it is missing":      func(*rand.Rand, []byte) []byte { return nil },
}

// stretch is a part of the file that begins at a multiple of its size.
func stretch(r *rand.Rand, file []byte, size int) []byte {
	from := r.IntN(len(file)/size+1) * size
	return file[from:min(from+size, len(file))]
}

// What became of a hub whose files were damaged.
const (
	refused = "it does not start, and says that the log is damaged"
	told    = "it starts, readers of what is damaged are told, readiness is red"
	whole   = "it starts, and everything is there"
	silent  = "it starts, and events are missing without a word"
)

// saysSo is how a hub refuses a directory. A mark that was damaged may say anything.
var saysSo = regexp.MustCompile(`is damaged|is not a log|holds something else|(newer|older) than this program`)

// Whatever happens to its files, a hub does not lose an acknowledged event in
// silence.
func TestDamagedFiles(t *testing.T) {
	table := trial.NewTable(t, "damaged", "a file of the log is damaged while the hub is down")
	data, want := writtenLog(t)
	first, last := uint64(1), uint64(trial.Pick(60, 2000))
	if *damageSeed > 0 {
		first, last = *damageSeed, *damageSeed
	}
	found := make(map[string]int)
	for seed := first; seed <= last; seed++ {
		what, became := damageOnce(t, seed, data, want)
		found[became]++
		if became == silent {
			t.Errorf("-seed %d: %s: %s", seed, what, became)
		}
		if seed%50 == 0 {
			t.Logf("%d of %d", seed, last)
		}
	}
	table.Row("events that were acknowledged, in tables and in the write-ahead log", "", "%d", len(want))
	table.Row("kinds of files × kinds of damage, tried at random", "", "%d", last-first+1)
	for _, became := range []string{whole, told, refused} {
		table.Row(became, "", "%d", found[became])
	}
	table.Count(silent, found[silent])
}

// writtenLog is the directory of a hub that was killed, and what it had
// acknowledged: some in tables, some in the write-ahead log only.
func writtenLog(t *testing.T) (data string, want map[string]string) {
	t.Helper()
	hub := hubOn(t, t.TempDir())
	want = make(map[string]string)
	for part := range 2 {
		for batch := range 40 - 25*part {
			var events []harness.Event
			for i := range 100 {
				e := event(fmt.Sprintf("cards/%d", i%7), fmt.Sprintf("%d-%d-%d", part, batch, i), noise(1200))
				want[e.ID] = fmt.Sprintf("%q", e.Data)
				events = append(events, e)
			}
			trial.Publish(t, hub, events...)
		}
		if err := hub.Kill(); err != nil {
			t.Fatal(err)
		}
		if part == 0 {
			trial.Begin(t, hub)
		}
	}
	return hub.Data, want
}

func damageOnce(t *testing.T, seed uint64, data string, want map[string]string) (what, became string) {
	t.Helper()
	dir, err := os.MkdirTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.CopyFS(filepath.Join(dir, "data"), os.DirFS(data)); err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(seed, 0))
	what = damageAFile(t, r, filepath.Join(dir, "data"))
	hub := trial.NewHub(t, trial.Program(t), "NAVE_LOG_MIN_FREE=0")
	hub.Data = filepath.Join(dir, "data")
	defer hub.Kill()
	if err := hub.Start(trial.Within(t, 10*time.Second)); err != nil && strings.Contains(err.Error(), "ended before it was ready") {
		if !saysSo.MatchString(err.Error()) {
			t.Errorf("-seed %d: %s: the hub does not say that its log is damaged: %v", seed, what, err)
		}
		return what, refused
	}
	return what, examine(t, hub, want)
}

// damageAFile chooses a kind of file first, or most would be tables.
func damageAFile(t *testing.T, r *rand.Rand, dir string) (what string) {
	t.Helper()
	kind := []string{"*.log", "*.sst", "MANIFEST-*", "OPTIONS-*", "marker.*", "NAVE-LOG", "NAVE-HEAD"}[r.IntN(7)]
	files, err := filepath.Glob(filepath.Join(dir, kind))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %v %v", kind, files, err)
	}
	slices.Sort(files)
	name := files[r.IntN(len(files))]
	how := slices.Sorted(maps.Keys(damages))[r.IntN(len(damages))]
	file, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if kind == "*.log" { // most of it is zeros that are there in advance
		file = file[:min(len(file), len(bytes.TrimRight(file, "\x00"))+8<<10)]
	}
	if file = damages[how](r, file); file == nil {
		err = os.Remove(name)
	} else {
		err = os.WriteFile(name, file, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Base(name) + ": " + how
}

// examine replays the whole log.
func examine(t *testing.T, hub *harness.Process, want map[string]string) (became string) {
	t.Helper()
	all := &harness.Subscriber{URL: hub.URL("/v1/events"), Filters: []string{"cards/*"}}
	all.Resume(epochOf(t, hub) + "-0")
	ctx, leave := context.WithCancel(t.Context())
	var following sync.WaitGroup
	following.Go(func() { all.Follow(ctx) })
	defer following.Wait() // with the trial it would keep all that it has seen, 2,000 times
	defer leave()
	isTold := func() bool {
		return slices.ContainsFunc(all.Verdicts(), func(v string) bool { return v == "reset damaged" })
	}
	const still = 15 * time.Second // without another event: there are no more
	for seen, since := 0, time.Now(); !isTold() && all.Count() < len(want) && time.Since(since) < still; {
		if n := all.Count(); n > seen {
			seen, since = n, time.Now()
		}
		time.Sleep(5 * time.Millisecond)
	}
	for _, e := range all.Seen() {
		if want[e.ID] != string(e.Data) {
			t.Errorf("event %s at %d is not what was published", e.ID, e.Offset)
		}
	}
	switch {
	case isTold():
		if status, text := trial.Get(t, hub, "/readyz"); status != 503 || !strings.Contains(text, "damaged") {
			time.Sleep(1100 * time.Millisecond) // it is asked once a second
			if status, text = trial.Get(t, hub, "/readyz"); status != 503 {
				t.Errorf("a reader was told of damage, and readiness is %d %s", status, text)
			}
		}
		return told
	case all.Count() == len(want):
		return whole
	}
	t.Logf("%d of %d, told %v", all.Count(), len(want), all.Verdicts())
	return silent
}

// epochOf asks for the state, which comes with a cursor.
func epochOf(t *testing.T, hub *harness.Process) string {
	t.Helper()
	_, text := trial.Get(t, hub, "/v1/state?topic=none")
	_, rest, _ := strings.Cut(text, `"cursor":"`)
	epoch, _, ok := strings.Cut(rest, "-")
	if !ok {
		t.Fatalf("state has no cursor: %s", text)
	}
	return epoch
}
