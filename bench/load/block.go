package load

import (
	"bytes"
	"math/rand/v2"
	"strconv"
)

// A block is one event of a stream, in the bytes that it was read from.
type block struct{ kind, id, data []byte }

var (
	ofHub    = []byte("hub.")
	offsetIs = []byte(`,"offset":`)
	dataIs   = []byte(`,"data":{"n":`)
	dueIs    = []byte(`,"t":`)
	byIs     = []byte(`,"p":`)
	afterIs  = []byte(`,"f":`)
)

// parse reads the block at the front of b, of the form that the servers write. n
// is how long it is; 0 if it has not all arrived.
func (k *block) parse(b []byte) (n int) {
	*k = block{}
	for {
		length := bytes.IndexByte(b[n:], '\n')
		if length < 0 {
			return 0
		}
		line := b[n : n+length]
		n += length + 1
		if len(line) == 0 {
			return n
		}
		switch line[0] {
		case 'e':
			k.kind = after(line, "event: ")
		case 'd':
			k.data = after(line, "data: ")
		case 'i':
			k.id = after(line, "id: ")
		}
	}
}

func after(line []byte, name string) []byte { return line[min(len(name), len(line)):] }

// isHubs reports whether it is an event of the hub's own.
func (k *block) isHubs() bool { return bytes.HasPrefix(k.kind, ofHub) }

// cursor is the id: an epoch and an offset. ok is false if it is none.
func (k *block) cursor() (epoch []byte, offset uint64, ok bool) {
	dash := bytes.IndexByte(k.id, '-')
	if dash < 0 {
		return nil, 0, false
	}
	digits := k.id[dash+1:]
	offset = uint64(number(&digits))
	return k.id[:dash], offset, len(digits) == 0
}

// An event is one that Publishers made.
type event struct {
	offset uint64 // 0 if it has none
	seq    int64
	due    int64
	by     int   // number of its publisher
	after  int64 // all events before this one had been accepted when it was sent
}

// event reads it.
func (k *block) event() (e event, ok bool) {
	at := bytes.Index(k.data, dataIs)
	if at < 0 {
		return e, false
	}
	head, rest := k.data[:at], k.data[at+len(dataIs):]
	if i := bytes.Index(head, offsetIs); i >= 0 {
		digits := head[i+len(offsetIs):]
		e.offset = uint64(number(&digits))
	}
	e.seq = number(&rest)
	e.due, ok = member(&rest, dueIs)
	by, ok2 := member(&rest, byIs)
	after, ok3 := member(&rest, afterIs)
	e.by, e.after = int(by), after
	return e, ok && ok2 && ok3
}

// member reads a name and a number off the front.
func member(b *[]byte, name []byte) (n int64, ok bool) {
	if !bytes.HasPrefix(*b, name) {
		return 0, false
	}
	*b = (*b)[len(name):]
	return number(b), true
}

// dataBytes is how much data an event has.
const dataBytes = 200

// padding is text that does not repeat itself within what a log compresses at
// once, or the log would be smaller than one of real events.
var padding = func() []byte {
	const letters = "abcdefghijklmnopqrstuvwxyz 0123456789"
	random := rand.New(rand.NewPCG(1, 2))
	text := make([]byte, 1<<20)
	for i := range text {
		text[i] = letters[random.IntN(len(letters))]
	}
	return text
}()

// appendData appends an event's data.
func appendData(b []byte, e *event) []byte {
	begin := len(b)
	b = append(b, `{"n":`...)
	b = strconv.AppendInt(b, e.seq, 10)
	b = append(b, dueIs...)
	b = strconv.AppendInt(b, e.due, 10)
	b = append(b, byIs...)
	b = strconv.AppendInt(b, int64(e.by), 10)
	b = append(b, afterIs...)
	b = strconv.AppendInt(b, e.after, 10)
	b = append(b, `,"x":"`...)
	size := dataBytes - len(`"}`) - (len(b) - begin)
	at := int(e.seq*dataBytes) % (len(padding) - dataBytes)
	b = append(b, padding[at:at+size]...)
	return append(b, `"}`...)
}
