// Package dashboard is the hub's live page, as files: one HTML, one style sheet, some
// ES modules. They are served as they stand here: there is no build, no framework, and
// nothing comes from anywhere else.
//
// The page lives on the hub's own stream and on /v1/admin/…, like any other client:
//
//	main.js         signing in, and what is shown when
//	feed.js         how the hub fares: by stream, or by polling; tells how old it is
//	api.js          requests, with the token
//	level.js …      one module for each part of the page
//	dom.js          making elements; format.js: figures and times for people
package dashboard

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"path"
)

// Page is the name of the file that the others belong to.
const Page = "index.html"

//go:embed page
var page embed.FS

// A File is one of the page's.
type File struct {
	Name string
	// Type is what it is, for Content-Type.
	Type string
	// Tag names its content, for ETag.
	Tag  string
	Body []byte
}

var types = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
}

// Files are all of them. Their bodies must not be changed.
func Files() []File {
	entries, err := fs.ReadDir(page, "page")
	if err != nil {
		panic(err) // it is in the program
	}
	files := make([]File, 0, len(entries))
	for _, e := range entries {
		body, err := page.ReadFile("page/" + e.Name())
		if err != nil {
			panic(err)
		}
		sum := sha256.Sum256(body)
		files = append(files, File{
			Name: e.Name(), Type: types[path.Ext(e.Name())], Tag: `"` + hex.EncodeToString(sum[:12]) + `"`, Body: body,
		})
	}
	return files
}
