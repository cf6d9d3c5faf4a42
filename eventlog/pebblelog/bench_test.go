package pebblelog

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog"
)

var payload = []byte(`{"text":"` + strings.Repeat("x", 200) + `"}`)

// cards is a group of n publishers' events, each with an id and a key.
func cards(from, n int) []eventlog.Batch {
	group := make([]eventlog.Batch, n)
	for i := range group {
		at := from + i
		group[i] = eventlog.Batch{
			Durability: nave.Durable,
			Time:       time.Now(),
			Events: []nave.Event{{
				Topic: nave.Topic(fmt.Sprintf("cards/board-%d", at%1000)), Type: "card.moved",
				Key: fmt.Sprintf("card-%d", at%10000), ID: fmt.Sprintf("%016x", uint64(at)*0x9e3779b97f4a7c15), Source: "bench",
				Time: time.Now(), Data: payload,
			}},
		}
	}
	return group
}

func openBench(b *testing.B) *Log {
	l, err := Open(context.Background(), b.TempDir(), Options{Logger: quiet})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	return l
}

func fill(b *testing.B, l *Log, n int) {
	for at := 0; at < n; at += 1000 {
		if _, err := l.Append(context.Background(), cards(at, 1000)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, size := range []int{1, 16, 128} {
		b.Run(fmt.Sprintf("group=%d", size), func(b *testing.B) {
			l := openBench(b)
			at := 0
			for b.Loop() {
				b.StopTimer()
				group := cards(at, size)
				b.StartTimer()
				if _, err := l.Append(context.Background(), group); err != nil {
					b.Fatal(err)
				}
				at += size
			}
			b.ReportMetric(float64(at)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

func BenchmarkReadOneTopicAmong100k(b *testing.B) {
	l := openBench(b)
	fill(b, l, 50_000)
	for i := range 10 {
		group := cards(i, 1)
		group[0].Events[0].Topic, group[0].Events[0].ID = "quiet", ""
		if _, err := l.Append(context.Background(), group); err != nil {
			b.Fatal(err)
		}
	}
	fill(b, l, 50_000)
	for _, f := range []nave.Filter{"quiet", "qu/**", "*"} {
		b.Run(strings.ReplaceAll(string(f), "/", "_"), func(b *testing.B) {
			for b.Loop() {
				if _, err := l.Read(context.Background(), 0, nave.Filters{f}, eventlog.Limit{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkReplay(b *testing.B) {
	const events = 100_000
	l := openBench(b)
	fill(b, l, events)
	for b.Loop() {
		for after, more := uint64(0), true; more; {
			p, err := l.Read(context.Background(), after, nave.Filters{"**"}, eventlog.Limit{})
			if err != nil {
				b.Fatal(err)
			}
			after, more = p.Next, p.More
		}
	}
	b.ReportMetric(events*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
