package config_test

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/navehub/nave"
	"github.com/navehub/nave/config"
)

var update = flag.Bool("update", false, "write the golden files and docs/configuration.md")

// golden compares got with the file, or writes it.
func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil { //nolint:gosec // a file of the repository
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s is out of date; write it with go test ./config -update\n-file +now:\n%s", file, diff)
	}
}

// printed is what somebody may have configured who likes to make trouble.
func printed() config.Config {
	c := config.Default()
	c.Listen = "[::1]:8080"
	c.Data = "C:\\data # \"x\"\n\t'ü'\u2028"
	c.Telemetry.Service = "null"
	c.CORS.Origins = []string{"https://a.example", "http://localhost:5173"}
	c.Topics = config.Topics{
		{Filter: "session/**", Durability: nave.Memory},
		{Filter: "*/ü #1", Durability: nave.Transient, Rate: 2.5e10, Burst: 3},
	}
	return c
}

func TestPrintRoundTrip(t *testing.T) {
	bare := config.Default()
	bare.CORS.Origins = []string{}
	for _, want := range []config.Config{config.Default(), printed(), bare} {
		for _, sources := range []config.Sources{nil, {"listen": "--listen"}} {
			var file bytes.Buffer
			if err := want.Print(&file, sources); err != nil {
				t.Fatal(err)
			}
			got, _, err := load(t, file.String(), nil, nil)
			if err != nil {
				t.Fatalf("%v in:\n%s", err, &file)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-printed +read:\n%s", diff)
			}
		}
	}
}

func TestPrintWithSources(t *testing.T) {
	c := printed()
	var file bytes.Buffer
	err := c.Print(&file, config.Sources{
		"listen": "--listen", "data": "NAVE_DATA", "topics": "nave.yaml:1",
		"topics[0]": "nave.yaml:2", "topics[0].filter": "nave.yaml:2", "topics[0].durability": "nave.yaml:3", "topics[1]": "nave.yaml:4",
	})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/printed.yaml", file.Bytes())
}

func TestReferenceIsUpToDate(t *testing.T) {
	var page bytes.Buffer
	if err := config.Reference(&page); err != nil {
		t.Fatal(err)
	}
	golden(t, "../docs/configuration.md", page.Bytes())

	_, _, err := load(t, "\n\nlimits: {max_lag: 1m}\n\n\n\nlog: {idempotency_window: 24}\n", []string{"NAVE_LOGGING_LEVEL=verbose"}, nil)
	if shown := "```\n" + err.Error() + "\n```"; !strings.Contains(page.String(), shown) {
		t.Errorf("the page shows other errors than\n%s", shown)
	}
}
