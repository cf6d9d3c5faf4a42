package config

import (
	"encoding"
	"fmt"
	"iter"
	"reflect"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A field is one place in the configuration: a setting, a section of settings,
// or a list of sections.
type field struct {
	// path is where it stands in the file: "log.engine", "topics[0].filter".
	path  string
	name  string // last of path
	value reflect.Value
	tag   reflect.StructTag
}

func (f field) isSection() bool { return f.value.Kind() == reflect.Struct }

func (f field) isList() bool {
	return f.value.Kind() == reflect.Slice && f.value.Type().Elem().Kind() == reflect.Struct
}

func (f field) isSetting() bool { return !f.isSection() && !f.isList() }

// isTexts: a setting with several values, such as cors.origins.
func (f field) isTexts() bool { return f.value.Kind() == reflect.Slice && !f.isList() }

// fields yields what the section v, which stands at path, has.
func fields(path string, v reflect.Value) iter.Seq[field] {
	return func(yield func(field) bool) {
		for member, value := range v.Fields() {
			name := snakeCase(member.Name)
			if !yield(field{join(path, name), name, value, member.Tag}) {
				return
			}
		}
	}
}

// walk yields everything below the section v, each section before what it has.
func walk(path string, v reflect.Value) iter.Seq[field] {
	return func(yield func(field) bool) { walkInto(path, v, yield) }
}

func walkInto(path string, v reflect.Value, yield func(field) bool) bool {
	for f := range fields(path, v) {
		if !yield(f) {
			return false
		}
		if f.isSection() && !walkInto(f.path, f.value, yield) {
			return false
		}
		if !f.isList() {
			continue
		}
		for i := range f.value.Len() {
			if !walkInto(item(f.path, i), f.value.Index(i), yield) {
				return false
			}
		}
	}
	return true
}

// all yields everything that c has.
func (c *Config) all() iter.Seq[field] { return walk("", reflect.ValueOf(c).Elem()) }

// setDefaults sets every setting of the section that ptr points to.
func setDefaults(ptr any) {
	for f := range walk("", reflect.ValueOf(ptr).Elem()) {
		text, ok := f.tag.Lookup("default")
		if !ok {
			continue
		}
		if err := f.set(text); err != nil {
			panic(fmt.Sprintf("config: default of %s: %v", f.path, err))
		}
	}
}

// set reads the value from text. The error tells what would be right.
func (f field) set(text string) error {
	if !utf8.ValidString(text) {
		return fmt.Errorf("%q is not valid UTF-8", text)
	}
	if u, ok := f.value.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return u.UnmarshalText([]byte(text))
	}
	switch f.value.Kind() {
	case reflect.String:
		f.value.SetString(text)
	case reflect.Int:
		n, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("%q is not a whole number", text)
		}
		f.value.SetInt(int64(n))
	case reflect.Float64:
		n, err := strconv.ParseFloat(text, 64)
		if err != nil || n-n != 0 { // which is so of infinities and NaN
			return fmt.Errorf("%q is not a number", text)
		}
		f.value.SetFloat(n)
	case reflect.Slice:
		f.setTexts(splitComma(text))
	default:
		panic(fmt.Sprintf("config: %s is of type %s, which cannot be read", f.path, f.value.Type()))
	}
	return nil
}

func (f field) setTexts(texts []string) { f.value.Set(reflect.ValueOf(texts)) }

// text is the value as set reads it.
func (f field) text() string {
	switch v := f.value.Interface().(type) {
	case encoding.TextMarshaler:
		text, _ := v.MarshalText() // ours do not fail
		return string(text)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case []string:
		return strings.Join(v, ",")
	default:
		return fmt.Sprint(v)
	}
}

func splitComma(text string) []string {
	texts := []string{}
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			texts = append(texts, part)
		}
	}
	return texts
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func item(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// snakeCase turns MaxLag into max_lag and CORS into cors.
func snakeCase(name string) string {
	var b strings.Builder
	var before rune
	for _, r := range name {
		if unicode.IsUpper(r) && unicode.IsLower(before) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
		before = r
	}
	return b.String()
}
