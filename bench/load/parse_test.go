package load

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

const stream = "id: k3v9-41\nevent: hub.sync\nretry: 2000\ndata: {\"status\":\"live\",\"cursor\":\"k3v9-41\"}\n\n" +
	"event: card.moved\ndata: {\"topic\":\"board/7\",\"offset\":42,\"data\":{\"n\":17,\"t\":1700000000000000000,\"p\":3,\"f\":9,\"x\":\"xx\"}}\nid: k3v9-42\n\n" +
	"event: card.moved\ndata: {\"topic\":\"board/7\",\"data\":{\"n\":18,\"t\":5,\"p\":0,\"f\":0,\"x\":\"\"}}\n\n"

func TestBlocksAreReadWholeOrNotAtAll(t *testing.T) {
	for cut := range len(stream) {
		var got []string
		b := []byte(stream[:cut])
		for _, more := range []string{"", stream[cut:]} {
			b = append(b, more...)
			for {
				var k block
				n := k.parse(b)
				if n == 0 {
					break
				}
				b = b[n:]
				_, offset, _ := k.cursor()
				e, ok := k.event()
				got = append(got, fmt.Sprint(k.isHubs(), offset, e, ok))
			}
		}
		want := "true 41 {0 0 0 0 0} false; false 42 {42 17 1700000000000000000 3 9} true; false 0 {0 18 5 0 0} true"
		if g := strings.Join(got, "; "); g != want || len(b) != 0 {
			t.Fatalf("cut at %d: got %s, and %q is left; want %s", cut, g, b, want)
		}
	}
}

func TestDataHasItsSizeAndIsReadBack(t *testing.T) {
	for _, seq := range []int64{0, 9, 123456789} {
		want := event{seq: seq, due: 1700000000123456789, by: 12, after: seq / 2}
		data := appendData(nil, &want)
		if len(data) != dataBytes {
			t.Errorf("data of event %d has %d bytes, want %d", seq, len(data), dataBytes)
		}
		k := block{data: append([]byte(`{"topic":"a","data":`), data...)}
		if e, ok := k.event(); e != want || !ok {
			t.Errorf("read back %v, %v", e, ok)
		}
	}
}

func TestChunksAreTakenOffHoweverTheyArrive(t *testing.T) {
	const body = "5\r\nhello\r\n1A\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n"
	for cut := range len(body) {
		var c chunks
		var got []byte
		for _, part := range []string{body[:cut], body[cut:]} {
			b, err := c.strip([]byte(part))
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, b...)
		}
		if string(got) != "helloabcdefghijklmnopqrstuvwxyz" || c.phase != atEnd {
			t.Fatalf("cut at %d: got %q in phase %d", cut, got, c.phase)
		}
	}
	if _, err := new(chunks).strip([]byte("event: x")); err == nil {
		t.Error("a body without chunks was taken for one with")
	}
}

func TestAnswers(t *testing.T) {
	const answer = "HTTP/1.1 429 Too Many Requests\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nbusy"
	for cut := range len(answer) {
		if _, _, n, err := parseAnswer([]byte(answer[:cut])); n != 0 || err != nil {
			t.Fatalf("%d bytes of an answer were read as %d, %v", cut, n, err)
		}
	}
	status, body, n, err := parseAnswer([]byte(answer + "HTTP"))
	if status != 429 || string(body) != "busy" || n != len(answer) || err != nil {
		t.Errorf("got %d, %q, %d, %v", status, body, n, err)
	}
	if _, _, err := parseHead([]byte("SSH-2.0-OpenSSH\r\n\r\n")); err == nil {
		t.Error("another protocol was taken for HTTP")
	}
}

func TestOffsetsOfAnswers(t *testing.T) {
	for answer, want := range map[string]string{
		`{"cursor":"d7bb-3","events":[{"id":"i","offset":3,"version":3}]}`: "1 [3]",
		`{"cursor":"d7bb-2","events":[{"offset":1},{"offset":2}]}`:         "2 [1 2]",
		`{"events":[{},{}]}`: "2 [0 0]",
		`{"events":[]}`:      "0 []",
		`{"title":"x"}`:      "0 []",
		``:                   "0 []",
	} {
		var offsets []uint64
		n := eachOffset([]byte(answer), func(_ int64, offset uint64) { offsets = append(offsets, offset) })
		if got := fmt.Sprint(n, offsets); got != want {
			t.Errorf("%s is read as %s, want %s", answer, got, want)
		}
	}
}

func TestWindowsCountByDueTime(t *testing.T) {
	w := Window{From: 10, Until: 20}
	for _, due := range []int64{9, 10, 19, 20} {
		w.record(due, 1000)
	}
	if w.N() != 2 || w.Max() != 990 {
		t.Errorf("%d are counted, the longest %v", w.N(), w.Max())
	}
	(*Window)(nil).record(1, 2)
}

func TestPercentiles(t *testing.T) {
	var h Histogram
	for i := range 1000 {
		h.Record(int64(i+1) * int64(time.Microsecond))
	}
	for percent, want := range map[float64]time.Duration{0: 1, 50: 500, 99: 990, 100: 1000} {
		want *= time.Microsecond
		if got := h.At(percent); got < want || float64(got) > 1.02*float64(want) {
			t.Errorf("%g %% are %v, want %v", percent, got, want)
		}
	}
	if h.Max() != time.Millisecond || h.N() != 1000 {
		t.Errorf("the longest of %d is %v", h.N(), h.Max())
	}
}
