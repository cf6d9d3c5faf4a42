package config_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/navehub/nave/config"
)

func TestDuration(t *testing.T) {
	for text, want := range map[string]struct {
		d       time.Duration
		printed string
	}{
		"0":      {0, "0s"},
		"0s":     {0, "0s"},
		"250ms":  {250 * time.Millisecond, "250ms"},
		"90s":    {90 * time.Second, "1m30s"},
		"60m":    {time.Hour, "1h"},
		"1h30m":  {90 * time.Minute, "1h30m"},
		"1h0m5s": {time.Hour + 5*time.Second, "1h0m5s"},
		"24h":    {24 * time.Hour, "24h"},
		"1d":     {24 * time.Hour, "24h"},
		"168h":   {7 * 24 * time.Hour, "7d"},
		"7d":     {7 * 24 * time.Hour, "7d"},
		"1d12h":  {36 * time.Hour, "36h"},
	} {
		var d config.Duration
		if err := d.UnmarshalText([]byte(text)); err != nil || time.Duration(d) != want.d || d.String() != want.printed {
			t.Errorf("%s is %s (%d), %v; want %s (%d)", text, d, d, err, want.printed, want.d)
		}
	}
}

func TestNoDuration(t *testing.T) {
	for _, text := range []string{
		"", "d", "-1d", "1.5d", "1d-2h", "1d+2h", "1d2d", "5", "1e3", "1d5", "-1s", "1 h", "99999999999d", "106751d24h", "s",
	} {
		var d config.Duration
		if err := d.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is accepted as %s", text, d)
		}
	}
}

func TestBytes(t *testing.T) {
	for text, want := range map[string]struct {
		b       config.Bytes
		printed string
	}{
		"0":       {0, "0"},
		"512":     {512, "512B"},
		"512B":    {512, "512B"},
		"64KiB":   {64 << 10, "64KiB"},
		"64kib":   {64 << 10, "64KiB"},
		"1 MiB":   {1 << 20, "1MiB"},
		"1024KiB": {1 << 20, "1MiB"},
		"1.5GiB":  {3 << 29, "1536MiB"},
		"10MB":    {1e7, "10MB"},
		"0.5KB":   {500, "500B"},
		"2TiB":    {2 << 40, "2TiB"},
	} {
		var b config.Bytes
		if err := b.UnmarshalText([]byte(text)); err != nil || b != want.b || b.String() != want.printed {
			t.Errorf("%s is %s (%d), %v; want %s (%d)", text, b, b, err, want.printed, want.b)
		}
	}
}

func TestNoBytes(t *testing.T) {
	for _, text := range []string{
		"", "B", "KiB", "-1KiB", "1M", "1k", "1XB", "1.0001KiB", "9999999999GiB", "1e300B", "infB", "nan", "0.5", "1KiB1", "1,5MB",
	} {
		var b config.Bytes
		if err := b.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is accepted as %s", text, b)
		}
	}
}

func TestTextRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := config.Duration(rapid.Int64Min(0).Draw(t, "duration"))
		var d2 config.Duration
		if err := d2.UnmarshalText([]byte(d.String())); err != nil || d2 != d {
			t.Errorf("duration %d: %s is read as %d, %v", d, d, d2, err)
		}
		b := config.Bytes(rapid.Int64Min(0).Draw(t, "bytes"))
		var b2 config.Bytes
		if err := b2.UnmarshalText([]byte(b.String())); err != nil || b2 != b {
			t.Errorf("size %d: %s is read as %d, %v", b, b, b2, err)
		}
	})
}
