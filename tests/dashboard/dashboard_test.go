package dashboard

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/navehub/nave"
	"github.com/navehub/nave/auth"
	"github.com/navehub/nave/tests/trial"
)

const live = "Live"

func TestSignIn(t *testing.T) {
	h := startHub(t, locked)
	b := open(t, h.url)
	b.shows("#door h2", "Sign in")
	b.hides("#page, nav")

	b.write("#token", "nonsense")
	b.press(keyEnter)
	b.shows("#door-why", "The hub says: ")

	b.write("#token", h.token(map[string][]string{"subscribe": {"**"}, "admin": {"clients"}}))
	b.press(keyEnter)
	b.shows("#door", "The hub says: the token does not let its bearer administer health.")
	b.hides("#page")

	token := h.token(map[string][]string{"admin": {"health"}})
	b.write("#token", token)
	b.click("#sign-in button")
	b.shows("#status-text", live)
	b.shows("#level-word", "normal")
	b.scrollTo("#breakers-panel")
	b.shows("#breakers-trouble", "administer breakers") // what else it lacks is said in its place
	b.scrollTo("#connections-panel")
	b.shows("#connections-trouble", "administer clients")
	b.click("#follow")
	b.shows("#inspector-trouble", "subscribe to **")

	where := eval[string](b, "location.href + document.cookie + JSON.stringify(localStorage) + performance.getEntriesByType('resource').map(r => r.name)")
	if strings.Contains(where, token) || strings.Contains(where, "token") {
		t.Errorf("the token can be seen in %s", where)
	}
	b.do(chromedp.Reload())
	b.shows("#status-text", live) // this tab keeps it
	b.click("#sign-out")
	b.shows("#door h2", "Sign in")
	b.hides("#page")
	if kept := eval[int](b, "sessionStorage.length"); kept != 0 {
		t.Errorf("%d things are kept after signing out", kept)
	}
}

func TestTokenThatIsRevoked(t *testing.T) {
	h := startHub(t, locked)
	b := open(t, h.url)
	b.shows("#door h2", "Sign in")
	b.write("#token", h.token(map[string][]string{"admin": {"**"}}))
	b.press(keyEnter)
	b.shows("#status-text", live)
	if err := h.Revoke(t.Context(), auth.Revocation{Subject: "ops", At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	b.shows("#door-why", "revoked")
	b.hides("#page")
}

func TestLiveNumbersMove(t *testing.T) {
	h := startHub(t)
	b := open(t, h.url)
	b.shows("#status-text", live) // nobody has to sign in
	b.hides("#door, #sign-out")
	head := b.text("#log-head")
	h.follow("cards/**", "somebody")
	for i := range 50 {
		h.publish(fmt.Sprintf(`{"topic":"cards/%d","type":"moved","data":%d}`, i%3, i))
	}
	b.until(fmt.Sprintf("document.querySelector('#log-head').textContent !== %q", head))
	b.until("Number(document.querySelector('#now-clients b, #now-clients').textContent) >= 2")
	b.until("document.querySelectorAll('.plot .line-0[d^=M]').length === 8")
	b.until("document.querySelectorAll('#actors tr').length > 8")
	b.shows("#actors th", "journal")
	b.scrollTo("#connections-panel")
	b.shows("#connections", "cards/**")
	b.shows("#connections .tag", "this page")
	at := eval[float64](b, "performance.now()")
	before := b.text("#level-since")
	b.until(fmt.Sprintf("document.querySelector('#level-since').textContent !== %q", before))
	if took := eval[float64](b, "performance.now()") - at; took > 3000 {
		t.Errorf("the page stands still for %.0f ms", took)
	}
}

func TestStreamsOffAndBack(t *testing.T) {
	h := startHub(t)
	b := open(t, h.url)
	b.shows("#status-text", live)
	other := h.follow("cards/**", "somebody")
	b.until("document.querySelector('#now-clients').textContent === '2'")

	b.click("#streams-off")
	b.shows("#hold-means", "2 connections end within seconds, this page's among them")
	b.click("#hold .cancel")
	b.hides("#hold")
	b.click("#streams-off")
	b.click("#hold-yes") // without a reason
	if b.until("document.querySelector('#hold').open"); h.Level() != nave.LevelNormal {
		t.Fatal("the level changes without a reason")
	}
	b.write("#hold-reason", "the new proxy buffers")
	b.picture("hold")
	b.click("#hold-yes")
	b.shows("#status-text", "Polling every 2 s: there are no streams at level polling")
	b.shows("#level-word", "polling")
	b.shows("#pin", "“the new proxy buffers”")
	b.shows("#pin", "Held at polling by anonymous")
	if b.hides("#hold, #streams-off"); h.Level() != nave.LevelPolling {
		t.Fatalf("the level is %s", h.Level())
	}
	select {
	case <-other:
	case <-time.After(patience):
		t.Fatal("another's stream goes on")
	}
	if said := b.text("#announce"); said != "The level is now polling: held by anonymous." {
		t.Errorf("it is announced as %q", said)
	}
	age := b.text("#pin")
	b.until(fmt.Sprintf("document.querySelector('#pin').textContent !== %q", age)) // it polls
	b.picture("polling")

	b.click("#lift")
	b.shows("#confirm", "Then the level follows from the signals")
	b.click("#confirm button[type=submit]")
	b.shows("#level-word", "normal")
	b.shows("#status-text", live)
	if h.Level() != nave.LevelNormal {
		t.Errorf("the level is %s", h.Level())
	}
}

func TestAnyLevelCanBeHeld(t *testing.T) {
	h := startHub(t)
	b := open(t, h.url)
	b.shows("#status-text", live)
	for _, level := range []nave.Level{nave.LevelShed, nave.LevelConserve, nave.LevelOff, nave.LevelNormal} {
		b.click("#hold-another")
		b.click(fmt.Sprintf("#hold input[value=%s]", level))
		b.write("#hold-reason", "a drill")
		b.click("#hold-yes")
		b.shows("#pin", "Held at "+string(level))
		b.shows("#ladder [aria-current]", string(level))
		if h.Level() != level {
			t.Errorf("the level is %s, not %s", h.Level(), level)
		}
		if level == nave.LevelShed || level == nave.LevelConserve {
			b.shows("#status-text", live) // the page is not among what is shed
			age := b.text("#pin")
			b.until(fmt.Sprintf("document.querySelector('#pin').textContent !== %q", age))
		}
	}
	b.shows("#status-text", live)
}

func TestBreakerIsReset(t *testing.T) {
	h := startHub(t)
	b := open(t, h.url)
	b.shows("#status-text", live)
	b.scrollTo("#breakers-panel")
	b.shows("#breakers", "mail")
	for range 2 {
		h.mail.Done(errors.New("no answer"), 0)
	}
	b.shows("#breakers", "2 of 2 calls failed")
	b.shows("#breakers .level-polling", "○ open")
	if err := h.mail.Allow(); err == nil {
		t.Fatal("the breaker is not open")
	}
	b.click("#breakers tr:has(.level-polling) summary")
	b.shows("#breakers .changes", "open: 2 of 2 calls failed")
	b.picture("breakers")
	b.click("#breakers tr:has(.level-polling) button")
	b.shows("#confirm-title", "Reset the breaker mail?")
	b.click("#confirm button[type=submit]")
	b.hides("#confirm")
	b.shows("#breakers .changes", "closed: it was reset by anonymous")
	if err := h.mail.Allow(); err != nil {
		t.Error(err)
	}
}

func TestSomebodyIsDisconnected(t *testing.T) {
	h := startHub(t)
	b := open(t, h.url)
	b.shows("#status-text", live)
	stays, goes := h.follow("boards/stays", "somebody"), h.follow("boards/goes", "somebody else")
	b.scrollTo("#connections-panel")
	b.shows("#connections", "boards/stays")
	b.write("#search", "goes")
	b.shows("#connections-shown", "1–1 of 1")
	b.click("#connections button")
	b.shows("#confirm-about", "follows boards/goes")
	b.click("#confirm .cancel")
	b.hides("#confirm")
	b.click("#connections button")
	b.click("#confirm button[type=submit]")
	select {
	case <-goes:
	case <-stays:
		t.Fatal("the wrong one is disconnected")
	case <-time.After(patience):
		t.Fatal("nobody is disconnected")
	}
	b.shows("#connections-shown", "None matches.")
	select {
	case <-stays:
		t.Error("somebody else is disconnected too")
	default:
	}
	b.shows("#status-text", live)
}

func TestInspector(t *testing.T) {
	h := startHub(t)
	b := open(t, h.url)
	b.shows("#status-text", live)
	b.write("#filter", "cards/**")
	b.click("#follow")
	b.shows("#events", "hub.sync")
	b.click("#own") // a sign of life would be one more
	h.publish(`{"topic":"cards/1","type":"card.moved","key":"card-42","data":{"to":"done","by":{"name":"<img src=x onerror=alert(1)>\u202e"}}}`)
	b.shows("#events", "card.moved")
	b.click("#events li:first-child summary")
	b.shows("#events pre", "\"to\": \"done\"")
	b.shows("#events pre", `<img src=x onerror=alert(1)>\u202e`) // as text, which turns nothing around
	b.picture("inspector")

	b.click("#pause")
	for i := range 7 {
		h.publish(fmt.Sprintf(`{"topic":"cards/1","type":"while.paused","data":%d}`, i))
	}
	b.shows("#inspector-status", "paused, 7 waiting")
	if strings.Contains(b.text("#events"), "while.paused") {
		t.Error("events are shown while it is paused")
	}
	b.click("#pause")
	b.shows("#events", "while.paused")

	var lines strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&lines, `{"topic":"cards/1","type":"flood","data":%d},`, i)
	}
	h.publish("[" + strings.TrimSuffix(lines.String(), ",") + "]")
	b.shows("#events li:first-child", "999")
	if rows := eval[int](b, "document.querySelectorAll('#events li').length"); rows != 300 {
		t.Errorf("%d rows are kept", rows)
	}
	b.click("#clear")
	b.hides("#events li")
	b.click("#follow") // ends it
	h.publish(`{"topic":"cards/1","type":"afterwards"}`)
	b.click("#own")
	b.write("#filter", "$hub/health")
	b.click("#follow")
	b.shows("#events", "hub.health")
	if strings.Contains(b.text("#events"), "afterwards") {
		t.Error("it goes on after its end")
	}
	b.write("#filter", "cards/**/x")
	b.press(keyEnter)
	b.shows("#inspector-trouble", "** must be the last segment")
}

func TestHubThatIsAway(t *testing.T) {
	hub := trial.Hub(t)
	b := open(t, hub.URL(""))
	b.shows("#status-text", live)
	if err := hub.Kill(); err != nil {
		t.Fatal(err)
	}
	b.shows("#status-text", "The hub is away: it cannot be reached. Trying again in")
	b.shows("#status-age", "What you see is")
	b.shows("#level-word", "normal") // what it was
	b.shows("#again", "Try now")
	b.until("document.documentElement.classList.contains('stale')")
	b.picture("away")
	trial.Begin(t, hub)
	b.shows("#status-text", live) // by itself
	b.hides("#again")
	b.until("!document.documentElement.classList.contains('stale') && document.querySelector('#status-age').textContent === ''")
}
