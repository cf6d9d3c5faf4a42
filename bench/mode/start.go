//go:build linux

package mode

import (
	"context"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/navehub/nave/bench/load"
	"github.com/navehub/nave/bench/server"
)

var startMode = Mode{
	Name: "start",
	Doc:  "from the start of the hub until it is ready, and the size of its program",
	Flags: func(f *flag.FlagSet) func() ([]Case, error) {
		var o start
		numberVar(f, &o.events, "events", 1_000_000, mostEvents, "events in the log, beside the case of none")
		numberVar(f, &o.times, "times", 5, 1000, "how many times it is started; the median counts")
		return func() ([]Case, error) {
			none := start{times: o.times}
			return []Case{
				{Name: "start empty", Servers: durable, Able: durable, Columns: startColumns, Run: none.run},
				{Name: fmt.Sprintf("start %d", o.events), Servers: durable, Able: durable, Columns: startColumns, Run: o.run},
			}, nil
		}
	},
}

var startColumns = []Column{
	{"ready", "until ready", milliseconds},
	{"ready killed", "after kill -9", milliseconds},
	rssColumn,
	{"log", "log", megabytes},
	{"program", "program", megabytes},
}

type start struct{ events, times int }

func (o start) run(ctx context.Context, k *server.Kit, name string) (Figures, error) {
	data, err := k.Data()
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(data)
	full, err := o.fill(ctx, k, name, data)
	if err != nil {
		return nil, err
	}
	f := Figures{}
	var ready []float64
	if f["ready killed"], _, err = full.again(ctx, k, name, full.check); err != nil {
		return nil, err
	}
	for range o.times {
		took, rss, err := full.again(ctx, k, name, nil)
		if err != nil {
			return nil, err
		}
		ready = append(ready, took)
		f["rss"] = rss
	}
	f["ready"] = Median(ready)
	return f, o.sizes(k, f, data)
}

// filled is a log that a hub was killed over, and what was accepted into it.
type filled struct {
	data      string
	topics    load.Topics
	ledger    *load.Ledger
	beginning load.Cursor
}

// again starts a hub on it, lets it be checked when the time is taken, and ends the
// hub in good order.
func (l *filled) again(ctx context.Context, k *server.Kit, name string, check func(context.Context, *server.Kit, *server.Server) error) (ms, rss float64, err error) {
	begin := time.Now()
	s, err := k.StartHub(ctx, name, l.data)
	if err != nil {
		return 0, 0, err
	}
	ms = time.Since(begin).Seconds() * 1e3
	usage, err := s.Usage()
	if err == nil && check != nil {
		err = check(ctx, k, s)
	}
	if err != nil {
		_ = s.Kill()
		return 0, 0, err
	}
	return ms, float64(usage.RSS) / 1e6, s.Terminate()
}

// check reads everything back.
func (l *filled) check(ctx context.Context, k *server.Kit, s *server.Server) error {
	r, err := attach(k, s, l.topics)
	if err != nil {
		return err
	}
	defer r.loop.Close()
	r.ledger = l.ledger
	return r.readBack(ctx, l.beginning)
}

// fill publishes by arrays of as many as the hub takes, and kills the hub.
func (o start) fill(ctx context.Context, k *server.Kit, name, data string) (*filled, error) {
	const topics, connections = 1000, 8
	s, err := k.StartHub(ctx, name, data)
	if err != nil {
		return nil, err
	}
	r, err := attach(k, s, load.Topics{Prefix: "board/", N: topics})
	if err != nil {
		return nil, err
	}
	defer r.loop.Close()
	defer s.Kill()
	beginning, err := r.cursor(ctx)
	if err != nil {
		return nil, err
	}
	if err := r.pubs.Open(connections); err != nil {
		return nil, err
	}
	return &filled{data, r.topics, r.ledger, beginning}, r.publish(ctx, int64(o.events), 5*time.Minute, o.arrays(topics))
}

func (o start) arrays(topics int) func(*load.Request) bool {
	const array = 1000
	begun := 0
	return func(q *load.Request) bool {
		if begun == o.events {
			return false
		}
		q.Events = min(array, o.events-begun)
		q.Topic, q.Due = begun/array%topics, load.Now()
		begun += q.Events
		return true
	}
}

// sizes adds those of the log and of the program.
func (o start) sizes(k *server.Kit, f Figures, data string) (err error) {
	if f["log"], err = sizeOf(data); err != nil || o.events > 0 {
		return err
	}
	f["program"], err = sizeOf(k.Program)
	return err
}

// sizeOf is how many megabytes a file has, or all files in a folder.
func sizeOf(path string) (sum float64, err error) {
	err = filepath.WalkDir(path, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			sum += float64(info.Size()) / 1e6
		}
		return err
	})
	return sum, err
}
