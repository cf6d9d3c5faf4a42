package telemetry

import (
	"regexp"
	"strings"
	"testing"

	"github.com/navehub/nave"
)

var wellFormed = regexp.MustCompile(`^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$`)

// FuzzTraceContext: of a trace context that a publisher sends there remains one
// that everybody can read, or nothing.
func FuzzTraceContext(f *testing.F) {
	const good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	for _, parent := range []string{
		good, "01" + good[2:], "", "00-", strings.ToUpper(good), "01" + good[2:] + "-more", "ff" + good[2:], "01" + good[2:] + "\r\nX: y", good + "\x00", " " + good,
		"00-00000000000000000000000000000000-b7ad6b7169203331-01", "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", good[:54] + "é",
		"01" + good[2:] + strings.Repeat("-x", 10_000), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ff",
	} {
		f.Add(parent, "a=1,b=2")
	}
	for _, state := range []string{"", "a", "a=1,a=2", "=", "a=\r\n", "a=\u2028", strings.Repeat("a=1,", 33), "a=" + strings.Repeat("x", 600), "A=1", "a@b=c", ",,,"} {
		f.Add(good, state)
	}
	f.Fuzz(func(t *testing.T, parent, state string) {
		e := nave.Event{Topic: "a", Type: "b", TraceParent: parent, TraceState: state}
		sc := creation(&e)
		if sc.IsValid() != (e.TraceParent != "") || e.TraceParent == "" && e.TraceState != "" {
			t.Errorf("%q, %q becomes %q, %q", parent, state, e.TraceParent, e.TraceState)
		}
		if e.TraceParent == "" {
			return
		}
		if !wellFormed.MatchString(e.TraceParent) || !strings.HasPrefix(parent[2:], e.TraceParent[2:53]) {
			t.Errorf("%q becomes %q", parent, e.TraceParent)
		}
		again := e
		if sameSpan := creation(&again); sameSpan.SpanID() != sc.SpanID() || sameSpan.TraceID() != sc.TraceID() || again.TraceParent != e.TraceParent {
			t.Errorf("%q is %v, read again %v", parent, sc, sameSpan)
		}
	})
}
