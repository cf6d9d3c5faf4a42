package httpapi

import (
	"slices"
	"testing"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/hub"
)

func TestTopicsThatAreLive(t *testing.T) {
	s := start(t, hub.Config{Topics: []hub.TopicRule{{Filter: "mouse/*", Durability: nave.Transient}}}, Config{})
	for _, topic := range []string{"mouse/1", "cards/2", "cards/1"} {
		s.publish(`{"topic":"` + topic + `","type":"moved"}`)
	}
	type topic = map[string]any
	var page struct{ Topics []topic }
	for deadline := time.Now().Add(patience); len(page.Topics) < 3; time.Sleep(time.Millisecond) { // rows gather first
		if time.Now().After(deadline) {
			t.Fatalf("%d topics", len(page.Topics))
		}
		s.do("GET", "/v1/admin/topics", "").ok().decode(&page)
	}
	var got []string
	for _, row := range page.Topics {
		if _, err := time.Parse(time.RFC3339, row["created"].(string)); err != nil || len(row) != 3 {
			t.Errorf("row: %v", row)
		}
		got = append(got, row["name"].(string)+" "+row["durability"].(string))
	}
	if want := []string{"cards/1 durable", "cards/2 durable", "mouse/1 transient"}; !slices.Equal(got, want) {
		t.Errorf("topics = %q, want %q", got, want)
	}
	s.do("GET", "/v1/admin/topics?after=cards/2", "").ok().decode(&page)
	if len(page.Topics) != 1 {
		t.Errorf("after cards/2: %v", page.Topics)
	}
}
