package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// A Duration is a time.Duration as people write it: 500ms, 15s, 1h30m, 7d.
type Duration time.Duration

const day = 24 * time.Hour

// String is what one would write: 1m, not 1m0s, and 7d, not 168h0m0s.
func (d Duration) String() string {
	if std := time.Duration(d); std > day && std%day == 0 {
		return strconv.FormatInt(int64(std/day), 10) + "d"
	}
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// MarshalText writes what String says.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what [time.ParseDuration] does, with days before it. It
// refuses what is negative.
func (d *Duration) UnmarshalText(text []byte) error {
	s := string(text)
	if _, err := strconv.ParseFloat(s, 64); err == nil && strings.Trim(s, "+-0.") != "" {
		return fmt.Errorf("%q has no unit: write it like %ss, %sm or %sh", s, s, s, s)
	}
	std, ok := parseDuration(s)
	switch {
	case !ok:
		return fmt.Errorf("%q is not a duration: write it like 500ms, 15s, 1h30m or 7d", s)
	case std < 0:
		return fmt.Errorf("%q is negative", s)
	}
	*d = Duration(std)
	return nil
}

func parseDuration(s string) (time.Duration, bool) {
	var days time.Duration
	if number, rest, found := strings.Cut(s, "d"); found {
		n, err := strconv.ParseUint(number, 10, 32)
		if err != nil || n > uint64(math.MaxInt64/day) {
			return 0, false
		}
		days, s = time.Duration(n)*day, rest
		if s == "" {
			return days, true
		}
		if s[0] == '-' || s[0] == '+' {
			return 0, false
		}
	}
	rest, err := time.ParseDuration(s)
	if err != nil || rest > math.MaxInt64-days {
		return 0, false
	}
	return days + rest, true
}
