package auth

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/navehub/nave"
)

func TestTemplates(t *testing.T) {
	claims := map[string]any{
		"sub": "alice", "tenant": json.Number("7"), "teams": []any{"red", "blue"}, "empty": "", "none": []any{},
		"slash": "a/b", "star": "*", "stars": "**", "percent": "a%2Fb", "dollar": "$hub", "object": map[string]any{}, "flag": true,
		"lines": "a\nb", "long": strings.Repeat("x", 300),
	}
	for template, want := range map[string]string{
		"users/{sub}/**":              "users/alice/**",
		"{sub}":                       "alice",
		"tenant-{tenant}/*":           "tenant-7/*",
		"teams/{teams}/**":            "teams/red/** teams/blue/**",
		"{teams}/{teams}":             "red/red red/blue blue/red blue/blue",
		"cards/**":                    "cards/**",
		"users/{slash}/**":            "users/a%2Fb/**", // one segment, whatever it says
		"users/{percent}/**":          "users/a%252Fb/**",
		"users/{star}":                "users/%2A",
		"{stars}":                     "%2A%2A",
		"{dollar}/**":                 "%24hub/**",
		"$hub/{sub}":                  "$hub/alice",
		"users/{none}":                "",
		"users/{nobody}":              "error",
		"users/{empty}":               "error",
		"users/{object}":              "error",
		"users/{flag}":                "error",
		"users/{lines}":               "error",
		"users/{long}":                "error",
		"users/{":                     "error",
		"users/{}":                    "error",
		"**/{sub}":                    "error",
		"":                            "error",
		"{teams}" + manyTeams() + "x": "error",
		strings.Repeat("{sub}", 9):    "error",
		strings.Repeat("{none}", 9):   "error",
		strings.Repeat("a/", 200):     "error",
	} {
		filters, err := Templates{Subscribe: []string{template}}.fill(claims)
		got := "error"
		if err == nil {
			got = join(filters.Subscribe)
		} else if nave.CodeOf(err) != nave.CodeUnauthorised {
			t.Errorf("%s: %v has code %s", template, err, nave.CodeOf(err))
		}
		if got != want {
			t.Errorf("%s: %s (%v), want %s", template, got, err, want)
		}
	}
}

// A grant whose filters are large, or many, is refused before they are made.
func TestTemplatesAreBounded(t *testing.T) {
	many := make([]any, 900)
	for i := range many {
		many[i] = "a"
	}
	claims := map[string]any{"l": many, "s": strings.Repeat("v", 2500)}
	begun := testing.AllocsPerRun(1, func() {
		for _, template := range []string{"{l}" + strings.Repeat("{s}", 1500), strings.Repeat("{l}", 8), "{l}/{s}"} {
			if _, err := (Templates{Subscribe: []string{template}}).fill(claims); nave.CodeOf(err) != nave.CodeUnauthorised {
				t.Errorf("%.40s: %v", template, err)
			}
		}
	})
	if begun > 20_000 {
		t.Errorf("%v allocations", begun)
	}
}

// A source that comes to nothing must not become any source.
func TestASourceWithoutValueIsRefused(t *testing.T) {
	for _, sub := range []any{"", []any{}, []any{""}, nil} {
		if f, err := (Templates{Source: "{sub}"}).fill(map[string]any{"sub": sub}); nave.CodeOf(err) != nave.CodeUnauthorised {
			t.Errorf("%v: source %q, %v", sub, f.Source, err)
		}
	}
}

// manyTeams has more combinations than there may be filters.
func manyTeams() string { return strings.Repeat("/{teams}", 20) }

func join(filters nave.Filters) string {
	var all []string
	for _, f := range filters {
		all = append(all, string(f))
	}
	return strings.Join(all, " ")
}

func TestReadGrant(t *testing.T) {
	parse := func(text string) map[string]any {
		var claims map[string]any
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		if err := d.Decode(&claims); err != nil {
			t.Fatal(err)
		}
		return claims
	}
	got, given, err := readGrant(parse(`{"nave":{"publish":["a/*"],"subscribe":"b/**","admin":["clients"],"source":"{sub}"}}`), "nave")
	if err != nil || !given || !slices.Equal(got.Publish, []string{"a/*"}) || !slices.Equal(got.Subscribe, []string{"b/**"}) ||
		!slices.Equal(got.Admin, []string{"clients"}) || got.Source != "{sub}" {
		t.Errorf("grant = %+v, %v, %v", got, given, err)
	}
	if _, given, err := readGrant(parse(`{"other":{}}`), "nave"); given || err != nil {
		t.Errorf("a claim that is not there: %v, %v", given, err)
	}
	for _, wrong := range []string{
		`{"nave":"a/**"}`, `{"nave":["a/**"]}`, `{"nave":null}`, `{"nave":{"publsh":["a"]}}`, `{"nave":{"publish":{"a":1}}}`,
		`{"nave":{"publish":[["a"]]}}`, `{"nave":{"publish":[null]}}`, `{"nave":{"source":1}}`, `{"nave":{"source":["a"]}}`,
	} {
		if _, _, err := readGrant(parse(wrong), "nave"); nave.CodeOf(err) != nave.CodeUnauthorised {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}
