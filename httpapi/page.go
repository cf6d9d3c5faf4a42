package httpapi

import (
	"bufio"
	"bytes"
	"io"
	"net/http"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/client"
	"github.com/navehub/nave/actors/hub"
	"github.com/navehub/nave/frame"
)

// poll answers GET /v1/events with one page.
//
// The page's ETag says where its reader stands afterwards. A reader that sends
// it back with the page's cursor hears 304 until something has happened.
func (x *exchange) poll() error {
	x.trace("GET /v1/events")
	x.Header().Add("Vary", "Last-Event-ID")
	q, err := x.parseQuery(eventParameters)
	if err != nil {
		return err
	}
	page, err := x.Hub.Poll(x.r.Context(), client.Request{
		Filters: q.filters, Presence: q.presence, Cursor: q.cursor, Who: x.who, Address: x.address(),
	}, q.wait)
	if err == nil {
		err = x.authority.Check(x.who) // it may have waited for long
	}
	if err != nil {
		return err
	}
	if q.snapshot && page.Sync.Status != frame.Recovered {
		return x.snapshotPage(q, page.Sync)
	}
	tag := pageTag(q, page)
	x.revalidate(tag)
	if page.Sync.Status != frame.Reset && matches(x.r.Header, tag) {
		x.WriteHeader(http.StatusNotModified)
		return nil
	}
	if size(page) > largePage {
		return x.stream(func(w *bufio.Writer) error { return writePage(w, page) })
	}
	var b bytes.Buffer
	_ = writePage(&b, page) // a buffer takes everything
	x.send(http.StatusOK, jsonType, b.Bytes())
	return nil
}

// largePage is not put together before it is sent: many slow readers could each
// have one in memory.
const largePage = 32 << 10

func size(page hub.Page) (bytes int) {
	for _, f := range page.Frames {
		bytes += f.Size()
	}
	return bytes
}

// pageTag names the page by the last event that its reader has. The cursor goes
// on when others get events; for this reader that is no news.
func pageTag(q query, page hub.Page) string {
	at := page.Cursor.String()
	if page.Sync.Status == frame.Recovered {
		at = q.cursor
		for _, f := range page.Frames {
			at = nave.Cursor{Epoch: page.Cursor.Epoch, Offset: f.Event.Offset}.String()
		}
	}
	return tagOf(at, page.Level)
}

func writePage(w pageWriter, page hub.Page) error {
	beginPage(w, page.Cursor, page.Sync, page.Level)
	for i, f := range page.Frames {
		if i > 0 {
			_ = w.WriteByte(',') // the writers' errors last
		}
		if _, err := w.Write(f.JSON()); err != nil {
			return err
		}
	}
	endPage(w)
	return nil
}

// A pageWriter is a *bufio.Writer or a *bytes.Buffer.
type pageWriter interface {
	io.Writer
	io.StringWriter
	io.ByteWriter
}
