package registry_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/navehub/nave"
	"github.com/navehub/nave/registry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const flush = 5 * time.Millisecond

func ids(r *registry.Registry) []string {
	var ids []string
	r.Snapshot().EachClient(func(c *registry.Client) { ids = append(ids, c.ID) })
	return ids
}

func TestRowsAreWrittenTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := registry.New(flush)
		defer r.Close()
		before := r.Snapshot()

		r.PutClient(registry.Client{ID: "b"})
		time.Sleep(flush - 1)
		r.PutClient(registry.Client{ID: "a"})
		synctest.Wait()
		if got := ids(r); got != nil {
			t.Errorf("clients before the flush = %v", got)
		}

		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if got, want := ids(r), []string{"a", "b"}; !slices.Equal(got, want) {
			t.Errorf("clients after the flush = %v, want %v", got, want)
		}
		if n := before.Count().Clients; n != 0 {
			t.Errorf("a snapshot taken before has %d clients, want 0", n)
		}
	})
}

func TestLastPutOfARowCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := registry.New(flush)
		defer r.Close()
		r.PutClient(registry.Client{ID: "a", Lag: registry.LagSeconds})
		r.PutClient(registry.Client{ID: "a"})
		r.PutClient(registry.Client{ID: "passing"})
		r.RemoveClient("passing")
		r.RemoveClient("back")
		r.PutClient(registry.Client{ID: "back"})
		r.RemoveClient("never there")
		time.Sleep(flush)
		synctest.Wait()
		if got, want := ids(r), []string{"a", "back"}; !slices.Equal(got, want) {
			t.Errorf("clients = %v, want %v", got, want)
		}
		if a, _ := r.Snapshot().Client("a"); a.Lagging() {
			t.Errorf("a = %+v, want what was put last", a)
		}
	})
}

func TestCloseWritesWhatHasGathered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := registry.New(time.Hour)
		r.PutClient(registry.Client{ID: "a"})
		r.Close()
		r.Close()
		r.PutClient(registry.Client{ID: "late"})
		synctest.Wait()
		if got, want := ids(r), []string{"a"}; !slices.Equal(got, want) {
			t.Errorf("clients = %v, want %v", got, want)
		}
	})
}

// filled is a registry with what the queries below are asked about.
func filled(t *testing.T) registry.Snapshot {
	t.Helper()
	r := registry.New(0)
	now := time.Now()
	for _, c := range []registry.Client{
		{ID: "1", Filters: nave.Filters{"cards/board-1", "users/**"}, State: registry.Live},
		{ID: "2", Filters: nave.Filters{"cards/*"}, State: registry.CatchingUp, Lag: registry.LagMinutes},
		{ID: "3", Filters: nave.Filters{"users/**"}, State: registry.Live, Lag: registry.LagSeconds},
	} {
		r.PutClient(c)
	}
	r.PutTopic(registry.Topic{Name: "b", Created: now})
	r.PutTopic(registry.Topic{Name: "a", Durability: nave.Durable, Created: now})
	r.PutTopic(registry.Topic{Name: "gone"})
	r.RemoveTopic("gone")
	r.Close()
	return r.Snapshot()
}

func TestQueries(t *testing.T) {
	s := filled(t)
	var seen []string
	s.EachClient(func(c *registry.Client) { seen = append(seen, c.ID+string(c.Filters[0])) })
	if want := []string{"1cards/board-1", "2cards/*", "3users/**"}; !slices.Equal(seen, want) {
		t.Errorf("each client = %q, want %q", seen, want)
	}

	if c, ok := s.Client("2"); !ok || c.ID != "2" || c.Filters[0] != "cards/*" {
		t.Errorf("client 2 = %v, %t", c, ok)
	}
	if c, ok := s.Client("20"); ok {
		t.Errorf("client 20 = %v, want none", c)
	}
	var names []nave.Topic
	for topic := range s.Topics() {
		names = append(names, topic.Name)
	}
	if want := []nave.Topic{"a", "b"}; !slices.Equal(names, want) {
		t.Errorf("topics = %v, want %v", names, want)
	}
	want := registry.Counts{Clients: 3, Lagging: 2}
	if diff := cmp.Diff(want, s.Count()); diff != "" {
		t.Errorf("counts: -want +got:\n%s", diff)
	}
}

func TestMembersAreOfTheirTopic(t *testing.T) {
	r := registry.New(0)
	for _, m := range []registry.Member{
		{Topic: "a", Subject: "bob"}, {Topic: "a", Subject: "alice", Issuer: "i"}, {Topic: "a", Subject: "alice"},
		{Topic: "a", Subject: "alice", Anonymous: true}, {Topic: "a", Subject: "x\x00y", Issuer: "z"}, {Topic: "a", Subject: "x", Issuer: "y\x00z"},
		{Topic: "a/b", Subject: "carol"}, {Topic: "b", Subject: "alice"}, {Topic: "0", Subject: "zoe"},
	} {
		r.PutMember(m)
	}
	r.PutMember(registry.Member{Topic: "a", Subject: "bob", Idle: true})
	r.PutMember(registry.Member{Topic: "a", Subject: "gone"})
	r.RemoveMember(registry.Member{Topic: "a", Subject: "gone", Idle: true})
	r.Close()
	var got []string
	last := ""
	for name, m := range r.Snapshot().Members("a") {
		got = append(got, fmt.Sprintf("%q %q %t %t", m.Subject, m.Issuer, m.Anonymous, m.Idle))
		if name <= last {
			t.Errorf("%q comes after %q", name, last)
		}
		last = name
	}
	want := []string{
		`"alice" "" false false`, `"alice" "" true false`, `"alice" "i" false false`, `"bob" "" false true`,
		`"x" "y\x00z" false false`, `"x\x00y" "z" false false`,
	}
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Errorf("members = %v, want %v", got, want)
	}
	for range r.Snapshot().Members("a") {
		break
	}
	for _, m := range r.Snapshot().Members("nothing") {
		t.Errorf("a member of nothing: %v", m)
	}
}

func TestQueriesCanBeLeft(t *testing.T) {
	s := filled(t)
	for range s.Topics() {
		break
	}
}

func TestRowsCannotBeCorrupted(t *testing.T) {
	r := registry.New(0)
	mine := registry.Client{ID: "a", Filters: nave.Filters{"cards/*"}}
	r.PutClient(mine)
	mine.Filters[0] = "mine"
	r.Close()
	s := r.Snapshot()
	c, _ := s.Client("a")
	c.Filters[0] = "theirs"
	if c, _ = s.Client("a"); c.Filters[0] != "cards/*" {
		t.Errorf("filter = %s, want cards/*", c.Filters[0])
	}
}

func TestLag(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "none", time.Millisecond: "<1s", time.Second: "<10s", 10 * time.Second: "<1m", time.Minute: ">=1m",
	} {
		text, err := registry.LagOf(d).MarshalText()
		if err != nil || string(text) != want {
			t.Errorf("lag of %s = %s, %v; want %s", d, text, err, want)
		}
	}
	if got := registry.Lag(9).String(); got != "lag(9)" {
		t.Errorf("an unknown lag is %s", got)
	}
}

func Example() {
	r := registry.New(registry.DefaultFlush)
	r.PutClient(registry.Client{ID: "1", Filters: nave.Filters{"cards/*"}, State: registry.Live})
	r.PutClient(registry.Client{ID: "2", Filters: nave.Filters{"users/**"}, State: registry.CatchingUp})
	r.Close() // writes what has gathered; else it is there some milliseconds later

	now := r.Snapshot()
	if c, ok := now.Client("1"); ok {
		fmt.Println(c.Filters, c.State)
	}
	fmt.Println(now.Count().Clients)
	// Output:
	// [cards/*] live
	// 2
}
