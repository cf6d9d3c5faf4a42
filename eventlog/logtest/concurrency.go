package logtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog"
)

// rounds is how many batches the writer of a concurrent test appends: enough to
// meet the readers at every step, and quick on a real disk.
const rounds = 150

// writing appends a batch a round while the others run, each of which is done
// when it has seen the last round.
func (x *fixture) writing(round func(i int) eventlog.Batch, others ...func() error) {
	x.Helper()
	var wg sync.WaitGroup
	for _, other := range others {
		wg.Go(func() {
			if err := other(); err != nil {
				x.Error(err)
			}
		})
	}
	for i := range rounds {
		x.add(round(i))
	}
	wg.Wait()
}

func numbered(topic nave.Topic, key string, i int) nave.Event {
	return keyed(topic, key, strconv.Itoa(i))
}

var concurrencyRules = []rule{
	{says: "readers beside a writer see every batch whole, once and in order", test: func(x *fixture) {
		reader := func(f nave.Filter, each int) func() error {
			return func() error {
				after, seen := uint64(0), 0
				for seen < rounds*each {
					p, err := x.log.Read(context.Background(), after, nave.Filters{f}, eventlog.Limit{Events: 1 + rand.IntN(9)})
					if err != nil {
						return err
					}
					if len(p.Events)%each != 0 {
						return fmt.Errorf("page after %d has %d events, which is not whole batches of %d", after, len(p.Events), each)
					}
					for _, e := range p.Events {
						if want := strconv.Itoa(seen / each); string(e.Data) != want || e.Offset <= after {
							return fmt.Errorf("event %d after %d is of round %s, want %s", e.Offset, after, e.Data, want)
						}
						seen++
					}
					after = p.Next
				}
				return nil
			}
		}
		x.writing(func(i int) eventlog.Batch {
			b := []func(...nave.Event) eventlog.Batch{durable, memory}[i%2]
			return b(numbered("a", "", i), numbered("b", "", i), numbered("a", "", i))
		}, reader("**", 3), reader("a", 2), reader("b", 1), reader("*", 3))
	}},
	{says: "a snapshot beside a writer is of one moment, from which reading goes on", test: func(x *fixture) {
		x.writing(func(i int) eventlog.Batch {
			if i%2 == 0 {
				return memory(numbered("a", "k", i), numbered("b", "k", i))
			}
			return durable(numbered("a", "k", i), numbered("b", "k", i))
		}, x.followState)
	}},
	{says: "readers beside retention get everything, or are told", options: eventlog.Options{
		Durable: eventlog.Retention{Bytes: 2000}, Memory: eventlog.Retention{Bytes: 2000},
	}, test: func(x *fixture) {
		x.writing(func(i int) eventlog.Batch {
			if i%3 == 0 {
				x.trim(noon.Add(time.Duration(i)))
			}
			return []func(...nave.Event) eventlog.Batch{durable, memory}[i%2](numbered("a", "", i), event("b"))
		}, x.followRetention, x.followRetention)
	}},
}

// followState takes snapshots until it sees the last round, comparing each with
// what is read after it.
func (x *fixture) followState() error {
	for {
		s, err := x.log.State(context.Background(), everything)
		if err != nil {
			return err
		}
		var data []string
		for e, err := range s.Events() {
			if err != nil {
				return err
			}
			data = append(data, string(e.Data))
		}
		offset := s.Offset()
		if err := s.Close(); err != nil {
			return err
		}
		round := int(offset)/2 - 1
		if want := strconv.Itoa(round); round >= 0 && (len(data) != 2 || data[0] != want || data[1] != want) {
			return fmt.Errorf("snapshot at %d is of rounds %v, want %s twice", offset, data, want)
		}
		p, err := x.log.Read(context.Background(), offset, everything, eventlog.Limit{Events: 1})
		if err != nil {
			return err
		}
		if len(p.Events) > 0 && string(p.Events[0].Data) != strconv.Itoa(round+1) {
			return fmt.Errorf("after the snapshot of round %d comes round %s", round, p.Events[0].Data)
		}
		if round == rounds-1 {
			return nil
		}
	}
}

// followRetention reads until the last round, starting over where it can when
// it is told that events are missing; it must never skip a round unless told.
func (x *fixture) followRetention() error {
	after, next := uint64(0), 0
	for next < rounds {
		p, err := x.log.Read(context.Background(), after, nave.Filters{"a"}, eventlog.Limit{Events: 2})
		if nave.CodeOf(err) == nave.CodeReset {
			after, next = x.log.Oldest(nave.Filters{"a"}), -1
			continue
		}
		if err != nil {
			return err
		}
		for _, e := range p.Events {
			if got := string(e.Data); next >= 0 && got != strconv.Itoa(next) {
				return fmt.Errorf("event %d is of round %s, want %d", e.Offset, got, next)
			}
			round, err := strconv.Atoi(string(e.Data))
			if err != nil {
				return err
			}
			next = round + 1
		}
		after = p.Next
	}
	return nil
}
