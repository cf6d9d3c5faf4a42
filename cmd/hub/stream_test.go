package main

import (
	"fmt"
	"net/http"

	"github.com/navehub/nave/sse"
)

// write writes a piece of a stream, and holds the connection if asked to.
func write(w http.ResponseWriter, r *http.Request, text string, hold bool) {
	w.Header().Set("Content-Type", sse.MediaType)
	_, _ = w.Write([]byte(text))
	_ = http.NewResponseController(w).Flush()
	if hold {
		<-r.Context().Done()
	}
	panic(http.ErrAbortHandler) // cuts the connection in the middle of the body
}

const synced = "event: hub.sync\nretry: 1\ndata: {\"status\":\"recovered\"}\n\n"

func one(offset int) string {
	return fmt.Sprintf("event: t\ndata: {\"topic\":\"a\",\"offset\":%d}\nid: e-%d\n\n", offset, offset)
}
