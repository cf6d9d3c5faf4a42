package nave_test

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/navehub/nave"
)

func TestParseCursor(t *testing.T) {
	longest := strings.Repeat("z", 32)
	for text, want := range map[string]nave.Cursor{
		"k3v9x1-42":                       {Epoch: "k3v9x1", Offset: 42},
		"a-0":                             {Epoch: "a", Offset: 0},
		"7-18446744073709551615":          {Epoch: "7", Offset: math.MaxUint64},
		longest + "-18446744073709551615": {Epoch: nave.Epoch(longest), Offset: math.MaxUint64},
	} {
		if got, err := nave.ParseCursor(text); err != nil || got != want || got.String() != text {
			t.Errorf("ParseCursor(%q) = %v, %v, want %v", text, got, err, want)
		}
	}
}

func TestParseCursorRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":             "",
		"no offset":           "k3v9x1",
		"empty offset":        "k3v9x1-",
		"no epoch":            "-42",
		"only a dash":         "-",
		"leading zero":        "k3v9x1-042",
		"two zeros":           "k3v9x1-00",
		"plus":                "k3v9x1-+1",
		"minus":               "k3v9x1--1",
		"underscore":          "k3v9x1-1_0",
		"hexadecimal":         "k3v9x1-0x1",
		"other digits":        "k3v9x1-٤٢",
		"past uint64":         "k3v9x1-18446744073709551616",
		"two offsets":         "k3v9x1-1-2",
		"upper case":          "K3-42",
		"long epoch":          strings.Repeat("z", 33) + "-1",
		"space":               " k3v9x1-42",
		"line end":            "k3v9x1-42\n",
		"injection":           "k3v9x1-42\r\ndata: x",
		"NUL":                 "k3v9x1-42\x00",
		"not UTF-8":           "\xff-42",
		"a megabyte of digit": "k3v9x1-" + strings.Repeat("9", 1<<20),
		"a megabyte of epoch": strings.Repeat("z", 1<<20) + "-1",
	} {
		t.Run(name, func(t *testing.T) {
			got, err := nave.ParseCursor(text)
			if nave.CodeOf(err) != nave.CodeInvalid || !got.IsZero() {
				t.Fatalf("= %v, %v, want invalid", got, err)
			}
			if len(err.Error()) > 1000 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
			checkClean(t, err.Error())
		})
	}
}

var cursors = rapid.Custom(func(t *rapid.T) nave.Cursor {
	return nave.Cursor{
		Epoch:  nave.Epoch(rapid.StringMatching(`[a-z0-9]{1,32}`).Draw(t, "epoch")),
		Offset: rapid.Uint64().Draw(t, "offset"),
	}
})

func TestCursorRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := cursors.Draw(t, "cursor")
		if got, err := nave.ParseCursor(want.String()); got != want || err != nil {
			t.Errorf("%v, written and read, is %v, %v", want, got, err)
		}
		if got := string(want.AppendText([]byte("id: "))); got != "id: "+want.String() {
			t.Errorf("AppendText wrote %q", got)
		}
	})
}

func TestZeroCursor(t *testing.T) {
	var c nave.Cursor
	if !c.IsZero() || c.String() != "" {
		t.Errorf("IsZero = %v, String = %q", c.IsZero(), c)
	}
	if (nave.Cursor{Epoch: "a"}).IsZero() {
		t.Error("a cursor at the beginning of a log is not zero: its owner knows the log")
	}
}

func FuzzParseCursor(f *testing.F) {
	for _, s := range []string{"k3v9x1-42", "a-0", "a-00", "-1", "a-18446744073709551616", "A-1", "a-1\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := nave.ParseCursor(s)
		switch {
		case err != nil && nave.CodeOf(err) != nave.CodeInvalid:
			t.Errorf("code %q", nave.CodeOf(err))
		case err == nil && c.String() != s:
			t.Errorf("%q was read as %q: a cursor has one text", s, c)
		}
	})
}
