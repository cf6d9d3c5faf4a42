package nave_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/navehub/nave"
)

func ExampleParseTopic() {
	topic, _ := nave.ParseTopic("cards/board-1")
	fmt.Println(topic)

	_, err := nave.ParseTopic("cards//board-1")
	fmt.Println(err)
	// Output:
	// cards/board-1
	// topic "cards//board-1" has an empty segment: write it like cards/board-1
}

func ExampleFilter_Match() {
	for _, f := range []nave.Filter{"cards/*", "cards/**", "**"} {
		fmt.Println(f, f.Match("cards/board-1"), f.Match("cards/board-1/lanes"), f.Match("$hub/presence"))
	}
	// Output:
	// cards/* true false false
	// cards/** true true false
	// ** true true false
}

func ExampleIndex() {
	var subscribers nave.Index[string]
	subscribers.Add("cards/board-1", "Ann")
	subscribers.Add("cards/*", "Ben")
	subscribers.Add("users/**", "Cleo")
	subscribers.Add("**", "Ben")

	var found []string
	subscribers.Match("cards/board-1", func(who string) { found = append(found, who) })
	slices.Sort(found)
	fmt.Println(found)

	subscribers.Remove("cards/*", "Ben")
	fmt.Println(subscribers.Len())
	// Output:
	// [Ann Ben Ben]
	// 3
}

func ExampleParseCursor() {
	c, _ := nave.ParseCursor("k3v9x1-42")
	fmt.Println(c.Epoch, c.Offset)

	_, err := nave.ParseCursor("yesterday")
	fmt.Println(err)
	// Output:
	// k3v9x1 42
	// cursor "yesterday" is malformed: it looks like "k3v9x1-42"
}

func ExampleEvent_Validate() {
	e := nave.Event{
		Topic: "cards/board-1",
		Type:  "card.moved",
		Key:   "card-42",
		Data:  json.RawMessage("{\n  \"to\": \"done\"\n}"),
	}
	fmt.Println(e.Validate(), string(e.Data))

	e.Type = "hub.sync"
	fmt.Println(e.Validate())
	// Output:
	// <nil> {"to":"done"}
	// type "hub.sync": types starting with "hub." belong to the hub
}

func ExampleCodeOf() {
	err := fmt.Errorf("publish: %w", nave.Errorf(nave.CodeBusy, "cards/board-1 is over its rate").After(time.Second))
	fmt.Println(nave.CodeOf(err), "-", err)

	var refusal *nave.Error
	if errors.As(err, &refusal) {
		fmt.Println("again after", refusal.RetryAfter)
	}
	// Output:
	// busy - publish: cards/board-1 is over its rate
	// again after 1s
}

func ExampleConflictError() {
	err := error(&nave.ConflictError{Conflicts: []nave.Conflict{
		{Topic: "cards/board-1", Key: "card-42", IfVersion: 7, Version: 9},
	}})
	fmt.Println(nave.CodeOf(err), "-", err)
	// Output:
	// conflict - card-42 in cards/board-1 has version 9, not 7
}

func ExampleDurability() {
	var d nave.Durability
	fmt.Println(d.UnmarshalText([]byte("memory")), d, d >= nave.Durable)
	fmt.Println(d.UnmarshalText([]byte("forever")))
	// Output:
	// <nil> memory false
	// durability "forever" is unknown: use durable, memory or transient
}
