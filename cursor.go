package nave

import (
	"strconv"
	"strings"
)

// A Cursor is where a subscriber stands: it has everything up to and including
// Offset in the log named by Epoch. As text, "<epoch>-<offset>", it is the SSE
// id, the Last-Event-ID, and the polling cursor. The zero Cursor stands nowhere.
type Cursor struct {
	Epoch  Epoch
	Offset uint64
}

// An Epoch is a log's identity: 1 to 32 lower-case letters and digits, made when
// the log is created. A lost or replaced log has another.
type Epoch string

const (
	maxEpochBytes  = 32
	maxCursorBytes = maxEpochBytes + len("-18446744073709551615")
)

// ParseCursor reads the text form. The error has [CodeInvalid].
func ParseCursor(s string) (Cursor, error) {
	if c, ok := parseCursor(s); ok {
		return c, nil
	}
	return Cursor{}, Errorf(CodeInvalid, "cursor %.*q is malformed: it looks like %q", maxCursorBytes, s, "k3v9x1-42")
}

// parseCursor accepts only what AppendText writes, so that equal cursors are
// equal as text.
func parseCursor(s string) (Cursor, bool) {
	epoch, offset, found := strings.Cut(s, "-")
	if len(s) > maxCursorBytes || !found || !Epoch(epoch).valid() {
		return Cursor{}, false
	}
	if len(offset) > 1 && offset[0] == '0' {
		return Cursor{}, false
	}
	n, err := strconv.ParseUint(offset, 10, 64)
	return Cursor{Epoch(epoch), n}, err == nil
}

func (e Epoch) valid() bool {
	if e == "" || len(e) > maxEpochBytes {
		return false
	}
	for _, c := range []byte(e) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// IsZero reports whether the cursor stands nowhere: its owner has seen nothing.
func (c Cursor) IsZero() bool { return c == Cursor{} }

// String is the text form; "" for the zero Cursor.
func (c Cursor) String() string {
	if c.IsZero() {
		return ""
	}
	return string(c.AppendText(nil))
}

// AppendText appends the text form to b.
func (c Cursor) AppendText(b []byte) []byte {
	b = append(b, c.Epoch...)
	b = append(b, '-')
	return strconv.AppendUint(b, c.Offset, 10)
}
