package main

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

func TestHelp(t *testing.T) {
	var all func(cmd *cobra.Command)
	all = func(cmd *cobra.Command) {
		args := strings.Fields(cmd.CommandPath())
		t.Run(cmd.CommandPath(), func(t *testing.T) {
			r := hubCommand(t, "", append(args[1:], "--help")...)
			if r.code != 0 || r.err != "" {
				t.Errorf("exit code %d, stderr %q", r.code, r.err)
			}
			golden(t, strings.Join(args, "-")+".txt", r.out)
			for line := range strings.Lines(r.out) {
				if n := len([]rune(line)); n > 85 || n > 81 && !strings.HasPrefix(line, " ") {
					t.Errorf("%d columns: %s", n, line)
				}
			}
		})
		for _, sub := range cmd.Commands() {
			all(sub)
		}
	}
	all(newRoot())
}

// What we tell people to type has to be a command line.
func TestExamplesParse(t *testing.T) {
	check := func(t *testing.T, example string) {
		_, line, _ := strings.Cut(example, "hub ")
		line, _, _ = strings.Cut(line, " | ")
		line, _, _ = strings.Cut(line, " > ")
		line, _, _ = strings.Cut(line, "  ")
		args := strings.Fields(strings.ReplaceAll(line, "'", ""))
		cmd, rest, err := newRoot().Find(args)
		if err == nil {
			err = cmd.ParseFlags(rest)
		}
		if err == nil {
			err = cmd.ValidateArgs(cmd.Flags().Args())
		}
		if err != nil {
			t.Errorf("%s: %v", example, err)
		}
	}
	var all func(cmd *cobra.Command)
	all = func(cmd *cobra.Command) {
		for example := range strings.Lines(cmd.Example) {
			check(t, strings.TrimSpace(example))
		}
		for _, sub := range cmd.Commands() {
			all(sub)
		}
	}
	all(newRoot())
}

func TestUsageErrors(t *testing.T) {
	for _, test := range []struct{ args, want string }{
		{"tial cards", `there is no command "hub tial": did you mean tail?`},
		{"tial --jsno", `there is no command "hub tial": did you mean tail?`},
		{"config pirnt", `there is no command "hub config pirnt": did you mean print?`},
		{"help publsh", `there is no command "hub publsh": did you mean publish?`},
		{"frobnicate", `there is no command "hub frobnicate"`},
		{"tail a --jsno", "there is no flag --jsno: did you mean --json?"},
		{"tail a -x", "unknown shorthand flag: 'x' in -x"},
		{"tail", "which topics? Name them, or a pattern such as 'cards/**'"},
		{"tail a/**/b", `filter "a/**/b": ** must be the last segment`},
		{"tail a --url localhost:8080", `"localhost:8080" is not the address of a hub: write it like http://localhost:8080`},
		{"version 2", `"2" is one argument too many: there are only flags`},
		{"publish --type t", "name one topic, such as cards/board-1"},
		{"publish a moved", `"moved" is one argument too many: after the topic there are --type and --data`},
		{"publish a", "say what happened with --type, as in --type card.moved"},
		{"publish a/* --type t", `topic "a/*": * is only for filters`},
		{"publish a --type t --if-version 1", "ifVersion needs a key: versions belong to keys"},
		{"publish a --type t --data done", `--data is not JSON: a text goes in quotes, as in '"done"'`},
		{"publish a --type t --data {x}", "--data is not JSON: invalid character 'x' looking for beginning of object key string"},
		{"publish a --type t --data @none.json", "--data: open none.json: no such file or directory"},
		{"publish a --type t --data ", "--data is empty: to remove the key, write null"},
		{"publish a --type t --key k --data -", "--data is empty: to remove the key, write null"},
		{"publish a --type t --key k --data @/dev/null", "--data is empty: to remove the key, write null"},
		{"publish a --type t --timeout 0", "--timeout is 0s: it must be more than 0"},
		{"publish --ndjson --timeout -1s", "--timeout is -1s: it must be more than 0"},
		{"healthcheck --timeout 0", "--timeout is 0s: it must be more than 0"},
		{"publish a --type t --timeout soon", `--timeout is "soon": it must be a duration such as 10s`},
		{"publish a --type t --key k --if-version -1", `--if-version is "-1": it must be a whole number, 0 or more`},
		{"publish --json=perhaps", `--json is "perhaps": it must be true or false`},
		{"publish a --ndjson", "with --ndjson everything about an event is on its line: leave out the topic"},
		{"publish --ndjson --type t", "with --ndjson everything about an event is on its line: leave out --type"},
		{"publish --ndjson --key k", "with --ndjson everything about an event is on its line: leave out --key"},
		{"publish --ndjson --data 1", "with --ndjson everything about an event is on its line: leave out --data"},
		{"publish --ndjson --if-version 0", "with --ndjson everything about an event is on its line: leave out --if-version"},
		{"publish --ndjson --id 1", "with --ndjson everything about an event is on its line: leave out --id"},
		{"publish --ndjson --source s", "with --ndjson everything about an event is on its line: leave out --source"},
		{"tail a --url user:secret@hub", `"…@hub" is not the address of a hub: write it like http://localhost:8080`},
		{"tail a --url http://user:sec%ret@hub", `"…@hub" is not the address of a hub: write it like http://localhost:8080`},
		{"key a b", "a key is in one file, not in 2"},
		{"key --algorithm none", `--algorithm: algorithm "none" is unknown: use HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512 or EdDSA`},
		{"token", "say whom it is for with --subject, as in --subject alice"},
		{"token alice", `"alice" is one argument too many: there are only flags`},
		{"token --subject a --source b --subscribe a", "--source is about events: say with --publish where they may go"},
		{"token --subject a --publish a/{team}", `--publish: "a/{team}" names a claim {team} that the token does not have: did you mean {sub}?`},
		{"token --subject a --publish a/**/b", `--publish: filter "a/**/b": ** must be the last segment`},
		{"token --subject a --subscribe a//{sub}", `--subscribe: filter "a//x" has an empty segment: write it like cards/board-1`},
		{"token --subject a --subscribe a --admin a/{sub", `--admin: "a/{sub" has a { that is no {claim}`},
		{"token --subject a --admin a/{}", `--admin: "a/{}" has a { that is no {claim}`},
		{"token --subject a --admin ", "--admin: filter is missing"},
		{"token --subject a --admin a --ttl 0", "--ttl is 0s: it must be more than 0"},
		{"token --subject a --admin a --ttl 30d", `--ttl is "30d": it must be a duration such as 10s`},
		{"token --subject a --token-file a", "there is no flag --token-file"},
		{"tail a --token abc", "there is no flag --token"},
		{"config validate a b", "there is one configuration file at most, not 2"},
	} {
		t.Run(test.args, func(t *testing.T) {
			r := hubCommand(t, "", strings.Split(test.args, " ")...)
			if first, rest, _ := strings.Cut(r.err, "\n"); first != "hub: "+test.want || !strings.HasSuffix(rest, "--help says more.\n") {
				t.Errorf("stderr:\n%s\nwant: hub: %s", r.err, test.want)
			}
			if r.code != exitUsage || r.out != "" {
				t.Errorf("exit code %d, stdout %q", r.code, r.out)
			}
		})
	}
}

func TestVersion(t *testing.T) {
	version = "v1.2.3"
	defer func() { version = "" }()
	for _, args := range []string{"version", "--version", "version --json"} {
		r := hubCommand(t, "", strings.Fields(args)...)
		if r.code != 0 || !strings.Contains(r.out, "v1.2.3") || strings.Count(r.out, "\n") != 1 {
			t.Errorf("hub %s: %+v", args, r)
		}
	}
}
