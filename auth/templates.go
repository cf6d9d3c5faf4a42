package auth

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/navehub/nave"
)

// Templates are filters in which {name} stands for the claim of that name, as in
// users/{sub}/**. A claim that is a list makes one filter of each of its values.
//
// A value is always part of one segment: the characters / * % are written as %2F,
// %2A and %25 in it, and a $ that would begin the topic as %24.
type Templates struct {
	Publish, Subscribe, Admin []string
	Source                    string
}

// maxFilters is how many a grant has, of each kind.
const maxFilters = 1000

// CheckTemplate refuses what will never be a filter.
func CheckTemplate(template string) error {
	_, err := fillOne(template, func(string) ([]string, error) { return []string{"x"}, nil })
	return err
}

// readGrant reads the claim that lists grants, and reports whether it is there.
func readGrant(claims map[string]any, name string) (t Templates, given bool, err error) {
	claim, given := claims[name]
	if !given {
		return t, false, nil
	}
	members, ok := claim.(map[string]any)
	if !ok {
		return t, true, badClaim("claim %s is not an object such as {\"subscribe\":[\"cards/**\"]}", name)
	}
	known := map[string]*[]string{"publish": &t.Publish, "subscribe": &t.Subscribe, "admin": &t.Admin}
	for member, value := range members {
		list, ok := known[member]
		switch {
		case member == "source":
			if t.Source, ok = value.(string); !ok {
				return t, true, badClaim("%s.source is not a text", name)
			}
		case !ok:
			return t, true, badClaim("claim %s has a member %.40q: there are publish, subscribe, admin and source", name, member)
		default:
			if *list, ok = texts(value); !ok {
				return t, true, badClaim("%s.%s is not a list of filters such as [\"cards/**\"]", name, member)
			}
		}
	}
	return t, true, nil
}

func badClaim(format string, args ...any) error {
	return nave.Errorf(nave.CodeUnauthorised, "the token's "+format, args...)
}

// texts are the value of a claim that has one or several.
func texts(value any) ([]string, bool) {
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	all := make([]string, len(list))
	for i, v := range list {
		switch v := v.(type) {
		case string:
			all[i] = v
		case json.Number:
			all[i] = v.String()
		default:
			return nil, false
		}
	}
	return all, true
}

// fill puts claims in their places.
func (t Templates) fill(claims map[string]any) (f Filters, err error) {
	lookup := func(name string) ([]string, error) {
		values, ok := texts(claims[name])
		if !ok {
			return nil, badClaim("grant names {%s}, but the token has no such claim, or none of text", name)
		}
		return values, nil
	}
	for _, kind := range []struct {
		templates []string
		filters   *nave.Filters
	}{{t.Publish, &f.Publish}, {t.Subscribe, &f.Subscribe}, {t.Admin, &f.Admin}} {
		for _, template := range kind.templates {
			filled, err := fillOne(template, lookup)
			if err != nil {
				return Filters{}, nave.Errorf(nave.CodeUnauthorised, "the token's grant: %w", err)
			}
			if *kind.filters = append(*kind.filters, filled...); len(*kind.filters) > maxFilters {
				return Filters{}, badClaim("grant has more than %d filters", maxFilters)
			}
		}
	}
	sources, err := expand(t.Source, lookup)
	if err != nil {
		return Filters{}, err
	}
	if len(sources) > 1 {
		return Filters{}, badClaim("source %.100q has several values", t.Source)
	}
	if f.Source = strings.Join(sources, ""); f.Source == "" && t.Source != "" {
		return Filters{}, badClaim("source %.100q has no value", t.Source)
	}
	return f, nil
}

// fillOne makes filters of a template.
func fillOne(template string, lookup func(name string) ([]string, error)) (nave.Filters, error) {
	inSegment := func(name string) ([]string, error) {
		values, err := lookup(name)
		if err != nil {
			return nil, err
		}
		values = slices.Clone(values)
		for i, v := range values {
			if v == "" {
				return nil, badClaim("claim %s is empty, and cannot be part of a topic", name)
			}
			values[i] = segment.Replace(v)
		}
		return values, nil
	}
	filled, err := expand(template, inSegment)
	if err != nil {
		return nil, err
	}
	for i, text := range filled {
		if strings.HasPrefix(text, "$") && !strings.HasPrefix(template, "$") {
			filled[i] = "%24" + text[1:]
		}
	}
	return nave.ParseFilters(filled)
}

var segment = strings.NewReplacer("%", "%25", "/", "%2F", "*", "%2A")

// maxPlaces is how many claims a template may name.
const maxPlaces = 8

// expand replaces each {name} by the values of the claim, in all combinations.
func expand(template string, lookup func(name string) ([]string, error)) ([]string, error) {
	if len(template) > nave.MaxTopicBytes || strings.Count(template, "{") > maxPlaces {
		return nil, badClaim("grant %.100q is longer than %d bytes, or names more than %d claims", template, nave.MaxTopicBytes, maxPlaces)
	}
	return expandRest(template, lookup)
}

func expandRest(template string, lookup func(name string) ([]string, error)) ([]string, error) {
	before, rest, open := strings.Cut(template, "{")
	if !open {
		return []string{template}, nil
	}
	name, after, closed := strings.Cut(rest, "}")
	if !closed || name == "" {
		return nil, fmt.Errorf("%.100q has a { that is no {claim}", template)
	}
	values, err := lookup(name)
	if err != nil {
		return nil, err
	}
	tails, err := expandRest(after, lookup)
	if err != nil {
		return nil, err
	}
	if len(values)*len(tails) > maxFilters {
		return nil, badClaim("grant %.100q makes more than %d filters", template, maxFilters)
	}
	var all []string
	for _, value := range values {
		for _, tail := range tails {
			if len(before)+len(value)+len(tail) > nave.MaxTopicBytes {
				return nil, badClaim("grant %.100q with its claims is longer than %d bytes", template, nave.MaxTopicBytes)
			}
			all = append(all, before+value+tail)
		}
	}
	return all, nil
}
