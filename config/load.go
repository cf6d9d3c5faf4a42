package config

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

// Options say where Load looks, from weak to strong.
type Options struct {
	// File is the path of a YAML file. Empty is the file that the variable
	// NAVE_CONFIG names, or none.
	File string
	// Env is the environment, as [os.Environ] gives it. A variable that is set
	// to nothing counts as not set.
	Env []string
	// Flags are the flags that were given, by name without dashes; see [Flags].
	Flags map[string]string
}

// Load reads the configuration, checks it, and tells where each value comes
// from. The error joins one [*Error] for each thing that is wrong.
func Load(o Options) (Config, Sources, error) {
	l := loader{config: Default(), sources: Sources{}}
	env := variables(o.Env)
	if err := l.readFile(o.File, env); err != nil {
		return Config{}, nil, err
	}
	l.readEnv(env)
	l.readFlags(o.Flags)
	if len(l.errs) == 0 { // else it would find what follows from mistakes found already
		l.errs = l.config.check(l.sources)
	}
	if err := errors.Join(l.errs...); err != nil {
		return Config{}, nil, err
	}
	return l.config, l.sources, nil
}

// An Error is one thing that is wrong.
type Error struct {
	// Source is where it was said: "nave.yaml:12", "NAVE_LISTEN", "--listen".
	// Empty for a default or what a program has set.
	Source string
	// Path is the setting, such as "client.heartbeat"; empty if there is none.
	Path string
	// Problem is what is wrong, and what would be right.
	Problem string
}

func (e *Error) Error() string {
	var b strings.Builder
	for _, part := range []string{e.Source, e.Path} {
		if part != "" {
			b.WriteString(part + ": ")
		}
	}
	return b.String() + e.Problem
}

// Sources say where values come from, by path: "nave.yaml:12", "NAVE_LISTEN",
// "--listen". What is not in it is a default.
type Sources map[string]string

// Of is the source of what stands at path, or of what it stands in: who sets a
// list sets all that the list has. It is "" for a default.
func (s Sources) Of(path string) string {
	for path != "" {
		if source, ok := s[path]; ok {
			return source
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
	return ""
}

// set notes that source has set path, and so what was in it no longer counts.
func (s Sources) set(path, source string) {
	maps.DeleteFunc(s, func(p, _ string) bool { return strings.HasPrefix(p, path+"[") })
	s[path] = source
}

// A Flag is a setting that has a flag of its own.
type Flag struct{ Name, Default, Doc string }

// Flags are the settings that have flags.
func Flags() []Flag {
	var flags []Flag
	c := Default()
	for f := range c.all() {
		if name := f.tag.Get("flag"); name != "" {
			flags = append(flags, Flag{name, f.text(), f.doc()})
		}
	}
	return flags
}

// A loader gathers what is set, from where, and what is wrong with it.
type loader struct {
	config  Config
	sources Sources
	errs    []error
}

func (l *loader) refuse(source, path, format string, args ...any) {
	l.errs = append(l.errs, &Error{source, path, fmt.Sprintf(format, args...)})
}

func (l *loader) set(f field, source, text string) {
	if err := f.set(text); err != nil {
		l.refuse(source, f.path, "%v", err)
	} else if problem := f.outOfBounds(); problem != "" {
		l.refuse(source, f.path, "%s", problem)
	}
	l.sources.set(f.path, source)
}

func (l *loader) readFile(name string, env map[string]string) error {
	source := "configuration"
	if name == "" {
		name, source = env[fileVariable], fileVariable
	}
	if name == "" {
		return nil
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("%s: %w", source, err)
	}
	d := decoder{loader: l, at: func(line int) string { return fmt.Sprintf("%s:%d", name, line) }}
	d.decode(text)
	return nil
}

func (l *loader) readFlags(flags map[string]string) {
	settings := make(map[string]field)
	for f := range l.config.all() {
		if name := f.tag.Get("flag"); name != "" {
			settings[name] = f
		}
	}
	for _, name := range slices.Sorted(maps.Keys(flags)) {
		f, ok := settings[name]
		if !ok {
			l.refuse("--"+name, "", "no setting has this flag: there are --%s",
				strings.Join(slices.Sorted(maps.Keys(settings)), ", --"))
			continue
		}
		l.set(f, "--"+name, flags[name])
	}
}
