package httpapi

import (
	"encoding/base64"
	"hash/fnv"
	"net/http"
	"slices"
	"strconv"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/hub"
	"github.com/navehub/nave/actors/presence"
	"github.com/navehub/nave/registry"
)

// presenceParameter is where a subscriber says on which topics it is to be seen.
const presenceParameter = "presence"

// presencePage is how many members of a topic an answer has at most.
const presencePage = 250

// parseTopics reads topics, each once, of which somebody may be present.
func parseTopics(parameter string, texts []string) ([]nave.Topic, error) {
	var topics []nave.Topic
	for _, text := range texts {
		t, err := nave.ParseTopic(text)
		switch {
		case err != nil:
			return nil, nave.Errorf(nave.CodeInvalid, "%s: %w", parameter, err)
		case t.Reserved():
			return nil, nave.Errorf(nave.CodeInvalid, "%s: nobody is present on %s, which is the hub's own", parameter, t)
		}
		if _, err := nave.ParseTopic(string(presence.TopicOf(t))); err != nil {
			return nil, nave.Errorf(nave.CodeInvalid, "%s: %.40q… is too long: presence needs 10 bytes of its %d", parameter, text, nave.MaxTopicBytes)
		}
		if !slices.Contains(topics, t) {
			topics = append(topics, t)
		}
	}
	if len(topics) > hub.MaxPresence {
		return nil, nave.Errorf(nave.CodeTooMany, "%s names %d topics: at most %d are allowed", parameter, len(topics), hub.MaxPresence)
	}
	return topics, nil
}

// attendees are the members of a topic, or a page of them.
type attendees struct {
	Topic   nave.Topic        `json:"topic"`
	Total   int               `json:"total"`
	Members []registry.Member `json:"members"`
	// Next is the after of the next page.
	Next string `json:"next,omitempty"`
}

// showPresence answers GET /v1/presence.
func (x *exchange) showPresence() error {
	x.trace("GET " + presencePath)
	values, err := x.parseValues([]string{"topic", "after"})
	if err != nil {
		return err
	}
	topics, err := parseTopics("topic", values["topic"])
	switch {
	case err != nil:
		return err
	case len(topics) == 0:
		return nave.Errorf(nave.CodeInvalid, "no topic asked for: add ?topic=boards/7 or several of them")
	case values.Has("after") && len(topics) > 1:
		return nave.Errorf(nave.CodeInvalid, "after goes on with one topic, and there are %d", len(topics))
	}
	after, err := base64.RawURLEncoding.DecodeString(values.Get("after"))
	if err != nil {
		return nave.Errorf(nave.CodeInvalid, "after is %.40q: it is what next of the page before says", values.Get("after"))
	}
	for _, t := range topics {
		if err := x.who.CheckSubscribe(nave.Filters{nave.Filter(t)}); err != nil {
			return err
		}
	}
	if level := x.Hub.Level(); !level.Has(nave.Pages) {
		return &nave.DegradedError{Level: level, Feature: nave.Pages}
	}
	now := x.Hub.Registry().Snapshot()
	all := make([]attendees, len(topics))
	for i, t := range topics {
		all[i] = attendeesOf(now, t, string(after))
	}
	body := encode(map[string]any{"topics": all})
	hash := fnv.New64a()
	_, _ = hash.Write(body) // never fails
	tag := tagOf(strconv.FormatUint(hash.Sum64(), 36), nave.LevelNormal)
	x.revalidate(tag)
	if matches(x.r.Header, tag) {
		x.WriteHeader(http.StatusNotModified)
		return nil
	}
	x.send(http.StatusOK, jsonType, body)
	return nil
}

func attendeesOf(s registry.Snapshot, t nave.Topic, after string) attendees {
	page := attendees{Topic: t, Members: []registry.Member{}}
	last := ""
	for name, m := range s.Members(t) {
		page.Total++
		switch {
		case name <= after:
		case len(page.Members) < presencePage:
			page.Members = append(page.Members, m)
			last = name
		default:
			page.Next = base64.RawURLEncoding.EncodeToString([]byte(last))
		}
	}
	return page
}

// reportIdle answers POST /v1/presence: whether somebody is at a connection.
func (x *exchange) reportIdle() error {
	x.trace("POST " + presencePath)
	if !x.who.Grant.MaySubscribe("**") {
		if err := x.needsToken("to say whether one is idle"); err != nil {
			return err
		}
	}
	var asked struct {
		Connection string `json:"connection"`
		Idle       *bool  `json:"idle"`
	}
	if err := x.readJSON(&asked); err != nil {
		return err
	}
	id, err := strconv.ParseUint(asked.Connection, 10, 64)
	if err != nil || asked.Idle == nil {
		return nave.Errorf(nave.CodeInvalid, "the body says whether somebody is at a connection, whose name hub.sync gives, as {\"connection\":\"17\",\"idle\":true}")
	}
	if err := x.Hub.SetIdle(x.r.Context(), id, x.who, *asked.Idle); err != nil {
		return err
	}
	x.WriteHeader(http.StatusNoContent)
	return nil
}
