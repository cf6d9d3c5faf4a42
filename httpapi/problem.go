package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors"
	"github.com/navehub/nave/frame"
)

const (
	problemType = "application/problem+json"
	// problemBase and the code make a problem's type, which never changes.
	problemBase = "https://github.com/navehub/nave/blob/main/docs/errors.md#"
)

// Codes that only HTTP has.
const (
	codeMethodNotAllowed nave.Code = "method-not-allowed"
	codeNotAcceptable    nave.Code = "not-acceptable"
	codeMisdirected      nave.Code = "misdirected"
	codeTimeout          nave.Code = "timeout"
	codeMediaType        nave.Code = "unsupported-media-type"
)

// A kind is what all problems of one code have in common.
type kind struct {
	status int
	title  string
	retry  bool // trying again later may help
}

// kinds are all that can be refused. The test data has the same list, for codes
// and statuses are a promise.
var kinds = map[nave.Code]kind{
	nave.CodeInvalid:       {http.StatusBadRequest, "The request is wrong", false},
	nave.CodeTooLarge:      {http.StatusRequestEntityTooLarge, "Too large", false},
	nave.CodeTooMany:       {http.StatusUnprocessableEntity, "Too many at once", false},
	nave.CodeConflict:      {http.StatusConflict, "Somebody was faster", false},
	nave.CodePartialRepeat: {http.StatusConflict, "Partly published before", false},
	nave.CodeReset:         {http.StatusGone, "The cursor is of no use any more", false},
	nave.CodeBusy:          {http.StatusTooManyRequests, "Too fast", true},
	nave.CodeOverloaded:    {http.StatusServiceUnavailable, "The hub is overloaded", true},
	nave.CodeDraining:      {http.StatusServiceUnavailable, "The hub is shutting down", true},
	nave.CodeUnavailable:   {http.StatusServiceUnavailable, "Something the hub needs does not work", true},
	nave.CodeDegraded:      {http.StatusServiceUnavailable, "Given up for now", true},
	nave.CodeUnauthorised:  {http.StatusUnauthorized, "No valid credential", false},
	nave.CodeForbidden:     {http.StatusForbidden, "Not allowed", false},
	nave.CodeInternal:      {http.StatusInternalServerError, "The hub has a defect", false},

	nave.CodeNotFound:    {http.StatusNotFound, "Nothing here", false},
	codeMethodNotAllowed: {http.StatusMethodNotAllowed, "Not possible here", false},
	codeNotAcceptable:    {http.StatusNotAcceptable, "No such format", false},
	codeMisdirected:      {http.StatusMisdirectedRequest, "Not for this hub", false},
	codeTimeout:          {http.StatusRequestTimeout, "The request took too long", false},
	codeMediaType:        {http.StatusUnsupportedMediaType, "Not a format that is understood here", false},
}

// A problem is a problem document (RFC 9457).
type problem struct {
	Type      string     `json:"type"`
	Title     string     `json:"title"`
	Status    int        `json:"status"`
	Code      nave.Code  `json:"code"`
	Detail    string     `json:"detail"`
	Conflicts []conflict `json:"conflicts,omitempty"`
	// Level is the hub's, if that is why.
	Level nave.Level `json:"level,omitempty"`

	retryAfter time.Duration
}

// A conflict tells the caller what to rebase on.
type conflict struct {
	Topic     nave.Topic `json:"topic"`
	Key       string     `json:"key"`
	IfVersion uint64     `json:"ifVersion"`
	Version   uint64     `json:"version"`
	// Event is the one that made the version, as pages have it.
	Event json.RawMessage `json:"event,omitempty"`
}

func problemOf(err error) problem {
	var coded *nave.Error
	if !errors.As(err, &coded) && errors.Is(err, actors.ErrStopped) { // the hub has ended before its server
		err = nave.Errorf(nave.CodeDraining, "the hub is shutting down")
	}
	code := nave.CodeOf(err)
	k, ok := kinds[code]
	if !ok {
		code, k = nave.CodeInternal, kinds[nave.CodeInternal]
	}
	p := problem{Type: problemBase + string(code), Title: k.title, Status: k.status, Code: code, Detail: err.Error()}
	if code == nave.CodeInternal {
		p.Detail = "this should not have happened; the hub's log says more" // what it says is not for everybody
	}
	if errors.As(err, &coded) {
		p.retryAfter = coded.RetryAfter
	}
	if k.retry {
		p.retryAfter = max(p.retryAfter, time.Second)
	}
	var degraded *nave.DegradedError
	if errors.As(err, &degraded) {
		p.Level, p.retryAfter = degraded.Level, degradedRetry
	}
	var conflicted *nave.ConflictError
	if errors.As(err, &conflicted) {
		p.Conflicts = conflictsOf(conflicted)
	}
	return p
}

// degradedRetry is when to look whether the level is better. Pages say it too.
const degradedRetry = 30 * time.Second

func conflictsOf(err *nave.ConflictError) []conflict {
	all := make([]conflict, len(err.Conflicts))
	for i, c := range err.Conflicts {
		all[i] = conflict{Topic: c.Topic, Key: c.Key, IfVersion: c.IfVersion, Version: c.Version}
		if c.Event != nil {
			all[i].Event = frame.New("", *c.Event, time.Time{}).JSON() // which has no cursor
		}
	}
	return all
}

// headers sets what goes with the document.
func (p *problem) headers(h http.Header) {
	h.Set("Content-Type", problemType)
	h.Set("Cache-Control", "no-store")
	for _, about := range []string{"ETag", "Content-Encoding"} { // the answer that this is instead of
		h.Del(about)
	}
	if p.Code == nave.CodeUnauthorised && h.Get("WWW-Authenticate") == "" {
		h.Set("WWW-Authenticate", challenge)
	}
	if p.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(p.retryAfter.Seconds()))))
	}
}

func (p *problem) body() []byte { return encode(p) }

// Refusal is a whole answer, after which the connection is closed: for servers that
// have no room for the request.
func Refusal(err error) []byte {
	p := problemOf(err)
	body := p.body()
	answer := http.Response{
		StatusCode: p.Status, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Close: true,
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	}
	p.headers(answer.Header)
	var whole bytes.Buffer
	_ = answer.Write(&whole) // a buffer takes everything
	return whole.Bytes()
}

// Refuse answers, for a handler before or beside the surface, with an error.
func Refuse(w http.ResponseWriter, err error) {
	p := problemOf(err)
	p.headers(w.Header())
	w.WriteHeader(p.Status)
	_, _ = w.Write(p.body()) // a reader that is gone needs no answer
}

func methodNotAllowed(method, allowed string) error {
	return nave.Errorf(codeMethodNotAllowed, "%.20q is not possible here; %s are", method, allowed)
}

// encode is v as one line of JSON.
func encode(v any) []byte {
	var b bytes.Buffer
	lines := json.NewEncoder(&b)
	lines.SetEscapeHTML(false) // events go out as they came, as in pages and state
	if err := lines.Encode(v); err != nil {
		panic(err) // our own types always marshal
	}
	return b.Bytes()
}
