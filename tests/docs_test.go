package tests

import (
	"cmp"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// snippet is code in a document that stands in a file too: <!-- file --> for most
// of it, <!-- file#name --> for a part; then the code.
var snippet = regexp.MustCompile("(?s)<!-- ([a-z/.]+)(#[a-z]+)? -->\n```go\n(.*?)```")

// What documents show is what the examples are.
func TestDocumentsShowTheExamples(t *testing.T) {
	documents, err := filepath.Glob("../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, document := range append(documents, "../README.md") {
		text, err := os.ReadFile(document)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range snippet.FindAllStringSubmatch(string(text), -1) {
			found++
			code, err := os.ReadFile(filepath.Join("..", m[1]))
			if err != nil {
				t.Fatalf("%s: %v", document, err)
			}
			if !strings.Contains(string(code), m[3]) {
				t.Errorf("%s shows of %s what is not there:\n%s", document, m[1], m[3])
			}
		}
	}
	if found < 2 {
		t.Errorf("%d snippets found, want those of README.md and docs/extending.md", found)
	}
}

// named is a test that a document names, and where it is if that is said: `TestCORS`
// (`httpapi`).
var named = regexp.MustCompile("`(Test[A-Za-z]+)`(?: \\(`([a-z_/.]+)`\\))?")

// Documents name the tests of what they promise; each exists, and where they say.
func TestDocumentsNameTestsThatExist(t *testing.T) {
	files := testFiles(t)
	for document, folder := range map[string]string{"README.md": "", "docs/threat-model.md": "tests/access"} {
		text, err := os.ReadFile("../" + document)
		if err != nil {
			t.Fatal(err)
		}
		names := named.FindAllStringSubmatch(string(text), -1)
		for _, name := range names {
			where := cmp.Or(name[2], folder)
			if !slices.ContainsFunc(files[name[1]], func(file string) bool {
				return where == "" || where == file || where == path.Dir(file)
			}) {
				t.Errorf("%s names %s of %q, which is in %q", document, name[1], where, files[name[1]])
			}
		}
		if len(names) < 8 {
			t.Errorf("%s names only %d tests", document, len(names))
		}
	}
}

// testFiles are the files that have a test of that name.
func testFiles(t *testing.T) map[string][]string {
	t.Helper()
	declared := regexp.MustCompile(`(?m)^func (Test[A-Za-z]+)\(t \*testing\.T\)`)
	files := make(map[string][]string)
	root := os.DirFS("..")
	err := fs.WalkDir(root, ".", func(file string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(file, "_test.go") {
			return err
		}
		code, err := fs.ReadFile(root, file)
		for _, m := range declared.FindAllStringSubmatch(string(code), -1) {
			files[m[1]] = append(files[m[1]], file)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// Every trial has a place for its table on the page, and begins its table before it tries
// anything: then it has taken some time.
func TestTrialsHaveTheirPlace(t *testing.T) {
	text, err := os.ReadFile("../docs/reliability.md")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), ", 0s.\n") {
		t.Error("docs/reliability.md has a trial that took no time: its table was begun at its end")
	}
	found := 0
	name := regexp.MustCompile(`trial\.NewTable\(t, "([a-z-]+)"`)
	err = filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		code, err := os.ReadFile(path)
		for _, m := range name.FindAllStringSubmatch(string(code), -1) {
			found++
			if !strings.Contains(string(text), "<!-- "+m[1]+" -->\n") || !strings.Contains(string(text), "<!-- /"+m[1]+" -->\n") {
				t.Errorf("docs/reliability.md has no place for %s of %s", m[1], path)
			}
		}
		return err
	})
	if err != nil || found < 20 {
		t.Errorf("%d trials found, %v", found, err)
	}
}
