package config_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/navehub/nave/config"
)

func TestErrors(t *testing.T) {
	tests := []struct {
		name  string
		file  string
		env   []string
		flags map[string]string
		want  string // every error, a line each
	}{
		{
			name: "a typing mistake",
			file: "lissten: :80\n",
			want: `nave.yaml:1: unknown key "lissten" at the top level: did you mean listen?`,
		}, {
			name: "a typing mistake in a section of a section",
			file: "log:\n  retention:\n    durabel: {age: 1h}\n",
			want: `nave.yaml:3: unknown key "durabel" in log.retention: did you mean durable?`,
		}, {
			name: "a key one level too high",
			file: "max_lag: 1m\n",
			want: `nave.yaml:1: unknown key "max_lag" at the top level: did you mean client.max_lag, which is max_lag below client?`,
		}, {
			name: "a key of the top level in a section",
			file: "log:\n  listen: :80\n",
			want: `nave.yaml:2: unknown key "listen" in log: did you mean listen at the top level?`,
		}, {
			name: "a section in a wrong place",
			file: "retention: {memory: {age: 1h}}\n",
			want: `nave.yaml:1: unknown key "retention" at the top level: did you mean log.retention, which is retention below log?`,
		}, {
			name: "a key that could be in two places",
			file: "log:\n  age: 1h\n",
			want: `nave.yaml:2: unknown key "age" in log: did you mean log.retention.durable.age or log.retention.memory.age?`,
		}, {
			name: "a path as a key",
			file: "client.max_lag: 1m\n",
			want: `nave.yaml:1: unknown key "client.max_lag" at the top level: did you mean client.max_lag, which is max_lag below client?`,
		}, {
			name: "one wrong letter is nearer than another section",
			file: "limits: {filter: 3}\n",
			want: `nave.yaml:1: unknown key "filter" in limits: did you mean filters?`,
		}, {
			name: "a key of a rule elsewhere",
			file: "durability: memory\n",
			want: `nave.yaml:1: unknown key "durability" at the top level: did you mean topics[].durability, which is durability below topics?`,
		}, {
			name: "a key unlike any other",
			file: "cors:\n  allow_credentials: true\n",
			want: `nave.yaml:2: unknown key "allow_credentials" in cors: it has hosts, origins`,
		},
		{
			name: "a rule for the hub's own topics",
			file: "topics:\n  - {filter: $hub/**, durability: transient}\n",
			want: `nave.yaml:2: topics[0].filter: $hub/**: topics that start with $ are the hub's own, and no rule is for them`,
		}, {
			name: "a typing mistake in a rule",
			file: "topics:\n  - filter: a\n  - filter: b\n    durabilty: memory\n",
			want: `nave.yaml:4: unknown key "durabilty" in topics[1]: did you mean durability?`,
		}, {
			name: "a key twice",
			file: "data: a\nlog: {engine: memory}\ndata: b\n",
			want: `nave.yaml:3: data: is on line 1 already`,
		}, {
			name: "no unit",
			file: "client:\n  heartbeat: 15\n",
			want: `nave.yaml:2: client.heartbeat: "15" has no unit: write it like 15s, 15m or 15h`,
		}, {
			name: "no duration",
			file: "client:\n  heartbeat: ten\n",
			want: `nave.yaml:2: client.heartbeat: "ten" is not a duration: write it like 500ms, 15s, 1h30m or 7d`,
		}, {
			name: "a negative duration",
			file: "client: {retry_spread: -1s}\n",
			want: `nave.yaml:1: client.retry_spread: "-1s" is negative`,
		}, {
			name: "an ambiguous size",
			file: "limits:\n  body: 2M\n",
			want: `nave.yaml:2: limits.body: "2M" can mean two sizes: write 2MiB (units of 1048576) or 2MB (units of 1000000)`,
		}, {
			name: "no size",
			file: "limits:\n  body: large\n",
			want: `nave.yaml:2: limits.body: "large" is not a size: write it like 512B, 256KiB, 1GiB or 10MB`,
		}, {
			name: "levels that make no sense",
			file: "levels:\n  automatic: maybe\n  hold: 10ms\n",
			want: `nave.yaml:2: levels.automatic: "maybe" is unknown: use on or off
nave.yaml:3: levels.hold: 10ms is too little: the least is 1s`,
		}, {
			name: "less memory than a hub needs",
			file: "levels: {memory: 1MiB}\n",
			want: `nave.yaml:1: levels.memory: 1MiB is less than the hub itself needs: give it at least 32MiB, or 0 for what the process may have`,
		}, {
			name: "no numbers",
			file: "limits: {batch: many}\ntopics: [{filter: a, rate: .nan}, {filter: b, burst: 1.5}]\n",
			want: `nave.yaml:1: limits.batch: "many" is not a whole number
nave.yaml:2: topics[0].rate: ".nan" is not a number
nave.yaml:2: topics[1].burst: "1.5" is not a whole number`,
		}, {
			name: "a value that is not one of a few",
			file: "log:\n  engine: rocks\nlogging: {format: xml}\n",
			want: `nave.yaml:2: log.engine: "rocks" is unknown: use pebble or memory
nave.yaml:3: logging.format: "xml" is unknown: use text or json`,
		}, {
			name: "no durability",
			file: "topics: [{filter: a, durability: disk}]\n",
			want: `nave.yaml:1: topics[0].durability: durability "disk" is unknown: use durable, memory or transient`,
		}, {
			name: "too little",
			file: "limits: {batch: 0}\nclient:\n  heartbeat: 10ms\nlog: {retention: {memory: {bytes: 0}}}\ntopics: [{filter: a, rate: -1}]\n",
			want: `nave.yaml:1: limits.batch: 0 is too little: the least is 1
nave.yaml:3: client.heartbeat: 10ms is too little: the least is 1s
nave.yaml:4: log.retention.memory.bytes: 0 is too little: the least is 64KiB
nave.yaml:5: topics[0].rate: -1 is too little: the least is 0`,
		}, {
			name: "no value",
			file: "listen:\nlogging:\n  level: ~\n",
			want: `nave.yaml:1: listen: has no value: give it one, or leave it out
nave.yaml:3: logging.level: has no value: give it one, or leave it out`,
		}, {
			name: "wrong shapes",
			file: "listen: {port: 80}\nshutdown: 15s\ncors: {origins: '*'}\ntopics: {filter: a}\n",
			want: `nave.yaml:1: listen: is a single value: write it like listen: 127.0.0.1:8080
nave.yaml:2: shutdown: is a section: write its settings indented below it (timeout)
nave.yaml:3: cors.origins: is a list: write it like ["a", "b"]
nave.yaml:4: topics: is a list: write an item a line below it, each beginning with a dash`,
		}, {
			name: "wrong shapes in lists",
			file: "topics: [a]\ncors: {origins: [{a: b}]}\n",
			want: `nave.yaml:1: topics[0]: is a section: write its settings indented below it (filter, durability, rate, burst)
nave.yaml:2: cors.origins[0]: is a single value`,
		}, {
			name: "YAML that is not for people",
			file: "listen: &a :80\ndata: *a\nlog: !!map {}\n",
			want: `nave.yaml:1: listen: anchors, aliases and tags of YAML are not supported: write the value itself
nave.yaml:2: data: anchors, aliases and tags of YAML are not supported: write the value itself
nave.yaml:3: log: anchors, aliases and tags of YAML are not supported: write the value itself`,
		}, {
			name: "two documents",
			file: "listen: :80\n---\nlisten: :81\n",
			want: `nave.yaml:3: a second document begins here: one is all that is read`,
		}, {
			name: "no configuration",
			file: "- listen\n",
			want: `nave.yaml:1: this is no configuration: write settings like listen: 127.0.0.1:8080`,
		}, {
			name: "a large file",
			file: strings.Repeat("#\n", 200_000),
			want: `nave.yaml:1: this is no configuration: it has more than 256KiB`,
		}, {
			name: "no YAML",
			file: "listen: :80\n\tdata: x\n",
			want: "nave.yaml:2: found character '\t' that cannot start any token",
		}, {
			name: "addresses",
			file: "listen: 8080\n",
			want: `nave.yaml:1: listen: "8080" is not an address: write it like 127.0.0.1:8080, or :8080 for every address`,
		}, {
			name:  "ports",
			flags: map[string]string{"listen": ":http", "data": ""},
			want: `--listen: listen: ":http" has no port between 0 and 65535
--data: data: is empty: name a directory, such as ./nave-data`,
		}, {
			name: "an event that no body can carry",
			file: "limits:\n  body: 100KiB\n",
			want: `nave.yaml:2: limits.body: an event of 256KiB (limits.event) does not fit into a body of 100KiB (limits.body)`,
		}, {
			name: "an event larger than a body",
			env:  []string{"NAVE_LIMITS_EVENT=2MiB"},
			want: `NAVE_LIMITS_EVENT: limits.event: an event of 2MiB (limits.event) does not fit into a body of 1MiB (limits.body)`,
		}, {
			name: "origins",
			file: "cors:\n  origins:\n    - https://a.example\n    - b.example\n    - https://c.example/\n",
			want: `nave.yaml:4: cors.origins[1]: "b.example" is not an origin: write it like https://example.com, without a path
nave.yaml:5: cors.origins[2]: "https://c.example/" is not an origin: write it like https://example.com, without a path`,
		}, {
			name: "wildcards",
			file: "cors:\n  origins: ['*', 'http://localhost:*', 'http://*.x.com', 'https://*:*']\n",
			want: `nave.yaml:2: cors.origins[2]: "http://*.x.com" has a * in its host: it can stand for a port, as in http://localhost:*, or alone for every origin
nave.yaml:2: cors.origins[3]: "https://*:*" has a * in its host: it can stand for a port, as in http://localhost:*, or alone for every origin`,
		}, {
			name: "a certificate without key",
			file: "tls:\n  certificate: hub.pem\n",
			want: `tls.key: is empty, but there is a certificate: name the file with its private key`,
		}, {
			name: "a key without certificate",
			file: "tls:\n  key: hub.key\n",
			want: `tls.certificate: is empty, but there is a key: name the file with its certificate`,
		}, {
			name: "two ways to a certificate",
			file: "tls:\n  certificate: hub.pem\n  key: hub.key\n  acme: {domains: [hub.example.com]}\n",
			want: `nave.yaml:4: tls.acme.domains: are for certificates that the hub gets by itself, but there is tls.certificate: set one of the two`,
		}, {
			name: "domains",
			file: "tls:\n  acme:\n    domains: [hub.example.com, '*.example.com', 192.0.2.7, 'https://hub.example.com', localhost]\n    email: me\n    directory: acme.example.com\n",
			want: `nave.yaml:3: tls.acme.domains[1]: "*.example.com" is a wildcard, which cannot be had by tls-alpn-01: name each domain
nave.yaml:3: tls.acme.domains[2]: "192.0.2.7" is an address: certificates are for names, such as hub.example.com
nave.yaml:3: tls.acme.domains[3]: "https://hub.example.com" is not a domain: write it like hub.example.com
nave.yaml:3: tls.acme.domains[4]: "localhost" is not a domain: write it like hub.example.com
nave.yaml:5: tls.acme.directory: "acme.example.com" is not the address of a directory: write it like https://acme.example.com/directory
nave.yaml:4: tls.acme.email: "me" is not an address of e-mail: write it like admin@example.com`,
		}, {
			name: "networks",
			file: "proxies:\n  trusted: [10.0.0.0/8, 192.0.2.7, '2001:db8::/32', '::1', 10.0.0.1/8, proxy, '::ffff:10.0.0.0/104', 'fe80::1%eth0', 10.0.0.0/33]\n",
			want: `nave.yaml:2: proxies.trusted[4]: "10.0.0.1/8" is an address in a network: write 10.0.0.0/8 for all of it, or 10.0.0.1 for the one
nave.yaml:2: proxies.trusted[5]: "proxy" is not a network: write it like 10.0.0.0/8, 2001:db8::/32 or 192.0.2.7
nave.yaml:2: proxies.trusted[6]: "::ffff:10.0.0.0/104" is a network of IPv4: write it like 10.0.0.0/8
nave.yaml:2: proxies.trusted[7]: "fe80::1%eth0" is not a network: write it like 10.0.0.0/8, 2001:db8::/32 or 192.0.2.7
nave.yaml:2: proxies.trusted[8]: "10.0.0.0/33" is not a network: write it like 10.0.0.0/8, 2001:db8::/32 or 192.0.2.7`,
		}, {
			name: "another header",
			file: "proxies: {header: x-real-ip}\n",
			want: `nave.yaml:1: proxies.header: "x-real-ip" is unknown: use x-forwarded-for or forwarded`,
		}, {
			name: "less than an event a day",
			file: "topics: [{filter: a, rate: 1e-300}, {filter: b, rate: 0.0000115}, {filter: c, rate: 0.000012}]\n",
			want: `nave.yaml:1: topics[0].rate: 1e-300 is less than one event a day: give it at least 1.2e-05, or 0 for no limit
nave.yaml:1: topics[1].rate: 1.15e-05 is less than one event a day: give it at least 1.2e-05, or 0 for no limit`,
		}, {
			name: "more than all events",
			file: "telemetry: {receipts: 1.5}\n",
			want: `nave.yaml:1: telemetry.receipts: 1.5 is more than all events: the most is 1`,
		}, {
			name: "no spread",
			file: "client: {retry_spread: 0s}\n",
			want: `nave.yaml:1: client.retry_spread: 0s is too little: the least is 1ms`,
		}, {
			name: "rules",
			file: "topics:\n  - rate: 5\n  - filter: a//b\n  - filter: a/**\n  - filter: a/**\n  - filter: b\n    burst: 5\n",
			want: `nave.yaml:2: topics[0].filter: filter is missing
nave.yaml:3: topics[1].filter: filter "a//b" has an empty segment: write it like cards/board-1
nave.yaml:5: topics[3].filter: a/** is in topics[2] already, and the first rule decides
nave.yaml:7: topics[4].burst: 5 has no effect without a rate`,
		}, {
			name: "variables",
			env: []string{
				"NAVE_LISTN=:80", "NAVE_MAX_LAG=1m", "NAVE_LOG_RETENTION_AGE=1h", "NAVE_LOGGING_ENGINE=memory", "NAVE_COLOUR=red",
				"NAVE_PORT=80", "NAVE_LIMITS_WAIT=30", "NAVE_TELEMETRY_SERVICE=\xff",
			},
			want: `NAVE_COLOUR: no setting has this variable: they are listed in docs/configuration.md
NAVE_LIMITS_WAIT: limits.wait: "30" has no unit: write it like 30s, 30m or 30h
NAVE_LISTN: no setting has this variable: did you mean NAVE_LISTEN?
NAVE_LOGGING_ENGINE: no setting has this variable: did you mean NAVE_LOG_ENGINE?
NAVE_LOG_RETENTION_AGE: no setting has this variable: did you mean NAVE_LOG_RETENTION_DURABLE_AGE or NAVE_LOG_RETENTION_MEMORY_AGE?
NAVE_MAX_LAG: no setting has this variable: did you mean NAVE_CLIENT_MAX_LAG?
NAVE_PORT: no setting has this variable: they are listed in docs/configuration.md
NAVE_TELEMETRY_SERVICE: telemetry.service: "\xff" is not valid UTF-8`,
		}, {
			name: "a list in a variable",
			env:  []string{"NAVE_TOPICS=[{filter: a, rat: 3}]", "NAVE_CORS_ORIGINS=a.example"},
			want: `NAVE_TOPICS: unknown key "rat" in topics[0]: did you mean rate?`,
		}, {
			name: "a variable that is judged as a whole",
			env:  []string{"NAVE_TOPICS=[{filter: a, burst: 3}]", "NAVE_CORS_ORIGINS=a.example"},
			want: `NAVE_CORS_ORIGINS: cors.origins[0]: "a.example" is not an origin: write it like https://example.com, without a path
NAVE_TOPICS: topics[0].burst: 3 has no effect without a rate`,
		}, {
			name:  "flags",
			flags: map[string]string{"log-level": "loud", "port": "80"},
			want: `--log-level: logging.level: "loud" is unknown: use debug, info, warn or error
--port: no setting has this flag: there are --anonymous-read, --data, --key, --listen, --log-format, --log-level`,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := load(t, test.file, test.env, test.flags)
			if err == nil {
				t.Fatal("it was accepted")
			}
			if err.Error() != test.want {
				t.Errorf("error:\n%v\nwant:\n%s", err, test.want)
			}
		})
	}
}

func TestValidate(t *testing.T) {
	c := config.Default()
	if err := c.Validate(); err != nil {
		t.Errorf("the default is not valid: %v", err)
	}
	c.Client.Heartbeat = 0
	c.Topics = config.Topics{{Filter: "a"}}
	err := c.Validate()
	const want = `topics[0].durability: "durability(0)" is unknown: use durable, memory or transient
client.heartbeat: 0s is too little: the least is 1s`
	if err == nil || err.Error() != want {
		t.Errorf("error:\n%v\nwant:\n%s", err, want)
	}
	if e, ok := errors.AsType[*config.Error](err); !ok || e.Path != "topics[0].durability" || e.Source != "" {
		t.Errorf("first error = %#v", e)
	}
}
