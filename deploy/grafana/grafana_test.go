// Package grafana makes the dashboard, and holds it and the alerts to what a hub
// really exports: a metric that is renamed, or has no panel, fails here.
package grafana

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the dashboard")

func TestDashboardIsAsItIsMade(t *testing.T) {
	want, err := dashboard()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("nave.json", want, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := read(t, "nave.json"); !bytes.Equal(got, want) {
		t.Error("nave.json is not what panels_test.go says: go test ./deploy/grafana -update")
	}
}

// imported is what the tests read of a dashboard.
type imported struct {
	Panels []struct {
		ID                       int
		Type, Title, Description string
		GridPos                  struct{ X, Y, W, H int }
		Targets                  []struct{ Expr, LegendFormat string }
	}
	Templating struct {
		List []struct{ Name, Type, Definition string }
	}
}

func TestDashboardShowsWhatAHubExports(t *testing.T) {
	var board imported
	if err := json.Unmarshal(read(t, "nave.json"), &board); err != nil {
		t.Fatal(err)
	}
	hub := exportedByAHub(t)
	asked := map[string]bool{}
	for _, p := range board.Panels {
		if p.Type == "row" {
			continue
		}
		if !strings.HasSuffix(p.Description, ".") || len(p.Targets) == 0 || p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("panel %q needs a description, a query and a place", p.Title)
		}
		for _, q := range p.Targets {
			a := hub.ask(q.Expr)
			a.mayShow(legendLabel, q.LegendFormat)
			for _, problem := range a.problems {
				t.Errorf("panel %q: %s\n%s", p.Title, problem, q.Expr)
			}
			maps.Copy(asked, a.metrics)
		}
	}
	for _, name := range hub.families() {
		if !slices.ContainsFunc([]string{"", "_bucket", "_sum", "_count"}, func(part string) bool { return asked[name+part] }) {
			t.Errorf("no panel shows %s", name)
		}
	}
	variables := 0
	for _, v := range board.Templating.List {
		if v.Type != "query" {
			continue
		}
		variables++
		m := regexp.MustCompile(`^label_values\((.+), (job|instance)\)$`).FindStringSubmatch(v.Definition)
		if m == nil {
			t.Errorf("variable %s: %s", v.Name, v.Definition)
		} else if a := hub.ask(m[1]); a.problems != nil {
			t.Errorf("variable %s: %s", v.Name, a.problems)
		}
	}
	if len(board.Panels) < 40 || variables != 2 {
		t.Errorf("%d panels and %d variables: is this all?", len(board.Panels), variables)
	}
}

var legendLabel = regexp.MustCompile(`{{ *([a-zA-Z_]\w*) *}}`)

// What the other tests rely on.
func TestWhatIsNotExportedIsNoticed(t *testing.T) {
	hub := exportedByAHub(t)
	for expr, want := range map[string]string{
		`nave_gone_total`:                                                                       "no hub exports nave_gone_total",
		`rate(nave_publish_duration_seconds[5m])`:                                               "no hub exports nave_publish_duration_seconds",
		`nave_log_size_bytes{durability="durable"}`:                                             `nave_log_size_bytes has no label durability`,
		`nave_publish_refused_total{error_type="full"}`:                                         `error_type of nave_publish_refused_total is never "full"`,
		`nave_publish_refused_total{error_type!~"busy|x"}`:                                      `error_type of nave_publish_refused_total is never "x"`,
		`nave_delivery_duration_seconds_bucket{le="0.2"}`:                                       `le of nave_delivery_duration_seconds_bucket is never "0.2"`,
		`sum by (topic) (nave_log_offset)`:                                                      "topic is no label of what it is by",
		`up / on (version) nave_log_offset`:                                                     "version is no label of what it is by",
		`histogram_quantile(0.9, sum by (job) (rate(nave_append_duration_seconds_bucket[5m])))`: "le is no label of what it is by",
		`rate(nave_log_offset[5m])`:                                                             "nave_log_offset is no counter",
		`sum(`:                                                                                  "parse error",
	} {
		if got := hub.ask(expr).problems; len(got) == 0 || !strings.Contains(got[0], want) {
			t.Errorf("%s: %q, want %q", expr, got, want)
		}
	}
	a := hub.ask(`sum by (job) (nave_log_offset)`)
	if a.mayShow(legendLabel, "{{instance}} of {{job}}"); len(a.problems) != 1 {
		t.Errorf("a label that was summed away: %q", a.problems)
	}
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
