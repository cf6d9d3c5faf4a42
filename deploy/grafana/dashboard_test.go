package grafana

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// promise is the service level objective of propagation, in seconds.
const promise = 0.1

type row struct {
	title  string
	panels []panel
}

type panel struct {
	title, about string
	queries      []query
	kind         kind
	unit         string  // Grafana's name of it
	width        int     // of 24; 0 is 8
	limit        float64 // what is above is bad; 0: there is none
	least        float64 // what is below is bad; 0: there is none
	stacked      bool
	states       bool // 1 is up, 0 is down
	names        bool // the legend is shown, not the value
}

type kind int

const (
	series kind = iota
	stat
)

type query struct{ expr, legend string }

// quantiles are the median and the 99th percentile of a histogram.
func quantiles(histogram string) []query {
	const expr = "histogram_quantile(%s, sum by (le) (rate(%s_bucket{hub}[$__rate_interval])))"
	return []query{
		{fmt.Sprintf(expr, "0.5", histogram), "p50"},
		{fmt.Sprintf(expr, "0.99", histogram), "p99"},
	}
}

// rates are those of a counter, a second, by some of its labels.
func rates(counter string, by ...string) []query {
	return grouped("rate("+counter+"{hub}[$__rate_interval])", by)
}

// sums are a gauge's, by some of its labels.
func sums(gauge string, by ...string) []query { return grouped(gauge+"{hub}", by) }

func grouped(expr string, by []string) []query {
	if len(by) == 0 {
		by = []string{"instance"}
	}
	return []query{{
		fmt.Sprintf("sum by (%s) (%s)", strings.Join(by, ", "), expr),
		"{{" + strings.Join(by, "}} {{") + "}}",
	}}
}

// named are the queries, all hubs together, under one name.
func named(legend string, queries []query) []query {
	for i, q := range queries {
		queries[i] = query{strings.Replace(q.expr, "sum by (instance) ", "sum", 1), legend}
	}
	return queries
}

type obj map[string]any

var source = obj{"type": "prometheus", "uid": "${datasource}"}

// dashboard makes what Grafana imports: schema 42 is that of Grafana 12, and is
// brought up to date by later ones.
func dashboard() ([]byte, error) {
	var out bytes.Buffer
	to := json.NewEncoder(&out)
	to.SetEscapeHTML(false)
	to.SetIndent("", " ")
	err := to.Encode(obj{
		"uid": "nave", "title": "Nave", "tags": []string{"nave"}, "schemaVersion": 42,
		"description": "An event hub: how it is, and where the time goes. Made by go test ./deploy/grafana -update.",
		"editable":    true, "graphTooltip": 1, "refresh": "30s", "timezone": "",
		"time":        obj{"from": "now-3h", "to": "now"},
		"annotations": obj{"list": []obj{}}, "links": []obj{},
		"templating": obj{"list": []obj{
			{"type": "datasource", "name": "datasource", "label": "Data source", "query": "prometheus"},
			variable("job", "Job", "nave_log_offset"),
			variable("instance", "Instance", `nave_log_offset{job=~"$job"}`),
		}},
		"panels": place(rows),
	})
	return out.Bytes(), err
}

func variable(label, title, of string) obj {
	ask := fmt.Sprintf("label_values(%s, %s)", of, label)
	return obj{
		"type": "query", "name": label, "label": title, "datasource": source,
		"definition": ask, "query": obj{"query": ask, "refId": "PrometheusVariableQueryEditor-VariableQuery"},
		"includeAll": true, "multi": true, "current": obj{"text": []string{"All"}, "value": []string{"$__all"}},
		"refresh": 2, "sort": 1,
	}
}

// place puts panels from left to right, and rows below each other.
func place(rows []row) []obj {
	const whole = 24
	var placed []obj
	y := 0
	add := func(o obj, x, w, h int) {
		o["id"], o["gridPos"] = len(placed)+1, obj{"x": x, "y": y, "w": w, "h": h}
		placed = append(placed, o)
	}
	for _, r := range rows {
		add(obj{"type": "row", "title": r.title, "collapsed": false, "panels": []obj{}}, 0, whole, 1)
		y++
		x, tallest := 0, 0
		for _, p := range r.panels {
			w, h := p.size()
			if x+w > whole {
				x, y, tallest = 0, y+tallest, 0
			}
			add(p.json(), x, w, h)
			x, tallest = x+w, max(tallest, h)
		}
		y += tallest
	}
	return placed
}

func (p panel) size() (width, height int) {
	width, height = p.width, 8
	if width == 0 {
		width = 8
	}
	if p.kind == stat {
		height = 4
	}
	return width, height
}

func (p panel) json() obj {
	o := obj{"title": p.title, "description": p.about, "datasource": source, "targets": p.targets()}
	defaults := obj{"unit": p.unit, "min": 0, "thresholds": p.thresholds()}
	switch p.kind {
	case series:
		o["type"] = "timeseries"
		o["options"] = obj{
			"legend":  obj{"displayMode": "list", "placement": "bottom", "showLegend": true},
			"tooltip": obj{"mode": "multi", "sort": "desc"},
		}
		defaults["custom"] = p.lines()
	case stat:
		o["type"] = "stat"
		o["options"] = obj{
			"colorMode": "value", "graphMode": "area", "textMode": p.text(),
			"reduceOptions": obj{"calcs": []string{"lastNotNull"}},
		}
		if p.states {
			defaults["mappings"] = []obj{{"type": "value", "options": obj{
				"0": obj{"text": "down", "color": "red"}, "1": obj{"text": "up", "color": "green"},
			}}}
		}
	}
	o["fieldConfig"] = obj{"defaults": defaults, "overrides": []obj{}}
	return o
}

func (p panel) text() string {
	if p.names {
		return "name"
	}
	return "auto"
}

func (p panel) targets() []obj {
	var targets []obj
	for i, q := range p.queries {
		targets = append(targets, obj{
			"refId": string(rune('A' + i)), "datasource": source,
			"expr":         strings.ReplaceAll(q.expr, "{hub", `{job=~"$job",instance=~"$instance"`),
			"legendFormat": q.legend,
		})
	}
	return targets
}

func (p panel) thresholds() obj {
	steps := []obj{{"color": "green", "value": nil}}
	switch {
	case p.limit > 0:
		steps = append(steps, obj{"color": "red", "value": p.limit})
	case p.least > 0:
		steps = []obj{{"color": "red", "value": nil}, {"color": "green", "value": p.least}}
	}
	return obj{"mode": "absolute", "steps": steps}
}

func (p panel) lines() obj {
	lines := obj{"lineWidth": 1, "fillOpacity": 10, "showPoints": "never"}
	if p.stacked {
		lines["stacking"] = obj{"mode": "normal"}
	}
	if p.limit > 0 {
		lines["thresholdsStyle"] = obj{"mode": "dashed"}
	}
	return lines
}
