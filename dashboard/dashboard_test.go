package dashboard

import (
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func texts(t *testing.T) map[string]string {
	t.Helper()
	all := make(map[string]string)
	for _, f := range Files() {
		if f.Type == "" || len(f.Body) == 0 || len(f.Tag) != 26 {
			t.Errorf("%s: type %q, tag %s, %d bytes", f.Name, f.Type, f.Tag, len(f.Body))
		}
		all[f.Name] = string(f.Body)
	}
	if all[Page] == "" {
		t.Fatalf("there is no %s among %q", Page, slices.Sorted(maps.Keys(all)))
	}
	return all
}

// Whoever opens the page talks to the hub, and to nobody else.
func TestNothingComesFromElsewhere(t *testing.T) {
	elsewhere := regexp.MustCompile(`(?i)[a-z]+://[^\s'"]*|['"(]//[^\s'")]*|@import|<iframe|<base`)
	for name, text := range texts(t) {
		for _, found := range elsewhere.FindAllString(text, -1) {
			if found != "http://www.w3.org/2000/svg" { // a name, which nobody fetches
				t.Errorf("%s has %s", name, found)
			}
		}
	}
}

// Inline scripts and styles would not run, and what makes markup of text would run
// what a publisher has written.
func TestNothingIsInline(t *testing.T) {
	inline := map[string]*regexp.Regexp{
		".html": regexp.MustCompile(`(?i)<script(?:[^>]*)>[^<]|<style|\sstyle=|\son[a-z]+=|javascript:`),
		".js":   regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|'style'|srcdoc|localStorage`),
		".svg":  regexp.MustCompile(`(?i)<script|<style|\son[a-z]+=|\sstyle=`),
	}
	for name, text := range texts(t) {
		if r := inline[path.Ext(name)]; r != nil {
			for _, found := range r.FindAllString(text, -1) {
				t.Errorf("%s has %s", name, found)
			}
		}
	}
}

// Every file is there that another one names, and each is named by one.
func TestFilesFindEachOther(t *testing.T) {
	all := texts(t)
	named := map[string]bool{Page: true}
	imports := regexp.MustCompile(`from '\./([^']+)'`)
	links := regexp.MustCompile(`(?:href|src)="dashboard/([^"]+)"`)
	for name, text := range all {
		for _, m := range slices.Concat(imports.FindAllStringSubmatch(text, -1), links.FindAllStringSubmatch(text, -1)) {
			if named[m[1]] = true; all[m[1]] == "" {
				t.Errorf("%s names %s, which is not there", name, m[1])
			}
		}
	}
	for name := range all {
		if !named[name] {
			t.Errorf("nothing names %s", name)
		}
	}
}

// Every element is there that a module asks for.
func TestElementsAreThere(t *testing.T) {
	all := texts(t)
	asked := regexp.MustCompile(`\$\('([^']+)'\)|chart\('([^']+)'`)
	found := 0
	for name, text := range all {
		if path.Ext(name) != ".js" {
			continue
		}
		for _, m := range asked.FindAllStringSubmatch(text, -1) {
			id := m[1] + m[2]
			found++
			if n := strings.Count(all[Page], ` id="`+id+`"`); n != 1 {
				t.Errorf("%s asks for #%s, of which there are %d", name, id, n)
			}
		}
	}
	if found < 50 {
		t.Errorf("only %d are asked for", found)
	}
}
