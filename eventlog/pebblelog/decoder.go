package pebblelog

import (
	"encoding/binary"
	"math"
	"time"
)

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// appendTime keeps any time to the nanosecond, the zero time too, in UTC.
func appendTime(b []byte, t time.Time) []byte {
	b = binary.AppendVarint(b, t.Unix())
	return binary.AppendUvarint(b, uint64(t.Nanosecond()))
}

// A decoder reads what the append functions wrote. Once something was wrong it
// stays bad and reads zeros.
type decoder struct {
	rest []byte
	bad  bool
}

func (d *decoder) version() {
	if d.byte() != encoding {
		d.bad = true
	}
}

func (d *decoder) byte() byte {
	if d.bad || len(d.rest) == 0 {
		d.bad = true
		return 0
	}
	b := d.rest[0]
	d.rest = d.rest[1:]
	return b
}

func (d *decoder) uint() uint64 {
	v, n := binary.Uvarint(d.rest)
	if d.bad || n <= 0 {
		d.bad = true
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

// count is a number of events.
func (d *decoder) count() int {
	v := d.uint()
	if v > math.MaxInt32 {
		d.bad = true
		return 0
	}
	return int(v)
}

func (d *decoder) bytes() []byte {
	n := d.uint()
	if d.bad || n > uint64(len(d.rest)) {
		d.bad = true
		return nil
	}
	b := d.rest[:n]
	d.rest = d.rest[n:]
	return b
}

func (d *decoder) text() string { return string(d.bytes()) }

func (d *decoder) time() time.Time {
	seconds, n := binary.Varint(d.rest)
	if d.bad || n <= 0 {
		d.bad = true
		return time.Time{}
	}
	d.rest = d.rest[n:]
	nanoseconds := d.uint()
	if nanoseconds >= uint64(time.Second) {
		d.bad = true
		return time.Time{}
	}
	return time.Unix(seconds, int64(nanoseconds)).UTC()
}
