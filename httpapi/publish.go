package httpapi

import (
	"context"
	"net/http"

	"github.com/navehub/nave/actors/hub"
)

// repeatHeader tells that the answer is the first publish's.
const repeatHeader = "Nave-Repeat"

// A publication is the answer to a publish.
type publication struct {
	Cursor string   `json:"cursor,omitempty"`
	Events []placed `json:"events"`
	// Repeat is for NDJSON only, which has no header for each line.
	Repeat bool `json:"repeat,omitempty"`
}

type placed struct {
	ID      string `json:"id,omitempty"`
	Offset  uint64 `json:"offset,omitempty"`
	Version uint64 `json:"version,omitempty"`
}

func publicationOf(p hub.Published) publication {
	answer := publication{Cursor: p.Cursor.String(), Events: make([]placed, len(p.Events))}
	for i, e := range p.Events {
		answer.Events[i] = placed(e)
	}
	return answer
}

// publish answers POST /v1/events: one event, or an array of them, which is one
// batch; or one of these in every line.
func (x *exchange) publish() error {
	x.trace("POST /v1/events")
	format, err := bodyFormat(x.r.Header)
	if err != nil {
		x.Header().Set("Accept-Post", jsonType+", "+ndjsonType)
		return err
	}
	if format == ndjsonType {
		return x.publishLines()
	}
	body := x.buffer()
	defer body.release()
	if err := x.readBody(body); err != nil {
		return err
	}
	published, err := x.publishJSON(body.bytes)
	if err != nil {
		return err
	}
	if published.Repeat {
		x.Header().Set(repeatHeader, "true")
	}
	x.Header().Set("Cache-Control", "no-store")
	x.send(http.StatusOK, jsonType, encode(publicationOf(published)))
	return nil
}

// publishJSON publishes a body.
func (x *exchange) publishJSON(body []byte) (hub.Published, error) {
	ctx := x.linger()
	defer ctx.end()
	pending, err := x.submitJSON(ctx, body)
	if err != nil {
		return hub.Published{}, err
	}
	return ctx.wait(pending)
}

// submitJSON submits a body, or a line of one.
func (x *exchange) submitJSON(ctx context.Context, body []byte) (*hub.Pending, error) {
	events, err := x.decode(body)
	if err != nil {
		return nil, err
	}
	if err := x.mayPublish(events); err != nil {
		return nil, err
	}
	return x.Hub.Submit(ctx, events...)
}
