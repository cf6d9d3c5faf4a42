package httpapi

import "bytes"

// A scanner takes well-formed JSON apart. That it is well-formed has been checked:
// encoding/json would do so again for every value that is handed to it.
type scanner struct{ rest []byte }

// inside is what an object or an array holds, up to and with its last bracket.
func inside(value []byte) scanner { return scanner{value[1:]} }

// next is the first byte of what comes next: a value, or the last bracket.
func (s *scanner) next() byte {
	for i, b := range s.rest {
		switch b {
		case ' ', '\t', '\r', '\n', ',', ':':
		default:
			s.rest = s.rest[i:]
			return b
		}
	}
	panic("httpapi: JSON ends too early") // it was well-formed
}

// value takes the next value.
func (s *scanner) value() []byte {
	s.next()
	n := lengthOf(s.rest)
	value := s.rest[:n]
	s.rest = s.rest[n:]
	return value
}

func lengthOf(value []byte) int {
	switch value[0] {
	case '"':
		return lengthOfString(value)
	case '{', '[':
		return lengthOfNested(value)
	}
	if end := bytes.IndexAny(value, " \t\r\n,]}"); end >= 0 {
		return end
	}
	return len(value)
}

func lengthOfString(value []byte) int {
	for i := 1; ; i++ {
		switch value[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
}

func lengthOfNested(value []byte) int {
	for i, depth := 0, 0; ; i++ {
		switch value[i] {
		case '"':
			i += lengthOfString(value[i:]) - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
}
