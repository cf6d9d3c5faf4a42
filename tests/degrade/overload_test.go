package degrade

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/spoke"
	"github.com/navehub/nave/tests/trial"
)

// Publishers exceed what the hub can take, which it says to them, and gives up what is
// worth least; when they are fewer again all is as before.
func TestPublishersExceedCapacity(t *testing.T) {
	clients, flooders := trial.Pick(25, 300), trial.Pick(64, 256)
	table := trial.NewTable(t, "overload-levels", "publishers exceed what the hub can take")
	hub := trial.CheckedHub(t, hold())
	all := gather(t, hub, clients)
	levels := watchLevel(t, hub)
	load := publish(t, hub, 20*time.Millisecond, number)
	time.Sleep(time.Second)

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var flooding sync.WaitGroup
	var accepted, refused atomic.Int64
	for range flooders {
		flooding.Go(func() { flood(ctx, newClient(t, hub, nil), &accepted, &refused) })
	}
	levels.await(time.Minute, nave.LevelShed, nave.LevelConserve, nave.LevelPolling)
	time.Sleep(trial.Pick(time.Second, 20*time.Second))
	stop()
	flooding.Wait()
	ended := time.Now()
	levels.await(3*time.Minute, nave.LevelNormal)
	back := time.Since(ended)
	want := load.end()

	table.Row("clients, and publishers that flood", "", "%d, %d", clients, flooders)
	table.Row("events acknowledged, of one publisher among them", "", "%d", len(want))
	table.Row("batches of the others that were accepted", "", "%d", accepted.Load())
	table.Row("and refused", "", "%d", refused.Load())
	table.Row("the longest that one event took", "", "%v", load.longest.Round(time.Millisecond))
	levels.tell(table)
	all.heard(table)
	table.Row("from the end of the flood to normal", "", "%v", back.Round(100*time.Millisecond))
	all.judge(table, want)
}

// flood publishes batches without pause.
func flood(ctx context.Context, hub *spoke.Client, accepted, refused *atomic.Int64) {
	batch := make([]nave.Event, 50)
	for i := range batch {
		batch[i] = nave.Event{Topic: "a/flood", Type: "moved", Data: number(i)}
	}
	for ctx.Err() == nil {
		if _, err := hub.PublishOnce(ctx, batch...); err == nil {
			accepted.Add(1)
		} else {
			refused.Add(1)
			time.Sleep(10 * time.Millisecond)
		}
	}
}
