package config_test

import (
	"maps"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/navehub/nave"
	"github.com/navehub/nave/config"
)

// load loads text as the file nave.yaml.
func load(t *testing.T, text string, env []string, flags map[string]string) (config.Config, config.Sources, error) {
	t.Helper()
	t.Chdir(t.TempDir())
	o := config.Options{Env: env, Flags: flags}
	if text != "" {
		o.File = "nave.yaml"
		if err := os.WriteFile(o.File, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return config.Load(o)
}

func TestLoad(t *testing.T) {
	tests := []struct {
		name   string
		file   string
		env    []string
		flags  map[string]string
		change func(*config.Config) // what differs from the default
	}{
		{name: "nothing said", change: func(*config.Config) {}},
		{name: "only comments", file: "# nothing\n", change: func(*config.Config) {}},
		{
			name:   "sections with everything commented out",
			file:   "log:\n  # engine: memory\nclient:\ntopics:\ncors:\n  origins:\n",
			change: func(*config.Config) {},
		},
		{
			name: "a byte order mark and Windows line ends",
			file: "\ufefflisten: :80\r\ndata: d\r\n",
			change: func(c *config.Config) {
				c.Listen, c.Data = ":80", "d"
			},
		},
		{
			name: "flow style",
			file: `{listen: ":80", log: {engine: memory, retention: {durable: {age: 0, bytes: 0}}}}`,
			change: func(c *config.Config) {
				c.Listen, c.Log.Engine = ":80", "memory"
				c.Log.Retention.Durable = config.DurableRetention{}
			},
		},
		{
			name: "a rule begins with defaults",
			file: "topics:\n- filter: session/**\n  durability: memory\n- filter: a/*\n  rate: 0.5\n",
			change: func(c *config.Config) {
				c.Topics = config.Topics{
					{Filter: "session/**", Durability: nave.Memory},
					{Filter: "a/*", Durability: nave.Durable, Rate: 0.5},
				}
			},
		},
		{
			name: "lists in variables",
			env: []string{
				"NAVE_TOPICS=[{filter: session/**, durability: transient, rate: 10, burst: 20}]",
				"NAVE_CORS_ORIGINS=https://a.example, http://b.example:8080",
				"NAVE_AUTH_ISSUERS=[{issuer: i, url: https://i.example/keys, audience: [nave]}]",
			},
			change: func(c *config.Config) {
				c.Topics = config.Topics{{Filter: "session/**", Durability: nave.Transient, Rate: 10, Burst: 20}}
				c.CORS.Origins = []string{"https://a.example", "http://b.example:8080"}
				c.Auth.Issuers = config.Issuers{{Issuer: "i", URL: "https://i.example/keys", Audience: []string{"nave"}, Algorithms: []string{}}}
			},
		},
		{
			name: "variables that are not ours, or empty",
			env: []string{
				"PATH=/bin", "NAVE_LISTEN=",
				"NAVE_SERVICE_HOST=10.0.0.1", "NAVE_SERVICE_PORT=80", "NAVE_SERVICE_PORT_HTTP=80",
				"NAVE_PORT=tcp://10.0.0.1:80", "NAVE_PORT_80_TCP=tcp://10.0.0.1:80", "NAVE_PORT_80_TCP_ADDR=10.0.0.1",
				"NAVE_HUB_SERVICE_HOST=10.0.0.2", "NAVE_HUB_PORT=tcp://10.0.0.2:80", "NAVE_HUB_PORT_80_TCP_PROTO=tcp",
			},
			change: func(*config.Config) {},
		},
		{
			name: "flags go over variables, variables over the file",
			file: "listen: :1\ndata: file\nlogging: {level: warn}\nclient: {retry: 3s}\n",
			env:  []string{"NAVE_LISTEN=:2", "NAVE_DATA=variable", "NAVE_CLIENT_MAX_LAG=2m"},
			flags: map[string]string{
				"listen": ":3", "log-format": "json",
			},
			change: func(c *config.Config) {
				c.Listen, c.Data = ":3", "variable"
				c.Logging = config.Logging{Level: "warn", Format: "json"}
				c.Client.Retry = config.Duration(3 * time.Second)
				c.Client.MaxLag = config.Duration(2 * time.Minute)
			},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			want := config.Default()
			test.change(&want)
			got, _, err := load(t, test.file, test.env, test.flags)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestLoadTellsSources(t *testing.T) {
	_, got, err := load(t, "listen: :1\ndata: x\ntopics:\n  - filter: a\n    rate: 1\nlogging: {level: debug}\n",
		[]string{"NAVE_DATA=y", "NAVE_CORS_ORIGINS=https://a.example"}, map[string]string{"log-level": "info"})
	if err != nil {
		t.Fatal(err)
	}
	want := config.Sources{
		"listen":           "nave.yaml:1",
		"data":             "NAVE_DATA",
		"topics":           "nave.yaml:4",
		"topics[0]":        "nave.yaml:4",
		"topics[0].filter": "nave.yaml:4",
		"topics[0].rate":   "nave.yaml:5",
		"cors.origins":     "NAVE_CORS_ORIGINS",
		"logging.level":    "--log-level",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for path, want := range map[string]string{
		"topics[0].burst": "nave.yaml:4", "cors.origins[0]": "NAVE_CORS_ORIGINS", "log.engine": "", "client": "",
	} {
		if source := got.Of(path); source != want {
			t.Errorf("source of %s = %q, want %q", path, source, want)
		}
	}
}

func TestVariableOverList(t *testing.T) {
	c, sources, err := load(t, "topics: [{filter: a}, {filter: b}]\ncors: {origins: [https://a.example]}\n",
		[]string{"NAVE_TOPICS=[{filter: c}]", "NAVE_CORS_ORIGINS=*"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Topics) != 1 || c.Topics[0].Filter != "c" {
		t.Errorf("topics = %v, want the variable's", c.Topics)
	}
	for path, source := range maps.All(sources) {
		if strings.HasPrefix(source, "nave.yaml") {
			t.Errorf("%s still comes from %s", path, source)
		}
	}
}

func TestFileFromVariable(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("other.yaml", []byte("listen: :7\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, _, err := config.Load(config.Options{Env: []string{"NAVE_CONFIG=other.yaml"}})
	if err != nil || c.Listen != ":7" {
		t.Errorf("listen = %q, %v; want :7", c.Listen, err)
	}
	_, _, err = config.Load(config.Options{Env: []string{"NAVE_CONFIG=none.yaml"}})
	if want := "NAVE_CONFIG: open none.yaml: no such file or directory"; err == nil || err.Error() != want {
		t.Errorf("error = %v, want %s", err, want)
	}
	_, _, err = config.Load(config.Options{File: "none.yaml", Env: []string{"NAVE_CONFIG=other.yaml"}})
	if want := "configuration: open none.yaml: no such file or directory"; err == nil || err.Error() != want {
		t.Errorf("error = %v, want %s", err, want)
	}
}
