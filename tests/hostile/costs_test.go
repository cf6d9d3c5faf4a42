package hostile

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/navehub/nave/tests/harness"
	"github.com/navehub/nave/tests/trial"
)

// depth is how many segments a filter of at most 255 bytes may have, about.
const depth = 120

// expensive are filters that share as little as they can, and all begin like
// a/a/a/…, so that this topic leads far into each of them.
func expensive(random *rand.Rand, n int) string {
	var query strings.Builder
	for i := range n {
		query.WriteString("&topic=")
		for range depth {
			query.WriteString(string("*a"[random.IntN(2)]) + "/")
		}
		fmt.Fprintf(&query, "%x", i)
	}
	return query.String()[1:]
}

// tryCosts subscribes to filters that are made to cost memory and time.
func tryCosts(t *testing.T, g *ground, table *trial.Table) {
	streams := trial.Pick(100, 1000)
	random := rand.New(rand.NewPCG(1, 2)) // any will do
	plain := latency(t, g, "a")
	var conns []net.Conn
	defer func() {
		for _, conn := range conns {
			conn.Close()
		}
	}()
	for range streams {
		conn, err := net.Dial("tcp", g.hub.Addr)
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, conn)
		if _, err := io.WriteString(conn, get("/v1/events?"+expensive(random, 100))); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(conn, make([]byte, len("HTTP/1.1 200 OK"))); err != nil {
			t.Fatal(err)
		}
	}
	used := trial.Usage(t, g.hub)
	each := (used.RSS - g.before.RSS) / int64(streams)
	const most = 256 << 10
	table.Row(fmt.Sprintf("memory of a stream with 100 filters of %d segments", depth), fmt.Sprintf("at most %d KB", most>>10), "%d KB", each>>10)
	if each > most {
		t.Errorf("a stream with expensive filters costs %d KB, more than %d", each>>10, most>>10)
	}
	deep := strings.TrimSuffix(strings.Repeat("a/", depth), "/")
	table.Row(fmt.Sprintf("publishing beside %d: to a topic that leads into all of them, to another, without them", streams), "",
		"%v, %v, %v", latency(t, g, deep+"/x"), latency(t, g, "a"), plain)
	start := time.Now()
	if err := g.probe(t, 3*patience); err != nil { // behind all of these publishes
		t.Errorf("beside expensive filters the hub is not there for others: %v", err)
	}
	table.Row("the next event of a bystander arrives after", "30s or less", "%v", time.Since(start).Round(time.Millisecond))
	tryMultiplying(t, g, table)
	g.end(t)
}

// latency is the middle one of some publishes.
func latency(t *testing.T, g *ground, topic string) time.Duration {
	const tries = 21
	var took []time.Duration
	for range tries {
		start := time.Now()
		trial.Publish(t, g.hub, harness.Event{Topic: topic, Type: "t"})
		took = append(took, time.Since(start))
	}
	return middle(took).Round(10 * time.Microsecond)
}

func middle(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}

// tryMultiplying has many events keep what came once, in the headers.
func tryMultiplying(t *testing.T, g *ground, table *trial.Table) {
	const stored, events, most = `nave_log_size_bytes{nave_durability="durable"}`, 1000, 2 << 20
	var state []string
	for i := range 30 {
		state = append(state, fmt.Sprintf("a%d=%s", i, strings.Repeat("x", 250)))
	}
	a := attack{
		send: post("["+strings.Repeat(event+",", events-1)+event+"]",
			"Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "Tracestate: "+strings.Join(state, ",")),
		want: ok(`"offset":`),
	}
	before := metric(t, g.hub, stored)
	got, err := a.run(t, g.hub.Addr)
	if err == nil {
		err = a.want.judge(got)
	}
	if err != nil {
		t.Errorf("a long state of a trace: %v", err)
	}
	grown := metric(t, g.hub, stored) - before
	table.Row(fmt.Sprintf("stored of %d small events with a trace state of %d bytes", events, len(strings.Join(state, ","))),
		fmt.Sprintf("at most %d KB", most>>10), "%d KB", grown>>10)
	if grown > most {
		t.Errorf("%d events of %d bytes take %d KB in the log, more than %d", events, len(event), grown>>10, most>>10)
	}
}
