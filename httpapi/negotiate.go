package httpapi

import (
	"mime"
	"strconv"
	"strings"

	"github.com/navehub/nave/sse"
)

const (
	jsonType   = "application/json"
	ndjsonType = "application/x-ndjson"
)

// eventFormats are the ways in which events can be had. A client that does not
// care, such as curl, gets the first.
var eventFormats = []string{sse.MediaType, ndjsonType, jsonType}

// negotiate picks the offer that the Accept headers like best, the first of
// several, or "" if they like none.
func negotiate(accept, offers []string) string {
	ranges := parseAccept(accept)
	if ranges == nil {
		return offers[0]
	}
	best, chosen := 0.0, ""
	for _, offer := range offers {
		if q := quality(ranges, offer); q > best {
			best, chosen = q, offer
		}
	}
	return chosen
}

// A mediaRange is one element of an Accept header.
type mediaRange struct {
	kind string // such as "text/*"
	q    float64
}

// parseAccept leaves out what it cannot read. It returns nil if nothing was
// asked for, which is not the same as nothing readable.
func parseAccept(accept []string) []mediaRange {
	all := strings.Join(accept, ",")
	if strings.TrimSpace(all) == "" {
		return nil
	}
	ranges := make([]mediaRange, 0, 4)
	for element := range strings.SplitSeq(all, ",") {
		kind, parameters, err := mime.ParseMediaType(element)
		if err != nil {
			continue
		}
		r := mediaRange{kind, 1}
		if text, ok := parameters["q"]; ok {
			if r.q, err = strconv.ParseFloat(text, 64); err != nil || !(r.q >= 0 && r.q <= 1) {
				continue
			}
		}
		ranges = append(ranges, r)
	}
	return ranges
}

// quality is what the most specific range that matches says about the offer.
func quality(ranges []mediaRange, offer string) float64 {
	family, _, _ := strings.Cut(offer, "/")
	for _, kind := range []string{offer, family + "/*", "*/*"} {
		q, found := 0.0, false
		for _, r := range ranges {
			if r.kind == kind {
				q, found = max(q, r.q), true
			}
		}
		if found {
			return q
		}
	}
	return 0
}
