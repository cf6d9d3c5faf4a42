package config

import (
	"bytes"
	"io"
	"iter"
	"reflect"
	"strconv"
	"strings"
)

// Print writes the configuration as a YAML file with comments, which Load reads
// back to the same. With sources it says of each value where it comes from.
func (c *Config) Print(w io.Writer, sources Sources) error {
	p := printer{sources: sources}
	p.section(fields("", reflect.ValueOf(c).Elem()), "")
	_, err := w.Write(p.out.Bytes())
	return err
}

type printer struct {
	sources Sources // nil to leave them out
	out     bytes.Buffer
}

const pageWidth = 80

func (p *printer) section(members iter.Seq[field], indent string) {
	for f := range members {
		if indent == "" && p.out.Len() > 0 {
			p.out.WriteByte('\n')
		}
		p.comment(f.doc(), indent)
		p.member(f, indent)
	}
}

func (p *printer) member(f field, indent string) {
	switch {
	case f.isSection():
		p.line(indent+f.name+":", "")
		p.section(fields(f.path, f.value), indent+"  ")
	case f.isList() && f.value.Len() > 0:
		p.line(indent+f.name+":", f.path)
		p.list(f, indent+"  ")
	default:
		p.line(indent+f.name+": "+f.yaml(), f.path)
	}
}

// list explains what an item has once, at the first.
func (p *printer) list(f field, indent string) {
	for i := range f.value.Len() {
		bullet := "- "
		for member := range fields(item(f.path, i), f.value.Index(i)) {
			if i == 0 {
				p.comment(member.doc(), indent+"  ")
			}
			p.member(member, indent+bullet)
			bullet = "  "
		}
	}
}

func (p *printer) comment(text, indent string) {
	for line := range wrap(text, pageWidth-len(indent)-2) {
		p.out.WriteString(indent + "# " + line + "\n")
	}
}

func (p *printer) line(text, path string) {
	p.out.WriteString(text)
	if p.sources != nil && path != "" {
		source := p.sources.Of(path)
		if source == "" {
			source = "default"
		}
		p.out.WriteString("  # " + source)
	}
	p.out.WriteByte('\n')
}

// doc is what the tags say about f, for people.
func (f field) doc() string {
	doc := f.tag.Get("doc")
	if in := f.choices(); in != nil {
		return doc + " It is " + or(in) + "."
	}
	if _, ok := f.tag.Lookup("min"); ok {
		return doc + " At least " + f.tag.Get("min") + "."
	}
	return doc
}

// yaml is the value as it is written in the file, on one line.
func (f field) yaml() string {
	switch {
	case f.isList():
		return "[]"
	case f.isTexts():
		var texts []string
		for _, text := range f.value.Interface().([]string) {
			texts = append(texts, strconv.Quote(text))
		}
		return "[" + strings.Join(texts, ", ") + "]"
	default:
		return scalarYAML(f.text())
	}
}

// scalarYAML leaves text as it is where YAML cannot mistake it for something
// else, and quotes it otherwise. Escapes of Go, in valid UTF-8, are escapes of YAML.
func scalarYAML(text string) string {
	const punctuation = "./_-:*+"
	plain := text != "" && strings.ToLower(text) != "null" &&
		!strings.ContainsAny(text[:1], "-:*") && !strings.HasSuffix(text, ":")
	for _, r := range text {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		plain = plain && (letter || strings.ContainsRune(punctuation, r))
	}
	if plain {
		return text
	}
	return strconv.Quote(text)
}

// wrap yields text in lines of at most width, where its words allow.
func wrap(text string, width int) iter.Seq[string] {
	return func(yield func(string) bool) {
		line := ""
		for word := range strings.FieldsSeq(text) {
			switch {
			case line == "":
				line = word
			case len(line)+1+len(word) <= width:
				line += " " + word
			default:
				if !yield(line) {
					return
				}
				line = word
			}
		}
		if line != "" {
			yield(line)
		}
	}
}
