package actors

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Only these directories may know that there is a protoactor.
var knowProtoactor = map[string]bool{"actors": true, "supervision": true}

func TestNobodyElseImportsProtoactor(t *testing.T) {
	const root = ".."
	files := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); path != root && (name[0] == '.' || name == "node_modules" || name == "testdata") {
				return fs.SkipDir
			}
			return nil
		}
		dir, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil || filepath.Ext(path) != ".go" || knowProtoactor[filepath.ToSlash(dir)] {
			return err
		}
		files++
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, i := range f.Imports {
			if p, _ := strconv.Unquote(i.Path.Value); strings.HasPrefix(p, "github.com/asynkron/") {
				t.Errorf("%s imports %s", path, p)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files == 0 {
		t.Error("no files seen")
	}
}
