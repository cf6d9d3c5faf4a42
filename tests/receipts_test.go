package tests

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/navehub/nave/tests/trial"
)

// receiptsPage is a page that follows a board, and tells the hub when it has received and
// rendered what: at once by fetch, and, of what is called "later", by a beacon.
const receiptsPage = `<!doctype html><title>board</title><ul id=cards></ul><script type=module>
const hub = new URL(location).searchParams.get('hub')
const now = () => performance.timeOrigin + performance.now()
let connection, every = 0, ahead = -Infinity, trip = Infinity
for (let i = 0; i < 5; i++) {
  const asked = now()
  await fetch(hub + '/livez')
  trip = Math.min(trip, now() - asked)
}
const stream = new EventSource(hub + '/v1/events?topic=board/*')
stream.addEventListener('hub.sync', e => { ({ connection, receipts: every = 0 } = JSON.parse(e.data)) })
stream.addEventListener('hub.heartbeat', e => { ahead = Math.max(ahead, Date.parse(JSON.parse(e.data).time) - now()) })
stream.addEventListener('card.moved', e => {
  const received = now()
  const event = JSON.parse(e.data)
  if (!every || event.offset % every) return
  const card = document.createElement('li')
  card.textContent = event.data
  document.getElementById('cards').append(card)
  requestAnimationFrame(() => requestAnimationFrame(() => { // when the frame with it has been drawn
    const receipts = [{ offset: event.offset, received, rendered: now() }]
    const body = JSON.stringify({ connection, sent: now(), receipts, ...(ahead > -Infinity && { offset: ahead + trip / 2, uncertainty: trip / 2 }) })
    if (event.data === 'later') navigator.sendBeacon(hub + '/v1/receipts', body)
    else fetch(hub + '/v1/receipts', { method: 'POST', body, keepalive: true })
  }))
})
</script>`

// open opens a page in a browser, until the test ends.
func open(t *testing.T, page string) {
	t.Helper()
	browser, err := exec.LookPath("chromium")
	trial.Need(t, err == nil, "chromium")
	cmd := exec.Command(browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
		"--no-first-run", "--disable-background-networking", "--remote-debugging-port=0", "--user-data-dir="+t.TempDir(), page)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // with its children
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("the browser printed:\n%s", output.String())
		}
	})
}

// A traced publisher sends its own span where the hub sends its.
type tracedPublisher struct {
	otlp string
	span *trace.Span
}

func newTracedPublisher(otlp string, id byte) tracedPublisher {
	return tracedPublisher{otlp, &trace.Span{
		Name: "move a card", Kind: trace.Span_SPAN_KIND_PRODUCER, Flags: 1,
		TraceId: bytes.Repeat([]byte{id}, 16), SpanId: bytes.Repeat([]byte{id}, 8),
	}}
}

func (p tracedPublisher) publish(t *testing.T, data string, to func(path string) string) {
	t.Helper()
	p.span.StartTimeUnixNano = uint64(time.Now().UnixNano())
	body := `{"topic":"board/1","type":"card.moved","data":"` + data + `"}`
	post(t, to("/v1/events"), "application/json", []byte(body), "Traceparent",
		fmt.Sprintf("00-%x-%x-01", p.span.TraceId, p.span.SpanId))
	p.span.EndTimeUnixNano = uint64(time.Now().UnixNano())
	export, err := proto.Marshal(&collector.ExportTraceServiceRequest{ResourceSpans: []*trace.ResourceSpans{{
		ScopeSpans: []*trace.ScopeSpans{{Spans: []*trace.Span{p.span}}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	post(t, p.otlp+"/v1/traces", "application/x-protobuf", export)
}

func post(t *testing.T, to, kind string, body []byte, headers ...string) {
	t.Helper()
	req, err := http.NewRequestWithContext(trial.Soon(t), http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", kind)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("POST %s: %s", to, resp.Status)
	}
}

// One trace runs from the publisher's own span over the hub's to the browser's, whichever
// way the browser tells of it.
func TestOneTraceFromPublisherToBrowser(t *testing.T) {
	received := &receiver{}
	otlp := httptest.NewServer(received)
	t.Cleanup(otlp.Close)
	hub := trial.Hub(t,
		"NAVE_TELEMETRY_RECEIPTS=1", "NAVE_CLIENT_HEARTBEAT=1s", "NAVE_TOPICS=[{filter: board/*}]",
		"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="+otlp.URL+"/v1/traces",
		"OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf", "OTEL_TRACES_EXPORTER=otlp", "OTEL_BSP_SCHEDULE_DELAY=50")
	pages := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(receiptsPage))
	}))
	t.Cleanup(pages.Close) // once the browser has gone
	open(t, pages.URL+"/?hub="+url.QueryEscape(hub.URL("")))
	trial.Eventually(t, func() (string, bool) {
		_, text := trial.Get(t, hub, "/metrics")
		return text, strings.Contains(text, "\nnave_connection_active 1\n")
	})
	for id, data := range map[byte]string{0x0a: "now", 0x0b: "later"} {
		p := newTracedPublisher(otlp.URL, id)
		p.publish(t, data, hub.URL)
		want := []string{"POST /v1/events", "append", "fanout", "move a card", "process board/*", "publish", "topic"}
		spans := trial.Eventually(t, func() (map[string]*trace.Span, bool) {
			got := received.of(p.span.TraceId)
			return got, len(got) >= len(want)
		})
		var names []string
		for name := range spans {
			names = append(names, name)
		}
		if slices.Sort(names); !slices.Equal(names, want) {
			t.Errorf("spans = %v, want %v", names, want)
		}
		tree := treeOf(spans, p.span)
		t.Logf("told %s:\n%s", data, tree)
		if n := strings.Count(tree, "\n"); n != len(want) {
			t.Errorf("%d of %d spans hang together", n, len(want))
		}
		browser, fanout := spans["process board/*"], spans["fanout"]
		if !bytes.Equal(browser.ParentSpanId, p.span.SpanId) || browser.Kind != trace.Span_SPAN_KIND_CONSUMER {
			t.Errorf("the browser's span is of kind %s, below %x", browser.Kind, browser.ParentSpanId)
		}
		if links := browser.Links; len(links) != 1 || !bytes.Equal(links[0].SpanId, fanout.SpanId) {
			t.Errorf("links of the browser's span = %v, want one to the fan-out", links)
		}
		if browser.StartTimeUnixNano < fanout.StartTimeUnixNano || browser.EndTimeUnixNano <= browser.StartTimeUnixNano {
			t.Errorf("the browser's span is from %d to %d, and the fan-out begins at %d",
				browser.StartTimeUnixNano, browser.EndTimeUnixNano, fanout.StartTimeUnixNano)
		}
	}
	// A clock of the page's own ticks roughly, so that its word may have been moved.
	_, metrics := trial.Get(t, hub, "/metrics")
	t.Log(regexp.MustCompile(`nave_delivery_receipts_total\{.*`).FindString(metrics))
	for _, line := range []string{
		`nave_delivery_received_duration_seconds_count{nave_topic_class="board/*"} 2`,
		`nave_delivery_rendered_duration_seconds_count{nave_topic_class="board/*"} 2`,
	} {
		if !strings.Contains(metrics, "\n"+line+"\n") {
			t.Errorf("metrics lack %s", line)
		}
	}
}

// treeOf is a trace as a tree, with what each span took and when it began.
func treeOf(spans map[string]*trace.Span, root *trace.Span) string {
	var tree strings.Builder
	var below func(s *trace.Span, depth int)
	below = func(s *trace.Span, depth int) {
		kind := strings.ToLower(strings.TrimPrefix(s.Kind.String(), "SPAN_KIND_"))
		name := strings.Repeat("  ", depth) + s.Name
		fmt.Fprintf(&tree, "%-24s %-8s at %7.2f ms, took %7.2f ms", name, kind,
			float64(int64(s.StartTimeUnixNano-root.StartTimeUnixNano))/1e6, float64(s.EndTimeUnixNano-s.StartTimeUnixNano)/1e6)
		for _, l := range s.Links {
			fmt.Fprintf(&tree, "  → %s", hex.EncodeToString(l.SpanId))
		}
		tree.WriteByte('\n')
		var children []*trace.Span
		for _, c := range spans {
			if bytes.Equal(c.ParentSpanId, s.SpanId) {
				children = append(children, c)
			}
		}
		slices.SortFunc(children, func(a, b *trace.Span) int {
			return int(int64(a.StartTimeUnixNano - b.StartTimeUnixNano))
		})
		for _, c := range children {
			below(c, depth+1)
		}
	}
	below(root, 0)
	return tree.String()
}
