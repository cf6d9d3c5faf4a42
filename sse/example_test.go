package sse_test

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/navehub/nave/sse"
)

func Example() {
	var stream []byte
	stream, _ = sse.Event{ID: "k3v9x1-41", Name: "card.moved", Data: []byte(`{"to":"done"}`)}.Append(stream)
	stream = sse.AppendComment(stream, "all quiet")
	stream, _ = sse.Event{Name: "hub.bye", Data: []byte("until\nlater"), Retry: 2 * time.Second}.Append(stream)
	fmt.Printf("%s---\n", stream)

	r := sse.NewReader(strings.NewReader(string(stream)))
	for {
		e, err := r.Next()
		if err == io.EOF {
			break
		}
		fmt.Printf("%s: %q, resume from %s\n", e.Name, e.Data, r.LastEventID())
	}
	// Output:
	// id: k3v9x1-41
	// event: card.moved
	// data: {"to":"done"}
	//
	// : all quiet
	// event: hub.bye
	// retry: 2000
	// data: until
	// data: later
	//
	// ---
	// card.moved: "{\"to\":\"done\"}", resume from k3v9x1-41
	// hub.bye: "until\nlater", resume from k3v9x1-41
}

func ExampleEvent_Append() {
	_, err := sse.Event{ID: "1\ndata: smuggled"}.Append(nil)
	fmt.Println(err)
	// Output:
	// id "1\ndata: smuggled" has a line end: cannot be sent as an event stream
}

// A frame for many clients is made once. Only some of them get the id.
func ExampleAppendID() {
	body, _ := sse.AppendName(nil, "card.moved")
	body, _ = sse.AppendData(body, []byte(`{"to":"done"}`))
	id, _ := sse.AppendID(nil, "k3v9x1-41")

	fmt.Printf("%s%s", body, sse.End)
	fmt.Printf("%s%s%s", body, id, sse.End)
	// Output:
	// event: card.moved
	// data: {"to":"done"}
	//
	// event: card.moved
	// data: {"to":"done"}
	// id: k3v9x1-41
}

func ExampleReader_LastEventID() {
	r := sse.NewReader(strings.NewReader("id: 1\ndata: has an id\n\ndata: has none\n\nid: 2\n\n"))
	for {
		e, err := r.Next()
		if err != nil {
			break
		}
		fmt.Printf("%s: own id %q, last id %q\n", e.Data, e.ID, r.LastEventID())
	}
	fmt.Printf("at the end: last id %q\n", r.LastEventID())
	// Output:
	// has an id: own id "1", last id "1"
	// has none: own id "", last id "1"
	// at the end: last id "2"
}
