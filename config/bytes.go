package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Bytes is a size as people write it: 512B, 256KiB, 1GiB, 10MB.
type Bytes int64

// Binary units come first: of two ways to write a size exactly, String takes the
// first.
var units = []struct {
	name string
	size int64
}{
	{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10},
	{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"KB", 1e3}, {"B", 1},
}

// String is what one would write, and exact: 1MiB, 1500KB, 1025B.
func (b Bytes) String() string {
	if b == 0 {
		return "0"
	}
	for _, u := range units {
		if int64(b)%u.size == 0 {
			return strconv.FormatInt(int64(b)/u.size, 10) + u.name
		}
	}
	panic("unreachable: every size is a multiple of 1B")
}

// MarshalText writes what String says.
func (b Bytes) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// UnmarshalText reads a number and a unit, in capitals or not; a number alone is
// in bytes. It refuses what is negative or not a whole number of bytes.
func (b *Bytes) UnmarshalText(text []byte) error {
	s := string(text)
	number := strings.TrimRight(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
	name := s[len(number):]
	number = strings.TrimRight(number, " ")
	size, ok := unit(name)
	if !ok {
		return unknownUnit(s, number, name)
	}
	n, ok := multiply(number, size)
	if !ok {
		return fmt.Errorf("%q is not a size: write it like 512B, 256KiB, 1GiB or 10MB", s)
	}
	if n < 0 {
		return fmt.Errorf("%q is negative", s)
	}
	*b = Bytes(n)
	return nil
}

func unit(name string) (size int64, ok bool) {
	if name == "" {
		return 1, true
	}
	for _, u := range units {
		if strings.EqualFold(u.name, name) {
			return u.size, true
		}
	}
	return 0, false
}

func unknownUnit(s, number, name string) error {
	if _, isNumber := multiply(number, 1); isNumber && len(name) == 1 {
		letter := strings.ToUpper(name)
		if size, ok := unit(letter + "B"); ok {
			binary, _ := unit(letter + "iB")
			return fmt.Errorf("%q can mean two sizes: write %s%siB (units of %d) or %s%sB (units of %d)",
				s, number, letter, binary, number, letter, size)
		}
	}
	return fmt.Errorf("%q is not a size: write it like 512B, 256KiB, 1GiB or 10MB", s)
}

// multiply works on whole numbers where it can: a float64 has no room for them
// all.
func multiply(number string, size int64) (int64, bool) {
	if n, err := strconv.ParseInt(number, 10, 64); err == nil {
		return n * size, n <= math.MaxInt64/size && n >= -math.MaxInt64/size
	}
	f, err := strconv.ParseFloat(number, 64)
	f *= float64(size)
	whole := f == math.Trunc(f) && math.Abs(f) < 1<<53
	return int64(f), err == nil && whole
}
