package config

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/navehub/nave/typo"
)

// unknownKey says that there is no such key in the section, and what may have
// been meant.
func unknownKey(section, key string) string {
	home := anyItem(section)
	where := "at the top level"
	if home != "" {
		where = "in " + section
	}
	found := nearest(everyPath(), 2*typo.Tolerance(key)+1, func(path string) int {
		parent, name := split(path)
		if parent == home {
			return 2 * typo.Distance(key, name)
		}
		// The right key in a wrong place is worse than one wrong letter and
		// better than two. Or was the whole path written as one key?
		return min(2*typo.Distance(key, name)+3, 2*typo.Distance(key, path))
	})
	return fmt.Sprintf("unknown key %q %s: %s", key, where, meant(found, home))
}

// meant names what was found from where the reader is, which is in home.
func meant(found []string, home string) string {
	switch len(found) {
	case 0:
		return "it has " + strings.Join(keys(home), ", ")
	case 1:
		parent, name := split(found[0])
		switch parent {
		case home:
			return "did you mean " + name + "?"
		case "":
			return "did you mean " + name + " at the top level?"
		}
		return fmt.Sprintf("did you mean %s, which is %s below %s?", found[0], name, strings.TrimSuffix(parent, "[]"))
	default:
		return "did you mean " + strings.Join(found, " or ") + "?"
	}
}

// unknownVariable says that no setting has this variable, and what may have been
// meant. paths are those that have one.
func unknownVariable(name string, paths []string) string {
	const wrongPlace = 1
	found := nearest(paths, typo.Tolerance(name), func(path string) int {
		cost := typo.Distance(name, variable(path))
		if _, last := split(path); strings.HasSuffix(name, strings.TrimPrefix(variable(last), "NAVE")) {
			return min(cost, wrongPlace)
		}
		return cost
	})
	if len(found) == 0 {
		return "no setting has this variable: they are listed in docs/configuration.md"
	}
	for i, path := range found {
		found[i] = variable(path)
	}
	return "no setting has this variable: did you mean " + strings.Join(found, " or ") + "?"
}

// nearest are the names of least cost, if that is at most limit.
func nearest(names []string, limit int, cost func(name string) int) []string {
	var found []string
	for _, name := range names {
		switch c := cost(name); {
		case c < limit:
			limit, found = c, []string{name}
		case c == limit:
			found = append(found, name)
		}
	}
	return found
}

// everyPath are the paths that there can be, with "topics[]" for any item.
func everyPath() []string {
	sample := Config{Topics: make(Topics, 1)}
	var paths []string
	for f := range sample.all() {
		paths = append(paths, anyItem(f.path))
	}
	return paths
}

// keys are the names of what is in the section home.
func keys(home string) []string {
	var names []string
	for _, path := range everyPath() {
		if parent, name := split(path); parent == home {
			names = append(names, name)
		}
	}
	return names
}

var index = regexp.MustCompile(`\[\d+\]`)

// anyItem turns topics[3].filter into topics[].filter.
func anyItem(path string) string { return index.ReplaceAllString(path, "[]") }

// split divides a path into its section and its name.
func split(path string) (section, name string) {
	i := strings.LastIndexByte(path, '.')
	return path[:max(i, 0)], path[i+1:]
}
