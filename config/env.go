package config

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

const (
	envPrefix = "NAVE_"
	// fileVariable names the configuration file.
	fileVariable = envPrefix + "CONFIG"
)

// variable is the name of the environment variable of what stands at path.
func variable(path string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(path, ".", "_"))
}

// Kubernetes tells every pod about a service called nave, or nave-something, in
// variables that look like ours.
var (
	serviceName  = regexp.MustCompile(`^NAVE_(.+_)?(SERVICE_(HOST|PORT(_.+)?)|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$`)
	serviceValue = regexp.MustCompile(`^(tcp|udp|sctp)://`)
)

// variables are those of env that are meant for us.
func variables(env []string) map[string]string {
	ours := make(map[string]string)
	for _, entry := range env {
		name, value, _ := strings.Cut(entry, "=")
		foreign := !strings.HasPrefix(name, envPrefix) ||
			serviceName.MatchString(name) ||
			strings.HasSuffix(name, "_PORT") && serviceValue.MatchString(value)
		if value != "" && !foreign {
			ours[name] = value
		}
	}
	return ours
}

func (l *loader) readEnv(env map[string]string) {
	settings := make(map[string]field)
	var paths []string
	for f := range l.config.all() {
		if inList := strings.Contains(f.path, "["); !inList && !f.isSection() {
			settings[variable(f.path)] = f
			paths = append(paths, f.path)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(env)) {
		f, ok := settings[name]
		switch {
		case name == fileVariable:
		case !ok:
			l.refuse(name, "", "%s", unknownVariable(name, paths))
		case f.isList():
			l.setList(f, name, env[name])
		default:
			l.set(f, name, env[name])
		}
	}
}

// setList reads a list of sections as YAML, such as [{filter: a/**, rate: 10}].
func (l *loader) setList(f field, source, text string) {
	d := decoder{loader: l, at: func(int) string { return source }}
	if body := d.parse([]byte(text)); body != nil {
		d.list(f, body)
	}
}
