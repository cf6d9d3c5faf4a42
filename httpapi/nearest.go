package httpapi

import (
	"strings"

	"github.com/navehub/nave/typo"
)

// meant says what may have been meant by a name that is not among names, or else
// which there are.
func meant(name, thereIs string, names []string) string {
	if found := typo.Nearest(name, names); found != "" {
		return "did you mean " + found + "?"
	}
	return thereIs + " " + list(names)
}

// list is the names as a sentence has them.
func list(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}
