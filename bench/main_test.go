//go:build linux

package main

import (
	"errors"
	"flag"
	"testing"
)

func TestWordsAreReadBeforeAnythingIsDone(t *testing.T) {
	for _, args := range [][]string{{"nosuch"}, {"idle", "more"}, {"idle", "-servers", "nosuch"}, {"all", "quick"}, {"all", "-out", "/nosuch/x"}} {
		if code := run(t.Context(), args); code != 2 {
			t.Errorf("%q: code %d, want 2", args, code)
		}
	}
	for _, args := range [][]string{{}, {"-help"}, {"help"}, {"idle", "-help"}, {"all", "-h"}} {
		if do, err := prepare(args); !errors.Is(err, flag.ErrHelp) || do != nil {
			t.Errorf("%q: %v", args, err)
		}
		if code := run(t.Context(), args); code != 0 {
			t.Errorf("%q: code %d, want 0", args, code)
		}
	}
}
