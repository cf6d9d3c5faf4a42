package hub

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/navehub/nave"
)

var update = flag.Bool("update", false, "write the tables of docs/degradation.md")

// The page has the tables that the hub goes by.
func TestDegradationPageIsWhatTheHubDoes(t *testing.T) {
	const page = "../../docs/degradation.md"
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	is := text
	for name, table := range map[string]string{"losses": lossesTable(), "signals": signalsTable()} {
		begin, end := "<!-- "+name+" -->\n", "<!-- /"+name+" -->\n"
		before, rest, ok := bytes.Cut(is, []byte(begin))
		_, after, ended := bytes.Cut(rest, []byte(end))
		if !ok || !ended {
			t.Fatalf("%s has no place for the %s", page, name)
		}
		is = []byte(string(before) + begin + table + end + string(after))
	}
	if *update {
		if err := os.WriteFile(page, is, 0o600); err != nil {
			t.Fatal(err)
		}
	} else if !bytes.Equal(is, text) {
		t.Errorf("%s is not what the hub does: go test ./actors/hub -run Degradation -update. It should be:\n%s", page, is)
	}
}

func lossesTable() string {
	text := "| at | given up | instead |\n|---|---|---|\n"
	for _, l := range nave.Losses {
		text += fmt.Sprintf("| `%s` | %s | %s |\n", l.At, l.Feature, l.Instead)
	}
	return text
}

func signalsTable() string {
	text := "| signal | what it is | `shed` | `conserve` | `polling` | `off` | for | why so |\n|---|---|---|---|---|---|---|---|\n"
	for _, s := range signals(Levels{}.withDefaults()) {
		text += fmt.Sprintf("| `%s` | %s | %s | %s | %s | %s | %s | %s |\n", s.name, s.what,
			s.cell(s.from.shed), s.cell(s.from.conserve), s.cell(s.from.polling), s.cell(s.from.off), forHowLong(s.after), s.why)
	}
	return text
}

func (s *signal) cell(threshold float64) string {
	if threshold == 0 {
		return ""
	}
	return s.unit.text(threshold)
}

func forHowLong(d time.Duration) string {
	if d == 0 {
		return "at once"
	}
	return fmt.Sprintf("%d s", int(d.Seconds()))
}
