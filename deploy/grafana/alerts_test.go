package grafana

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

type ruleFile struct {
	Groups []struct {
		Name  string
		Rules []struct {
			Alert, Expr, For string
			Labels           struct{ Severity string }
			Annotations      struct {
				Summary string
				Runbook string `yaml:"runbook_url"`
			}
		}
	}
}

func TestAlertsAskForWhatAHubExports(t *testing.T) {
	var file ruleFile
	if err := yaml.UnmarshalWithOptions(read(t, "alerts.yaml"), &file, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	const guide = "https://github.com/navehub/nave/blob/main/docs/operations.md#"
	operations := string(read(t, "../../docs/operations.md"))
	sections := anchors(operations)
	hub := exportedByAHub(t)
	seen := map[string]bool{}
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			a := hub.ask(r.Expr)
			a.mayShow(regexp.MustCompile(`\$labels\.(\w+)`), r.Annotations.Summary)
			for _, problem := range a.problems {
				t.Errorf("%s: %s\n%s", r.Alert, problem, r.Expr)
			}
			if seen[r.Alert] || r.For == "" || (r.Labels.Severity != "critical" && r.Labels.Severity != "warning") {
				t.Errorf("%s needs a name of its own, a for and a severity", r.Alert)
			}
			seen[r.Alert] = true
			if s := r.Annotations.Summary; !strings.HasSuffix(s, ".") || strings.Contains(s, ". ") || len(s) < 40 {
				t.Errorf("%s: the summary is not one sentence: %q", r.Alert, s)
			}
			section, ok := strings.CutPrefix(r.Annotations.Runbook, guide)
			if !ok || !slices.Contains(sections, section) {
				t.Errorf("%s: there is no %s", r.Alert, r.Annotations.Runbook)
			}
			if !strings.Contains(operations, "`"+r.Alert+"`") {
				t.Errorf("docs/operations.md does not have %s", r.Alert)
			}
		}
	}
	if len(seen) < 12 {
		t.Errorf("%d alerts: is this all?", len(seen))
	}
	for _, name := range regexp.MustCompile("`(Nave[A-Z]\\w+)`").FindAllStringSubmatch(operations, -1) {
		if !seen[name[1]] {
			t.Errorf("docs/operations.md has %s, which is no alert", name[1])
		}
	}
}

// anchors are those of a document's headings, as GitHub makes them.
func anchors(document string) []string {
	var all []string
	for _, m := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(document, -1) {
		all = append(all, strings.ReplaceAll(strings.ToLower(m[1]), " ", "-"))
	}
	return all
}
