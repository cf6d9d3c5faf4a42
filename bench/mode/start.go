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
	Flags: func(f *flag.FlagSet) func() []Case {
		var o start
		f.IntVar(&o.events, "events", 1_000_000, "events in the log, beside the case of none")
		f.IntVar(&o.times, "times", 5, "how many times it is started; the median counts")
		return func() []Case {
			none := start{times: o.times}
			hub := []string{server.Hub}
			return []Case{
				{"start empty", hub, startColumns, none.run},
				{fmt.Sprintf("start %d", o.events), hub, startColumns, o.run},
			}
		}
	},
}

var startColumns = []Column{
	{"ready", "until ready", milliseconds},
	{"ready killed", "after kill -9", milliseconds},
	rssColumn,
	{"log", "log", megabytes},
	{"program", "program", megabytes},
	{"stripped", "stripped", megabytes},
}

type start struct{ events, times int }

func (o start) run(ctx context.Context, k *server.Kit, name string) (Figures, error) {
	data, err := k.Data()
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(data)
	if err := o.fill(ctx, k, name, data); err != nil {
		return nil, err
	}
	f := Figures{}
	var ready []float64
	for i := range 1 + o.times {
		took, rss, err := o.once(ctx, k, name, data)
		if err != nil {
			return nil, err
		}
		if i == 0 { // the one that filled it was killed
			f["ready killed"] = took
			continue
		}
		ready = append(ready, took)
		f["rss"] = rss
	}
	f["ready"] = Median(ready)
	return f, o.sizes(ctx, k, f, data)
}

// once starts it, and ends it in good order.
func (o start) once(ctx context.Context, k *server.Kit, name, data string) (ms, rss float64, err error) {
	begin := time.Now()
	s, err := k.StartHub(ctx, name, data)
	if err != nil {
		return 0, 0, err
	}
	ms = time.Since(begin).Seconds() * 1e3
	usage, err := s.Usage()
	if err != nil {
		_ = s.Kill()
		return 0, 0, err
	}
	return ms, float64(usage.RSS) / 1e6, s.Terminate()
}

// fill publishes by arrays of as many as the hub takes, and kills the hub.
func (o start) fill(ctx context.Context, k *server.Kit, name, data string) error {
	const (
		topics, connections = 1000, 8
		array               = 1000
	)
	s, err := k.StartHub(ctx, name, data)
	if err != nil {
		return err
	}
	defer s.Kill()
	loop, err := load.NewLoop()
	if err != nil {
		return err
	}
	defer loop.Close()
	t := load.Topics{Prefix: "board/", N: topics}
	pubs, err := load.NewPublishers(loop, s.Addr, t, load.NewLedger(t))
	if err != nil {
		return err
	}
	if err := pubs.Open(connections); err != nil {
		return err
	}
	begun := 0
	pubs.Next = func(q *load.Request) bool {
		if begun == o.events {
			return false
		}
		q.Events = min(array, o.events-begun)
		q.Topic, q.Due = begun/array%topics, load.Now()
		begun += q.Events
		return true
	}
	pubs.Work()
	if _, err := loop.Run(ctx, 5*time.Minute, func() bool { return begun == o.events && pubs.Unanswered() == 0 }); err != nil {
		return err
	}
	if pubs.Accepted != int64(o.events) {
		return fmt.Errorf("%d of %d events were accepted", pubs.Accepted, o.events)
	}
	return nil
}

// sizes adds those of the log, of the program as make build makes it, and of the
// same without symbols.
func (o start) sizes(ctx context.Context, k *server.Kit, f Figures, data string) error {
	size, err := sizeOf(data)
	if err != nil {
		return err
	}
	f["log"] = size
	if o.events > 0 {
		return nil
	}
	if f["program"], err = sizeOf(k.Binary()); err != nil {
		return err
	}
	stripped, err := k.Stripped(ctx)
	if err != nil {
		return err
	}
	f["stripped"], err = sizeOf(stripped)
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
