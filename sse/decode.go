package sse

import "unicode/utf8"

// decode puts U+FFFD in place of what is not UTF-8, once for every maximal
// subpart, as the UTF-8 decoder of the Encoding standard does. Line ends are
// never part of one, so lines can be decoded one by one.
//
// [spec] Streams must be decoded using the UTF-8 decode algorithm.
func decode(text []byte) []byte {
	if utf8.Valid(text) {
		return text
	}
	var out []byte
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		if r == utf8.RuneError && n == 1 {
			for n < len(text) && !utf8.FullRune(text[:n+1]) {
				n++
			}
		}
		out = utf8.AppendRune(out, r)
		text = text[n:]
	}
	return out
}
