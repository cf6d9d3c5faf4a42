// Package crash tries what kill -9 does to a hub, at any moment, again and again:
// while it accepts, commits and delivers, and while it starts.
//
// Publishers send single events, batches over several topics, and events with
// conditions. What has no answer they send again under the same ids, until there
// is one; of what has an answer they send some again as well, often after several
// crashes, and must hear the same. Some publishes they give up in the middle and
// never know what became of them. Subscribers resume by their cursors alone, and
// some leave and come back by themselves all the time. What both wrote down is
// judged by package history.
//
// All topics of TestCrashes are durable: no crash may cost anybody a reset. Memory
// topics, which a crash empties, have TestCrashesBesideMemory, where those who
// follow them may be told so, and nobody else.
//
// What a process has handed to the kernel survives the process: a sync that comes
// too late goes unnoticed here, and only a power cut shows it. This tries the order
// of what the hub does, and what it keeps to itself for too long.
package crash

import (
	"cmp"
	"flag"
	"fmt"
	"testing"

	"github.com/navehub/nave/tests/trial"
)

var (
	rounds = flag.Int("rounds", 0, "how often a hub that is ready is killed; 0 is 10 times, and 200 with -long")
	seed   = flag.Uint64("seed", 0, "of all that is random; 0 draws one")
)

func TestMain(m *testing.M) { trial.Main(m) }

// 50 subscribers follow what 16 publishers send, and the hub is killed in rounds.
// Everybody sees everything once, in one order, and is never told anything but
// recovered; the state is what the last event of each key says; and the log, read
// from its beginning, still has all of it.
func TestCrashes(t *testing.T) {
	table := trial.NewTable(t, "crash", "kill -9, again and again")
	r := newRun(t)
	for i := range 50 {
		r.follower(durableFilters(i)).start()
	}
	everything := r.followers[0]
	r.kill(16, 0, cmp.Or(*rounds, trial.Pick(10, 200)))
	reader := r.follower([]string{"**"})
	reader.Resume(everything.beginning())
	reader.start()
	r.settle()
	r.report(table)
	table.Count("keys whose state is not their last event", r.wrongState(everything))
}

// Durable and memory topics share one order. A crash takes what was in memory, and
// the offsets of what it took are not given to anything else: whoever saw an event
// there must not take a later one for seen. Followers of memory topics have seen
// what was acknowledged, or are told that they missed it; the others notice nothing.
func TestCrashesBesideMemory(t *testing.T) {
	table := trial.NewTable(t, "crash-memory", "kill -9 beside memory topics")
	r := newRun(t, `NAVE_TOPICS=[{filter: session/**, durability: memory}]`)
	for i := range 10 {
		r.follower(withoutMemory(i)).start()
	}
	for i := range 10 {
		f := r.follower(memoryFilters(i))
		f.notes.MayReset()
		f.start()
	}
	r.kill(4, 4, (cmp.Or(*rounds, trial.Pick(10, 200))+1)/2)
	r.settle()
	r.report(table)
	table.Row("resets told to followers of memory topics", "", "%d", r.resets())
}

// durableFilters are everything, patterns, and lists of topics.
func durableFilters(i int) []string {
	switch i % 5 {
	case 0:
		return []string{"**"}
	case 1:
		return []string{"cards/*"}
	case 2:
		return []string{"orders/**", "*/1", "lists/board/*"}
	case 3:
		return []string{topics[i%len(topics)]}
	default:
		var list []string
		for k := range 6 {
			list = append(list, topics[(i+k*5)%len(topics)])
		}
		return list
	}
}

// withoutMemory are like them, but none matches a memory topic or its neighbours.
func withoutMemory(i int) []string {
	switch filters := durableFilters(i); i % 5 {
	case 0:
		return []string{"cards/**", "orders/**", "users/**", "lists/**"}
	case 2:
		return []string{"orders/**", "cards/1", "lists/board/*"}
	default:
		return filters
	}
}

func memoryFilters(i int) []string {
	switch i % 3 {
	case 0:
		return []string{"session/**"}
	case 1:
		return []string{memoryTopics[i%len(memoryTopics)]}
	default:
		return []string{"**"}
	}
}

// topics are the durable ones, under four first segments.
var topics = func() (all []string) {
	for i := range 6 {
		all = append(all, fmt.Sprintf("cards/%d", i), fmt.Sprintf("orders/%d", i),
			fmt.Sprintf("users/%d", i), fmt.Sprintf("lists/board/%d", i))
	}
	return all
}()

var memoryTopics = []string{"session/0", "session/1", "session/2"}
