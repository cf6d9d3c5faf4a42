package config_test

import (
	"math/big"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/navehub/nave/config"
)

// FuzzDuration: what is accepted is not negative, is printed so that it is read
// as the same again, and means what package time says where that knows the text.
func FuzzDuration(f *testing.F) {
	for _, text := range []string{
		"0", "0s", "15s", "1h30m", "7d", "1d12h", "250ms", "-1s", "1d-1h", "106751d23h47m16.854775807s", "106751d24h", "9223372036854775807ns", "1.5d",
		"1e9s", "NaN", "Inf", "0x1p4s", "1_000s", "+5m", "1µs", "1μs", "\xff", "", " 1s", "5", "1dd", "d", "00000000000000000000000001d", ".s", "1.s",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var d config.Duration
		if err := d.UnmarshalText([]byte(text)); err != nil {
			checkSentence(t, text, err)
			return
		}
		if d < 0 {
			t.Errorf("%q is negative: %d", text, d)
		}
		if std, err := time.ParseDuration(text); err == nil && std != time.Duration(d) {
			t.Errorf("%q is %v, package time says %v", text, d, std)
		}
		printed, _ := d.MarshalText()
		var again config.Duration
		if err := again.UnmarshalText(printed); err != nil || again != d {
			t.Errorf("%q is printed as %s, which is read as %v, %v", text, printed, again, err)
		}
	})
}

// FuzzBytes: what is accepted is a whole number of bytes, exactly what the text
// says, and is printed so that it is read as the same again.
func FuzzBytes(f *testing.F) {
	for _, text := range []string{
		"0", "512", "512B", "64KiB", "64kib", "1 MiB", "1.5GiB", "1.1KiB", "10MB", "8388607TiB", "8388608TiB", "9223372036854775807", "9223372036854775808B", "-1",
		"-0.0KB", "1e3", "1e400GB", "NaN", "InfB", "0x10", "0x1p4KB", "1_0B", "+1B", "1K", "1k", "1  B", "\u0031B", "１B", "9007199254740993B", "9007199254740993.0B", "", "B", ".B",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var b config.Bytes
		if err := b.UnmarshalText([]byte(text)); err != nil {
			checkSentence(t, text, err)
			return
		}
		if b < 0 {
			t.Errorf("%q is negative: %d", text, b)
		}
		if want, ok := exactBytes(text); ok && !want.IsInt() || ok && want.Num().Cmp(big.NewInt(int64(b))) != 0 {
			t.Errorf("%q is %d bytes, want %v", text, b, want)
		}
		printed, _ := b.MarshalText()
		var again config.Bytes
		if err := again.UnmarshalText(printed); err != nil || again != b {
			t.Errorf("%q is printed as %s, which is read as %d, %v", text, printed, again, err)
		}
	})
}

// exactBytes is what a decimal number and a unit mean, without rounding.
func exactBytes(text string) (*big.Rat, bool) {
	number := strings.TrimRight(text, "BKMGTibkmgtI")
	size := map[string]int64{
		"": 1, "b": 1, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40, "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12,
	}[strings.ToLower(text[len(number):])]
	number = strings.TrimRight(number, " ")
	if len(number) > 40 || strings.Trim(number, "0123456789.") != "" {
		return nil, false // hexadecimal, or with an exponent
	}
	n, ok := new(big.Rat).SetString(number)
	if !ok || size == 0 {
		return nil, false
	}
	return n.Mul(n, new(big.Rat).SetInt64(size)), true
}

// checkSentence checks that a refusal can be shown to a person. What is not UTF-8
// Load refuses before.
func checkSentence(t *testing.T, text string, err error) {
	t.Helper()
	if !utf8.ValidString(text) {
		return
	}
	if says := err.Error(); says == "" || !utf8.ValidString(says) || strings.ContainsAny(says, "\r\n\x00\x1b") {
		t.Errorf("%q is refused with %q", text, says)
	}
}
