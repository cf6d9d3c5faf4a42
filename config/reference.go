package config

import (
	"bytes"
	_ "embed"
	"fmt"
	"io"
	"strings"
)

//go:embed reference.md
var referenceIntro string

const (
	tableHead = "\n| setting | variable | default | what it is |\n|---|---|---|---|\n"
	wholeFile = "\n## The whole file\n\nEvery setting at its default:\n\n```yaml\n%s```\n"
)

// Reference writes the reference of all settings, in Markdown.
func Reference(w io.Writer) error {
	var out bytes.Buffer
	out.WriteString(referenceIntro + "\n## The hub\n" + tableHead)
	sample := Default() // with an item in each list, so that what it has is told
	sample.Topics, sample.Auth.Issuers = make(Topics, 1), make(Issuers, 1)
	setDefaults(&sample.Topics[0])
	setDefaults(&sample.Auth.Issuers[0])
	for f := range sample.all() {
		if top := f.path == f.name; top && !f.isSetting() {
			fmt.Fprintf(&out, "\n## %s\n\n%s\n%s", f.path, f.doc(), tableHead)
		} else {
			out.WriteString(f.row())
		}
	}

	var file bytes.Buffer
	defaults := Default()
	if err := defaults.Print(&file, nil); err != nil {
		return err
	}
	fmt.Fprintf(&out, wholeFile, &file)
	_, err := w.Write(out.Bytes())
	return err
}

// row is f's row in the reference.
func (f field) row() string {
	var name, value string
	path := anyItem(f.path)
	if !f.isSection() && path == f.path { // what is in a list has no variable
		name = "`" + variable(path) + "`"
	}
	if _, ok := f.tag.Lookup("default"); ok {
		value = "`" + f.yaml() + "`"
	}
	doc := f.doc()
	if flag := f.tag.Get("flag"); flag != "" {
		doc += " Flag `--" + flag + "`."
	}
	doc = strings.NewReplacer("|", `\|`, "*", `\*`).Replace(doc)
	return fmt.Sprintf("| `%s` | %s | %s | %s |\n", path, name, value, doc)
}
