package httpapi

import (
	"mime"
	"net/http"
	"strconv"

	"github.com/navehub/nave"
	"github.com/navehub/nave/receipt"
	"github.com/navehub/nave/telemetry"
)

const (
	// receiptsBody is how large a report may be: what a beacon may.
	receiptsBody = 64 << 10
	// receiptsRate is how many receipts a second count of one subject, or of an address
	// without a token.
	receiptsRate = 200
	maxDigits    = 20 // of a connection
)

// A report is what a client has received, as it says it.
type report struct {
	Connection  string   `json:"connection"`
	Sent        float64  `json:"sent"`
	Offset      *float64 `json:"offset"`
	Uncertainty *float64 `json:"uncertainty"`
	Receipts    []struct {
		Cursor   string  `json:"cursor"`
		Offset   uint64  `json:"offset"`
		Received float64 `json:"received"`
		Rendered float64 `json:"rendered"`
	} `json:"receipts"`
}

// receive answers POST /v1/receipts, always alike if it can be read: a page that is
// about to go has nobody who could do something about it.
func (x *exchange) receive() error {
	if x.who.Anonymous() && !x.who.Grant.Reads() {
		return x.needsToken("to say what one has received")
	}
	if err := isReport(x.r.Header); err != nil {
		return err
	}
	var said report
	if err := x.readJSONUpTo(&said, receiptsBody); err != nil {
		return err
	}
	r, err := x.reportOf(said)
	if err != nil {
		return err
	}
	r.Arrived = x.start
	if x.receipts.take(x.caller(), len(r.Receipts)) != nil {
		x.Telemetry.ReceiptLeftOut(telemetry.ReceiptTooMany, len(r.Receipts))
	} else {
		x.Hub.Receive(r, x.who)
	}
	x.WriteHeader(http.StatusNoContent)
	return nil
}

// isReport refuses other types than those that a page can send: text/plain is what a
// beacon has that asks nobody before.
func isReport(h http.Header) error {
	if kind, _, err := mime.ParseMediaType(h.Get("Content-Type")); err == nil && kind == "text/plain" {
		return nil
	}
	format, err := bodyFormat(h)
	if err == nil && format != jsonType {
		err = nave.Errorf(codeMediaType, "receipts are not read line by line: send application/json, or the same as text/plain")
	}
	return err
}

func (x *exchange) reportOf(said report) (receipt.Report, error) {
	r := receipt.Report{Sent: said.Sent, Offset: said.Offset, Uncertainty: said.Uncertainty}
	switch {
	case said.Sent <= 0:
		return r, nave.Errorf(nave.CodeInvalid, "sent is %g: it is when the report was sent, in milliseconds since 1970, by the clock that received is by", said.Sent)
	case len(said.Receipts) > receipt.Most:
		return r, nave.Errorf(nave.CodeTooMany, "the report has %d receipts; at most %d are allowed", len(said.Receipts), receipt.Most)
	}
	if said.Connection != "" {
		id, err := strconv.ParseUint(said.Connection, 10, 64)
		if err != nil || len(said.Connection) > maxDigits {
			return r, nave.Errorf(nave.CodeInvalid, "connection is %.40q: it is what the stream's hub.sync says, as \"17\"", said.Connection)
		}
		r.Connection = id
	}
	for i, one := range said.Receipts {
		if (one.Cursor == "") == (one.Offset == 0) {
			return r, nave.Errorf(nave.CodeInvalid, "receipt %d has to name its event, by its cursor or by its offset", i)
		}
		if c, err := nave.ParseCursor(one.Cursor); err == nil && c.Epoch == x.Hub.Epoch() {
			one.Offset = c.Offset // of another log it stays 0, which is nobody's
		}
		r.Receipts = append(r.Receipts, receipt.Receipt{Event: one.Offset, Received: one.Received, Rendered: one.Rendered})
	}
	return r, nil
}
