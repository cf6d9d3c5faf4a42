package config

import (
	"bytes"
	"errors"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// A decoder lays YAML over the loader's configuration. It walks the syntax tree
// itself, because only there every value still has its line.
type decoder struct {
	*loader
	at func(line int) string // the source that a line is
}

// maxFile is far more than a configuration has. The parser is slow on what is
// none, and somebody may name the wrong file.
const maxFile = 256 << 10

func (d *decoder) decode(text []byte) {
	if len(text) > maxFile {
		d.refuse(d.at(1), "", "this is no configuration: it has more than %s", Bytes(maxFile))
		return
	}
	if body := d.parse(text); body != nil {
		d.section(field{value: reflect.ValueOf(&d.config).Elem()}, body)
	}
}

// parse gives the only document's content; nil if there is none, or none that
// can be read.
func (d *decoder) parse(text []byte) ast.Node {
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // as some editors begin a file
	// Keys that come twice are reported with the rest, in our words.
	file, err := parser.ParseBytes(text, 0, parser.AllowDuplicateMapKey())
	var syntax yaml.Error
	switch {
	case errors.As(err, &syntax):
		d.refuse(d.at(syntax.GetToken().Position.Line), "", "%s", syntax.GetMessage())
		return nil
	case err != nil:
		d.refuse(d.at(1), "", "%v", err)
		return nil
	}
	var body ast.Node
	for _, doc := range file.Docs {
		switch {
		case doc.Body == nil:
		case body != nil:
			d.refuse(d.at(line(doc.Body)), "", "a second document begins here: one is all that is read")
		default:
			body = doc.Body
		}
	}
	return body
}

func (d *decoder) section(s field, node ast.Node) {
	var entries []*ast.MappingValueNode
	switch node := node.(type) {
	case *ast.NullNode: // everything in it is commented out
		return
	case *ast.MappingNode:
		entries = node.Values
	case *ast.MappingValueNode:
		entries = []*ast.MappingValueNode{node}
	default:
		d.mismatch(s, node)
		return
	}
	known := slices.Collect(fields(s.path, s.value))
	seen := make(map[string]int)
	for _, entry := range entries {
		name, at := entry.Key.GetToken().Value, line(entry.Key)
		i := slices.IndexFunc(known, func(f field) bool { return f.name == name })
		switch {
		case i < 0:
			d.refuse(d.at(at), "", "%s", unknownKey(s.path, name))
		case seen[name] > 0:
			d.refuse(d.at(at), known[i].path, "is on line %d already", seen[name])
		default:
			seen[name] = at
			d.value(known[i], entry.Value)
		}
	}
}

func (d *decoder) value(f field, node ast.Node) {
	switch {
	case f.isSection():
		d.section(f, node)
	case f.isList():
		d.list(f, node)
	case f.isTexts():
		d.texts(f, node)
	default:
		d.setting(f, node)
	}
}

func (d *decoder) setting(f field, node ast.Node) {
	if _, null := node.(*ast.NullNode); null {
		d.refuse(d.at(line(node)), f.path, "has no value: give it one, or leave it out")
	} else if text, ok := scalar(node); !ok {
		d.mismatch(f, node)
	} else {
		d.set(f, d.at(line(node)), text)
	}
}

func (d *decoder) texts(f field, node ast.Node) {
	values, ok := d.sequence(f, node)
	if !ok {
		return
	}
	texts := make([]string, 0, len(values))
	for i, value := range values {
		text, ok := scalar(value)
		if !ok {
			d.mismatch(field{path: item(f.path, i)}, value)
			return
		}
		texts = append(texts, text)
	}
	f.setTexts(texts)
	d.sources.set(f.path, d.at(line(node)))
	for i, value := range values {
		d.sources.set(item(f.path, i), d.at(line(value)))
	}
}

// list reads a list of sections. Each begins with the defaults of its kind.
func (d *decoder) list(f field, node ast.Node) {
	values, ok := d.sequence(f, node)
	if !ok {
		return
	}
	f.value.Set(reflect.MakeSlice(f.value.Type(), len(values), len(values)))
	if len(values) == 0 {
		f.value.SetZero()
	}
	d.sources.set(f.path, d.at(line(node)))
	for i, value := range values {
		at := field{path: item(f.path, i), value: f.value.Index(i)}
		setDefaults(at.value.Addr().Interface())
		d.sources.set(at.path, d.at(line(value)))
		d.section(at, value)
	}
}

func (d *decoder) sequence(f field, node ast.Node) ([]ast.Node, bool) {
	switch node := node.(type) {
	case *ast.NullNode: // everything in it is commented out
	case *ast.SequenceNode:
		return node.Values, true
	default:
		d.mismatch(f, node)
	}
	return nil, false
}

// mismatch refuses a node that is not what f is.
func (d *decoder) mismatch(f field, node ast.Node) {
	problem := f.shape()
	switch node.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode, *ast.MergeKeyNode:
		problem = "anchors, aliases and tags of YAML are not supported: write the value itself"
	}
	d.refuse(d.at(line(node)), f.path, "%s", problem)
}

// shape says how f is written.
func (f field) shape() string {
	switch {
	case f.path == "":
		return "this is no configuration: write settings like listen: 127.0.0.1:8080"
	case !f.value.IsValid():
		return "is a single value"
	case f.isList():
		return "is a list: write an item a line below it, each beginning with a dash"
	case f.isTexts():
		return `is a list: write it like ["a", "b"]`
	case f.isSection():
		return "is a section: write its settings indented below it (" + strings.Join(keys(anyItem(f.path)), ", ") + ")"
	default:
		return "is a single value: write it like " + f.name + ": " + scalarYAML(f.text())
	}
}

// scalar is what was written; ok is false if node is no scalar.
func scalar(node ast.Node) (text string, ok bool) {
	switch node := node.(type) {
	case *ast.StringNode:
		return node.Value, true
	case *ast.LiteralNode:
		return node.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return node.GetToken().Value, true
	}
	return "", false
}

func line(node ast.Node) int { return node.GetToken().Position.Line }
