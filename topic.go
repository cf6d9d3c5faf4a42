package nave

import "strings"

// A Topic is where events are published: segments split by "/", as in
// "cards/board-1". Make one with [ParseTopic].
type Topic string

// HealthTopic is where the hub says how it fares, once a second while somebody
// listens. To read it takes the grant to administer "health", or one that names it.
const HealthTopic Topic = "$hub/health"

// ParseTopic checks s: 1 to [MaxTopicBytes] bytes of UTF-8, no empty segment,
// no control character, and no "*", which is for filters. The error has
// [CodeInvalid].
func ParseTopic(s string) (Topic, error) {
	if err := checkSegments("topic", s); err != nil {
		return "", err
	}
	if strings.Contains(s, "*") {
		return "", Errorf(CodeInvalid, "topic %q: * is only for filters", s)
	}
	return Topic(s), nil
}

// Reserved reports whether the topic is one of the hub's own, which start with
// "$". Nobody else may publish to them.
func (t Topic) Reserved() bool { return strings.HasPrefix(string(t), "$") }

func checkSegments(what, s string) error {
	if s == "" {
		return Errorf(CodeInvalid, "%s is missing", what)
	}
	if err := checkText(what, s, MaxTopicBytes); err != nil {
		return err
	}
	if s[0] == '/' || s[len(s)-1] == '/' || strings.Contains(s, "//") {
		return Errorf(CodeInvalid, "%s %q has an empty segment: write it like cards/board-1", what, s)
	}
	return nil
}
