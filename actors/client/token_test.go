package client_test

import (
	"bytes"
	"context"
	"encoding/json"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors"
	"github.com/navehub/nave/actors/client"
	"github.com/navehub/nave/auth"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/frame"
	"github.com/navehub/nave/sse"
)

// bearer is somebody who may read what the filters match, for so long.
func bearer(subject string, life time.Duration, filters ...nave.Filter) *auth.Identity {
	return &auth.Identity{
		Subject: subject, Fingerprint: auth.Digest{1}, Expires: time.Now().Add(life),
		Grant: auth.NewGrant(auth.Filters{Subscribe: filters}),
	}
}

// names are the names of all events that were written, and what hub.auth says.
func (p *page) names(t *testing.T) (all []string) {
	t.Helper()
	r := sse.NewReader(bytes.NewReader(p.text()))
	for {
		e, err := r.Next()
		if err != nil {
			return all
		}
		var said frame.Auth
		if e.Name == frame.AuthName {
			if err := json.Unmarshal(e.Data, &said); err != nil {
				t.Fatal(err)
			}
		}
		all = append(all, e.Name+string(said.Status))
	}
}

func (p *page) wrote(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	if got := p.names(t); len(got) != len(want) {
		t.Fatalf("written is %q, want %q", got, want)
	} else {
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("written is %q, want %q", got, want)
			}
		}
	}
}

// liveFor starts a client that is live.
func liveFor(t *testing.T, who *auth.Identity, out *page) actors.Ref[client.Message] {
	t.Helper()
	ref := spawnFor(t, client.Request{Filters: nave.Filters{"a"}, Who: who, Transport: out}, &past{}, desk{make(chan actors.Ref[client.Message], 8)})
	tell(t, ref, client.Attached{})
	return ref
}

func tell(t *testing.T, ref actors.Ref[client.Message], m client.Message) {
	t.Helper()
	if err := ref.Tell(m); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
}

func TestATokenEndsAfterAWarning(t *testing.T) {
	for life, warned := range map[time.Duration]time.Duration{time.Hour: time.Minute, 5 * time.Minute: 30 * time.Second, 10 * time.Second: time.Second} {
		synctest.Test(t, func(t *testing.T) {
			out := &page{}
			liveFor(t, bearer("alice", life, "a"), out)
			time.Sleep(life - warned - time.Millisecond)
			out.wrote(t, "hub.sync")
			time.Sleep(time.Millisecond)
			out.wrote(t, "hub.sync", "hub.authexpiring")
			time.Sleep(warned - time.Millisecond)
			out.wrote(t, "hub.sync", "hub.authexpiring")
			time.Sleep(time.Millisecond)
			out.wrote(t, "hub.sync", "hub.authexpiring", "hub.authexpired", "hub.bye")
		})
	}
}

// A heartbeat notices the end too: the clock may have jumped over the timer.
func TestAHeartbeatEndsWhatHasExpired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out, who := &page{}, bearer("alice", time.Hour, "a")
		ref := liveFor(t, who, out)
		who.Expires = time.Now().Add(-time.Second)
		tell(t, ref, client.Heartbeat{At: time.Now()})
		out.wrote(t, "hub.sync", "hub.heartbeat", "hub.authexpired", "hub.bye")
	})
}

func TestANewTokenTakesThePlaceOfTheOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &page{}
		ref := liveFor(t, bearer("alice", time.Minute, "a"), out)
		renew := func(who *auth.Identity) error {
			reply := actors.NewReply[struct{}]()
			tell(t, ref, client.Renew{Reply: reply, Who: who})
			_, err := reply.Wait(t.Context())
			return err
		}
		for name, who := range map[string]*auth.Identity{
			"another subject's": bearer("bob", time.Hour, "**"), "one for other topics": bearer("alice", time.Hour, "b"), "none": {Grant: auth.Everything},
		} {
			if err := renew(who); nave.CodeOf(err) != nave.CodeForbidden {
				t.Errorf("%s: %v", name, err)
			}
		}
		time.Sleep(55 * time.Second)
		if err := renew(bearer("alice", time.Hour, "**")); err != nil {
			t.Error(err)
		}
		time.Sleep(58 * time.Minute)
		out.wrote(t, "hub.sync", "hub.authexpiring", "hub.authrenewed")
		time.Sleep(3 * time.Minute)
		out.wrote(t, "hub.sync", "hub.authexpiring", "hub.authrenewed", "hub.authexpiring", "hub.authexpired", "hub.bye")
	})
}

func TestWhoIsAnonymousHasNothingToRenew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, who := range []*auth.Identity{nil, {Grant: auth.Everything}} {
			out := &page{}
			ref := liveFor(t, who, out)
			reply := actors.NewReply[struct{}]()
			tell(t, ref, client.Renew{Reply: reply, Who: bearer("alice", time.Hour, "**")})
			if _, err := reply.Wait(t.Context()); nave.CodeOf(err) != nave.CodeForbidden {
				t.Error(err)
			}
			tell(t, ref, client.Recheck{})
			time.Sleep(time.Hour)
			out.wrote(t, "hub.sync")
		}
	})
}

// mixed is a state of two topics.
type mixed struct{ past }

func (*mixed) State(context.Context, nave.Filters) (eventlog.Snapshot, error) {
	return mixedState{}, nil
}

type mixedState struct{}

func (mixedState) Offset() uint64 { return 2 }
func (mixedState) Close() error   { return nil }
func (mixedState) Events() iter.Seq2[nave.Event, error] {
	return func(yield func(nave.Event, error) bool) {
		_ = yield(nave.Event{Topic: "a", Type: "t", Key: "k", Offset: 1}, nil) && yield(nave.Event{Topic: "b", Type: "t", Key: "k", Offset: 2}, nil)
	}
}

// Whatever a filter lets through, what the grant does not is not written: not live,
// not from history, not as state.
func TestEveryEventIsCheckedAgainstTheGrant(t *testing.T) {
	event := func(topic nave.Topic, offset uint64) *frame.Frame {
		return frame.New("epoch", nave.Event{Topic: topic, Type: "t", Offset: offset, Batch: nave.Position{N: 1}}, time.Now())
	}
	wide := client.Request{Filters: nave.Filters{"**"}}
	for name, run := range map[string]func(t *testing.T, request client.Request){
		"live": func(t *testing.T, request client.Request) {
			ref := spawnFor(t, request, &past{}, desk{make(chan actors.Ref[client.Message], 8)})
			tell(t, ref, client.Attached{})
			tell(t, ref, client.Offer{Frames: []*frame.Frame{event("a", 1), event("b", 2)}, At: time.Now()})
		},
		"from history": func(t *testing.T, request client.Request) {
			request.Cursor = "epoch-0"
			spawnFor(t, request, &past{frames: []*frame.Frame{event("a", 1), event("b", 2)}}, desk{make(chan actors.Ref[client.Message], 8)})
		},
		"as state": func(t *testing.T, request client.Request) {
			request.Snapshot = true
			spawnFor(t, request, &mixed{past{frames: []*frame.Frame{event("a", 1), event("b", 2)}}}, desk{make(chan actors.Ref[client.Message], 8)})
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				out := &page{}
				request := wide
				request.Transport, request.Who = out, bearer("alice", time.Hour, "a")
				run(t, request)
				synctest.Wait()
				if got := out.offsets(t); len(got) != 1 || got[0] != 1 {
					t.Errorf("written are %v, want the event of a alone", got)
				}
			})
		})
	}
}
