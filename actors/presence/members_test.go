package presence

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/registry"
)

const grace = 10 * time.Second

// A table is Members, with a clock, and with what people who look at it see.
type table struct {
	t *testing.T
	*Members
	rows map[string]registry.Member // by topic and subject
	now  time.Time
}

func (r *table) PutMember(m registry.Member)    { r.rows[string(m.Topic)+" "+m.Subject] = m }
func (r *table) RemoveMember(m registry.Member) { delete(r.rows, string(m.Topic)+" "+m.Subject) }

func newTable(t *testing.T) *table {
	r := &table{t: t, rows: make(map[string]registry.Member), now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	r.Members = New(grace, r)
	return r
}

func (r *table) join(id uint64, subject string, topics ...nave.Topic) {
	r.Join(&Connection{ID: id, Who: Who{Subject: subject}, Topics: topics, Connected: r.now})
}

func (r *table) leave(id uint64) { r.Leave(id, r.now) }

func (r *table) pass(d time.Duration) {
	r.now = r.now.Add(d)
	r.Expire(r.now)
}

// told is what there is to tell, each message as a line.
func (r *table) told() []string {
	r.t.Helper()
	lines := []string{}
	for r.News() {
		messages := r.Take(r.now, 1<<20)
		if len(messages) == 0 { // by number, and not now
			break
		}
		for _, m := range messages {
			lines = append(lines, lineOf(r.t, m))
		}
	}
	return lines
}

func lineOf(t *testing.T, m Message) string {
	t.Helper()
	d := dataOf(t, m)
	line := fmt.Sprintf("%s %d", d.Topic, d.Total)
	if m.To != nil {
		line += fmt.Sprint(" to ", m.To)
	}
	if d.Members != nil {
		line += " members"
	}
	for _, one := range d.Members {
		line += " " + one.Subject
	}
	for _, c := range d.Changes {
		line += fmt.Sprintf(" %s:%s", c.Change, c.Subject)
	}
	return line
}

func dataOf(t *testing.T, m Message) (d Data) {
	t.Helper()
	if err := json.Unmarshal(m.Event.Data, &d); err != nil {
		t.Fatal(err)
	}
	if m.Event.Type != "hub.presence" || m.Event.Topic != "$presence/"+d.Topic {
		t.Errorf("event = %+v", m.Event)
	}
	return d
}

func (r *table) expect(lines ...string) {
	r.t.Helper()
	if got := r.told(); !slices.Equal(got, lines) {
		r.t.Errorf("told\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(lines, "\n"))
	}
}

func TestMembersComeAndGo(t *testing.T) {
	r := newTable(t)
	r.join(1, "alice", "a", "b")
	r.expect("a 1 join:alice", "b 1 join:alice")
	r.join(2, "alice", "a") // another tab
	r.join(2, "alice", "a")
	r.join(3, "bob", "a")
	r.expect("a 2 join:bob")
	r.leave(1)
	r.leave(1)
	r.pass(grace)
	r.expect("b 0 leave:alice") // she has a tab on a
	r.leave(2)
	r.leave(3)
	r.pass(grace - 1)
	r.expect()
	r.join(4, "alice", "a") // the page was loaded anew
	r.pass(1)
	r.expect("a 1 leave:bob")
	r.pass(time.Hour)
	r.expect()
	if got := r.rows["a alice"]; len(r.rows) != 1 || len(got.Connections) != 1 || got.Connections[0].ID != "4" || r.Count() != 1 {
		t.Errorf("rows = %v", r.rows)
	}
	if since := r.rows["a alice"].Since; !since.Equal(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)) {
		t.Errorf("alice is there since %v, although she never left", since)
	}
	r.Close()
	if len(r.rows) > 0 {
		t.Errorf("rows after the end: %v", r.rows)
	}
}

func TestWhoPollsIsThereForTheGracePeriod(t *testing.T) {
	r := newTable(t)
	alice := Who{Subject: "alice"}
	r.Seen(alice, []nave.Topic{"a"}, r.now)
	r.expect("a 1 join:alice")
	r.pass(grace - 1)
	r.Seen(alice, []nave.Topic{"a"}, r.now)
	r.pass(grace - 1)
	r.expect()
	r.join(1, "alice", "a")
	r.Seen(alice, []nave.Topic{"a"}, r.now)
	r.pass(time.Hour) // she has a connection
	r.expect()
	r.leave(1)
	r.Seen(alice, []nave.Topic{"a"}, r.now)
	next, ok := r.Next()
	if want := r.now.Add(grace); !ok || !next.Equal(want) {
		t.Errorf("next = %v, %t; want %v", next, ok, want)
	}
	r.pass(grace)
	r.expect("a 0 leave:alice")
}

func TestIdleIsWhoIsIdleEverywhere(t *testing.T) {
	r := newTable(t)
	r.join(1, "alice", "a")
	r.join(2, "alice", "a")
	r.expect("a 1 join:alice")
	r.SetIdle(1, true)
	r.SetIdle(9, true)
	r.expect()
	r.SetIdle(2, true)
	r.expect("a 1 idle:alice")
	r.leave(1)
	r.leave(2) // and in the grace period she is what she was
	r.expect()
	r.join(3, "alice", "a")
	r.expect("a 1 active:alice")
	r.SetIdle(3, true)
	r.SetIdle(3, false)
	r.expect()
	if c := r.rows["a alice"].Connections; len(c) != 1 || c[0].Idle {
		t.Errorf("connections = %+v", c)
	}
}

// What comes and goes before it is told was not there for others.
func TestOnlyTheDifferenceIsTold(t *testing.T) {
	r := newTable(t)
	r.join(1, "alice", "a")
	r.join(2, "bob", "a")
	r.leave(2)
	r.pass(grace)
	r.SetIdle(1, true)
	r.expect("a 1 join:alice")
	r.leave(1)
	r.pass(grace)
	r.join(3, "alice", "a")
	r.expect("a 1 active:alice")
}

func TestListsComeAfterWhatTheyHaveInThem(t *testing.T) {
	r := newTable(t)
	r.join(1, "alice", "a", "b")
	r.join(2, "bob", "a")
	r.Listen(1)
	r.Listen(2)
	r.Listen(9)
	r.expect("a 2 join:alice join:bob", "b 1 join:alice", "a 2 to [1 2] members alice bob", "b 1 to [1] members alice")
	r.Listen(2)
	r.leave(2)
	r.expect() // it has left
	r.Whole()
	r.expect("a 2 members alice bob", "b 1 members alice")
	r.pass(grace)
	r.leave(1)
	r.pass(grace)
	r.Whole()
	r.expect("a 0 members", "b 0 members")
	if len(r.topics) > 0 {
		t.Errorf("topics without members: %v", r.topics)
	}
}

// A connection's lists are not apart, and none comes before a change that waits.
func TestWhatIsTooMuchWaits(t *testing.T) {
	r := newTable(t)
	for i := range 20 {
		r.join(uint64(i), "alice", nave.Topic(fmt.Sprint("t", i%10)), "all")
		r.Listen(uint64(i))
	}
	var lines []string
	for r.News() {
		messages := r.Take(r.now, 1000)
		size := 0
		for _, m := range messages {
			size += m.Event.Size()
			lines = append(lines, lineOf(t, m))
		}
		if size > 8000 { // a change, and the lists of a connection, may go beyond
			t.Errorf("%d bytes at once", size)
		}
	}
	lists := slices.IndexFunc(lines, func(l string) bool { return strings.Contains(l, "members") })
	if changes := lines[:lists]; len(changes) != 11 {
		t.Errorf("before the first list:\n%s", strings.Join(changes, "\n"))
	}
	for _, line := range lines[lists:] {
		if !strings.Contains(line, "members") {
			t.Errorf("%s comes after a list", line)
		}
	}
}

func TestWhatReachesNobodyIsToldAgain(t *testing.T) {
	r := newTable(t)
	r.join(1, "alice", "a")
	r.join(2, "bob", "a")
	r.Listen(2)
	r.Untold(r.Take(r.now, 1<<20))
	r.join(3, "carol", "a")
	r.expect("a 3 members alice bob carol", "a 3 to [2] members alice bob carol")
	r.leave(1)
	r.leave(2)
	r.leave(3)
	r.pass(grace)
	r.Untold(r.Take(r.now, 1<<20)) // nobody is there to be told
	r.expect()
}

func TestCrowdsAreToldByTheirNumber(t *testing.T) {
	r := newTable(t)
	for i := range Named {
		r.join(uint64(i), fmt.Sprintf("s%03d", i), "a")
	}
	if lines := r.told(); len(lines) != 1 || strings.Count(lines[0], "join:") != Named {
		t.Errorf("told %.300v", lines)
	}
	r.join(1000, "one too many", "a")
	r.Listen(1000)
	r.expect("a 251", "a 251 to [1000]")
	r.join(1001, "another", "a")
	r.expect() // not yet
	r.pass(time.Second)
	r.expect("a 252")
	for i := range Named - namedAgain + 2 {
		r.leave(uint64(i))
	}
	r.pass(grace)
	lines := r.told()
	if len(lines) != 1 || !strings.HasPrefix(lines[0], "a 200 members another") || strings.Contains(lines[0], ":") {
		t.Errorf("told %.300v, want all members of a", lines)
	}
	r.leave(1001)
	r.pass(grace)
	r.expect("a 199 leave:another")
}

func TestOfAMemberSomeConnectionsAreShown(t *testing.T) {
	r := newTable(t)
	for i := range 30 {
		r.join(uint64(30-i), "alice", "a")
	}
	row := r.rows["a alice"]
	if len(row.Connections) != Shown || row.Connections[0].ID != "1" || row.More != 20 {
		t.Errorf("row = %+v", row)
	}
}

func TestSubjectsAreTheirIssuers(t *testing.T) {
	r := newTable(t)
	for i, who := range []Who{{Subject: "x"}, {Subject: "x", Issuer: "i"}, {Subject: "x", Anonymous: true}} {
		r.Join(&Connection{ID: uint64(i), Who: who, Topics: []nave.Topic{"a"}, Connected: r.now})
	}
	r.expect("a 3 join:x join:x join:x")
}

func TestTopicsOfPresence(t *testing.T) {
	if of, ok := Of(TopicOf("boards/7")); !ok || of != "boards/7" {
		t.Errorf("of = %s, %t", of, ok)
	}
	if _, ok := Of("boards/7"); ok {
		t.Error("boards/7 is a topic of presence")
	}
}

// Whoever polls for ever more topics leaves room for others, and is forgotten like them.
func TestPollsOfOneAreBounded(t *testing.T) {
	r := newTable(t)
	for i := range 3 * mostOfOne {
		r.Seen(Who{Subject: "mallory"}, []nave.Topic{nave.Topic(fmt.Sprint("t", i))}, r.now)
	}
	r.Seen(Who{Subject: "mallory"}, []nave.Topic{"t1"}, r.now)
	r.Seen(Who{Subject: "alice"}, []nave.Topic{"a"}, r.now)
	if n := r.Count(); n != mostOfOne+1 {
		t.Errorf("%d members", n)
	}
	r.Expire(r.now.Add(time.Hour))
	if r.Count() != 0 || len(r.of) != 0 {
		t.Errorf("%d members are left, %v", r.Count(), r.of)
	}
}
