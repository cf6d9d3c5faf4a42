package nave

import "strings"

// A Filter is what a subscriber asks for: a topic, or a pattern in which "*" is
// exactly one segment and "**", last, is one or more. A wildcard in the first
// segment does not match the hub's own topics, which start with "$". Make one
// with [ParseFilter].
type Filter string

// ParseFilter checks s: a topic in which whole segments may be "*" and the last
// one "**". The error has [CodeInvalid].
func ParseFilter(s string) (Filter, error) {
	if err := checkSegments("filter", s); err != nil {
		return "", err
	}
	for rest := s; rest != ""; {
		var segment string
		segment, rest, _ = strings.Cut(rest, "/")
		switch {
		case segment == "**" && rest != "":
			return "", Errorf(CodeInvalid, "filter %q: ** must be the last segment", s)
		case segment != "*" && segment != "**" && strings.Contains(segment, "*"):
			return "", Errorf(CodeInvalid, "filter %q: * must be a whole segment", s)
		}
	}
	return Filter(s), nil
}

// Exact reports whether the filter is a single topic, and which.
func (f Filter) Exact() (Topic, bool) {
	if strings.Contains(string(f), "*") {
		return "", false
	}
	return Topic(f), true
}

// Prefix is what every matching topic starts with: the text before the first
// wildcard. For an exact filter it is the topic.
func (f Filter) Prefix() string {
	prefix, _, _ := strings.Cut(string(f), "*")
	return prefix
}

// Match reports whether the filter asks for topic t.
func (f Filter) Match(t Topic) bool {
	pattern, topic := string(f), string(t)
	if t.Reserved() && strings.HasPrefix(pattern, "*") {
		return false
	}
	for {
		p, pRest, pMore := strings.Cut(pattern, "/")
		s, sRest, sMore := strings.Cut(topic, "/")
		switch {
		case p == "**":
			return true
		case p != "*" && p != s:
			return false
		case !pMore || !sMore:
			return pMore == sMore
		}
		pattern, topic = pRest, sRest
	}
}

// Covers reports whether f matches every topic that g matches.
func (f Filter) Covers(g Filter) bool {
	wide, narrow := string(f), string(g)
	if strings.HasPrefix(narrow, "$") && strings.HasPrefix(wide, "*") {
		return false
	}
	for {
		w, wRest, wMore := strings.Cut(wide, "/")
		n, nRest, nMore := strings.Cut(narrow, "/")
		switch {
		case w == "**":
			return true
		case n == "**" || w != "*" && w != n:
			return false
		case !wMore || !nMore:
			return wMore == nMore
		}
		wide, narrow = wRest, nRest
	}
}

// Filters is a set of filters: a topic matches if one of them does.
type Filters []Filter

// ParseFilters parses each of ss; the error names the first that is wrong.
func ParseFilters(ss []string) (Filters, error) {
	fs := make(Filters, 0, len(ss))
	for _, s := range ss {
		f, err := ParseFilter(s)
		if err != nil {
			return nil, err
		}
		fs = append(fs, f)
	}
	return fs, nil
}

// Match reports whether one of the filters asks for topic t.
func (fs Filters) Match(t Topic) bool {
	for _, f := range fs {
		if f.Match(t) {
			return true
		}
	}
	return false
}
