package dashboard

import (
	"fmt"
	"testing"
	"time"

	"github.com/navehub/nave/tests/harness"
	"github.com/navehub/nave/tests/trial"
)

// A page that is open beside a crowd costs neither the hub nor the browser much: what is
// shown is a page of rows, and a figure for the others.
func TestCrowdIsShownInPages(t *testing.T) {
	crowd := trial.Pick(1_000, 10_000)
	measure := trial.Pick(3*time.Second, 20*time.Second)
	hub := trial.NewHub(t, trial.Program(t), fmt.Sprintf("NAVE_LIMITS_CONNECTIONS=%d", crowd+100))
	hub.Files = crowd + 1_000
	trial.Begin(t, hub)
	people := &harness.Crowd{Addr: hub.Addr, Size: crowd, Filters: func(i int) []string { return []string{fmt.Sprintf("boards/%d/**", i)} }}
	people.Come(t.Context())
	t.Cleanup(people.Leave)
	if err := people.Await(trial.Within(t, 2*time.Minute), crowd, harness.IsConnected); err != nil {
		t.Fatal(err)
	}
	busy := func() float64 { // in cores
		before := trial.Usage(t, hub).CPU
		time.Sleep(measure)
		return float64(trial.Usage(t, hub).CPU-before) / float64(measure)
	}
	time.Sleep(2 * time.Second) // for what the arrival has left to do
	alone := busy()
	b := open(t, hub.URL(""))
	b.shows("#status-text", live)
	b.until(fmt.Sprintf("document.querySelector('#now-clients').textContent.replaceAll(',', '') == %d", crowd+1))
	watched := busy()
	b.scrollTo("#connections-panel")
	b.shows("#connections-shown", fmt.Sprintf("1–50 of %d,%03d", (crowd+1)/1000, (crowd+1)%1000))
	listed := busy()
	b.picture("crowd")
	b.write("#search", fmt.Sprintf("boards/%d/", crowd-1))
	b.shows("#connections-shown", "1–1 of 1")
	b.write("#search", "")
	b.press(" ", "\b")
	b.shows("#connections-shown", "1–50 of")
	b.click("#next")
	b.shows("#connections-shown", "51–100 of")
	b.click("#previous")
	b.shows("#connections-shown", "1–50 of")
	elements := eval[int](b, "document.querySelectorAll('*').length")
	t.Logf("%d connections: the hub takes %.3f cores alone, %.3f with the page, %.3f with its list of connections in sight; the page has %d elements",
		crowd, alone, watched, listed, elements)
	if listed > alone+0.5 {
		t.Errorf("a page takes %.2f cores of the hub", listed-alone)
	}
	if elements > 3_000 {
		t.Errorf("the page has %d elements", elements)
	}
}
