// Package config is the whole configuration of the hub: one struct, [Config].
//
// [Load] lays a YAML file over the defaults, environment variables over the
// file, and flags over those. It does not stop at the first mistake, and says of
// each where it stands, what is wrong and what would be right. A key or variable that
// does not exist is an error too, for a typing mistake must not become a default.
//
// The struct says all there is to say about a setting: its Go name gives its
// place in the file and the name of its variable, and its tags carry the rest.
//
//	default  its value unless somebody says otherwise, as it is written in the file
//	min      the least value that makes sense, 0 if the tag is absent
//	in       the only values there are, separated by |
//	flag     the flag that sets it
//	doc      one sentence or more for the commented file and the reference
package config

import (
	"log/slog"

	"github.com/navehub/nave"
)

// A Config is everything that can be set. Make one with [Default] or [Load].
type Config struct {
	Listen    string    `default:"127.0.0.1:8080" flag:"listen" doc:"Address of the HTTP server, as host:port. Without a host it listens on every address."`
	Data      string    `default:"./nave-data" flag:"data" doc:"Directory of the log."`
	SSE       string    `default:"on" in:"on|off" doc:"Whether there are live streams. With off clients poll, with the same cursors, whatever hub sse says."`
	Levels    Levels    `doc:"When the hub gives up what, by itself, to keep what is worth more: see docs/degradation.md."`
	Log       Log       `doc:"Where events are kept, and for how long."`
	Topics    Topics    `doc:"Rules for topics; the first whose filter matches decides. A topic that no rule names is durable and unlimited. A rule looks like {filter: session/**, durability: memory, rate: 100}."`
	Auth      Auth      `doc:"Who may do what. A token is a signed JWT whose claims list, as filters, what its bearer may do."`
	Limits    Limits    `doc:"What the hub accepts. Beyond it a request is refused with 413, 422, 429 or 503."`
	Client    Client    `doc:"How one connection of a subscriber is served."`
	Presence  Presence  `doc:"Who is shown to be present on topics."`
	CORS      CORS      `doc:"Which web pages may use the hub from a browser."`
	TLS       TLS       `doc:"How the hub speaks HTTPS itself. With neither a certificate nor domains it speaks plain HTTP."`
	Proxies   Proxies   `doc:"Whom the hub believes when it is told where a request comes from."`
	Shutdown  Shutdown  `doc:"How the hub ends."`
	Logging   Logging   `doc:"What the hub writes to standard error about itself."`
	Telemetry Telemetry `doc:"How the hub appears in traces and metrics. Everything else about them is set by the OTEL_* variables of OpenTelemetry."`
}

// Levels say how the hub comes by its service level.
type Levels struct {
	Automatic   string   `default:"on" in:"on|off" doc:"Whether the hub changes its service level by itself. With off only operators do; what speaks for another level is shown all the same."`
	Memory      Bytes    `default:"0" doc:"How much of the heap may be in use: from three quarters of it on the level gets worse. 0 is what GOMEMLIMIT or the control group lets the process have; without either, memory does not bear on the level."`
	Propagation Duration `default:"100ms" min:"1ms" doc:"From when on events are late. The level becomes shed if 1 % of them take longer from being accepted to being written, conserve if they take five times as long, and polling if half of them take thirty times as long."`
	Hold        Duration `default:"15s" min:"1s" doc:"How long all has to be calm before the level gets better by one. It grows up to eight times as long when the level gets worse again soon after."`
}

// Log says where events are kept, and for how long.
type Log struct {
	Engine            string    `default:"pebble" in:"pebble|memory" doc:"What stores events. With memory nothing survives the end of the process."`
	IdempotencyWindow Duration  `default:"24h" min:"1s" doc:"How long the id of an event is remembered, so that publishing it again stores nothing. Of events in memory it is the latest 524,288 ids at most."`
	MinFree           Bytes     `default:"64MiB" doc:"How much must stay free on the disk. With less, durable events are refused until there is more; streams, replay, and memory and transient events go on."`
	Retention         Retention `doc:"How long events can be replayed."`
}

// Retention says how long events can be replayed, by durability.
type Retention struct {
	Durable DurableRetention `doc:"Events on disk."`
	Memory  MemoryRetention  `doc:"Events of topics with durability memory."`
}

// DurableRetention bounds the events on disk.
type DurableRetention struct {
	Age   Duration `default:"7d" doc:"The oldest that an event gets; 0 is without limit."`
	Bytes Bytes    `default:"1GiB" doc:"The most that events take; 0 is without limit."`
}

// MemoryRetention bounds the events in memory.
type MemoryRetention struct {
	Age   Duration `default:"30m" doc:"The oldest that an event gets; 0 is without limit."`
	Bytes Bytes    `default:"16MiB" min:"64KiB" doc:"The most that events take. It cannot be without limit, since memory is not."`
}

// Auth says who may do what.
type Auth struct {
	Key         string    `default:"" flag:"key" doc:"File with the key that tokens are signed with: a secret that hub key has made, public keys in PEM, or a JWK set. It is for tokens whose issuer (iss) is none of auth.issuers."`
	Audience    []string  `default:"" doc:"Whom tokens by that key are for: one of these has to be in their aud. If it is empty aud is not looked at."`
	Issuers     Issuers   `doc:"Issuers of tokens, each with keys of its own. One looks like {issuer: https://login.example.com/, url: https://login.example.com/jwks.json, audience: [nave]}."`
	Claim       string    `default:"nave" doc:"The claim that lists what a token's bearer may do, as {publish: [...], subscribe: [...], admin: [...], source: ...}."`
	Grant       Grant     `doc:"What the bearer of a token without that claim may do. In a filter, {sub} stands for the claim sub, and so for every other."`
	Anonymous   Anonymous `doc:"What those may do who show no token."`
	Leeway      Duration  `default:"10s" doc:"How far the clocks of issuers may be off."`
	MaxLifetime Duration  `default:"366d" min:"1m" doc:"The longest that a token may be valid from now on. So long, at most, a revocation has to be kept."`
	Cookie      string    `default:"__Host-nave" doc:"The cookie that a browser may bring the token in, instead of the Authorization header."`
	TicketLife  Duration  `default:"30s" min:"1s" doc:"How long a ticket (POST /v1/tickets) can be used."`
}

// An Issuer signs tokens.
type Issuer struct {
	Issuer     string   `doc:"The iss of its tokens."`
	File       string   `default:"" doc:"File with its keys: a secret, public keys in PEM, or a JWK set."`
	URL        string   `default:"" doc:"Where its JWK set is, with https. It is fetched again now and then, and when a key is not known."`
	Audience   []string `default:"" doc:"Whom its tokens are for: one of these has to be in their aud. If it is empty aud is not looked at."`
	Algorithms []string `default:"" doc:"Which are accepted, such as RS256 or EdDSA. Empty are those that its keys are for."`
}

// Issuers are the sources of tokens.
type Issuers []Issuer

// Grant is what a token allows that does not say so itself.
type Grant struct {
	Publish   []string `default:"" doc:"Filters of topics that it may publish to."`
	Subscribe []string `default:"" doc:"Filters of topics that it may read."`
}

// Anonymous is what is allowed without a token.
type Anonymous struct {
	Publish   []string `default:"" doc:"Filters of topics that everybody may publish to who can reach the hub."`
	Subscribe []string `default:"" flag:"anonymous-read" doc:"Filters of topics that everybody may read who can reach the hub."`
	Admin     []string `default:"" doc:"What everybody may administer who can reach the hub: paths below /v1/admin, and metrics for /metrics."`
}

// Nothing reports whether those without a token may do nothing.
func (a Anonymous) Nothing() bool { return len(a.Publish)+len(a.Subscribe)+len(a.Admin) == 0 }

// Limits bound what the hub accepts.
type Limits struct {
	Body                  Bytes    `default:"1MiB" min:"1KiB" doc:"The largest body of a request."`
	Event                 Bytes    `default:"256KiB" min:"1KiB" doc:"The most that the data of an event takes, without spaces. It has to fit into a body."`
	Batch                 int      `default:"1000" min:"1" doc:"The most events in a batch."`
	Filters               int      `default:"100" min:"1" doc:"The most filters of a client."`
	Topics                int      `default:"100000" min:"1" doc:"The most topics that are in use at once."`
	ConnectionsPerSubject int      `default:"100" min:"1" doc:"The most streams and waiting polls of one subject of tokens."`
	PublishRate           float64  `default:"0" doc:"How many events a second are accepted in all; 0 is without limit."`
	PublishRatePerSubject float64  `default:"10000" doc:"How many events a second one subject of tokens may publish, or an address without a token, other than this machine's; 0 is without limit."`
	Connections           int      `default:"20000" min:"1" doc:"The most streams and waiting polls at once. All connections together are bounded by how many files the process may open."`
	ConnectionsPerAddress int      `default:"1000" doc:"The most connections at once from one address, or one /64 of IPv6; 0 is without limit. It does not hold for this machine itself, nor for proxies.trusted. It bounds the streams and waiting polls without a token, too, of each address that a trusted proxy speaks for."`
	Mailboxes             Bytes    `default:"64MiB" min:"256KiB" doc:"How much may wait in memory for all clients together; each is bounded by client.mailbox too."`
	Wait                  Duration `default:"30s" min:"1s" doc:"The longest that a long-poll waits for events."`
	Header                Bytes    `default:"32KiB" min:"4KiB" doc:"The largest header of a request."`
	Handshake             Duration `default:"10s" min:"100ms" doc:"How long a connection may take for the handshake of TLS, and then for the header of a request."`
}

// Client says how one connection of a subscriber is served.
type Client struct {
	Mailbox      Bytes    `default:"256KiB" min:"4KiB" doc:"How much may wait for a slow client in memory. Beyond it the client reads from the log at its own pace."`
	WriteTimeout Duration `default:"10s" min:"100ms" doc:"How long one write to a client may take before it is disconnected."`
	Heartbeat    Duration `default:"15s" min:"1s" doc:"How often every stream is sent hub.heartbeat, by which its reader knows that it lives."`
	MaxLag       Duration `default:"1m" min:"1s" doc:"How far behind a client may fall before it is disconnected, to come back with its cursor."`
	Retry        Duration `default:"2s" min:"100ms" doc:"How long a client that was told goodbye waits, at least, before it comes back."`
	RetrySpread  Duration `default:"5s" min:"1ms" doc:"Over how much time such clients are spread, so that they do not come back all at once."`
}

// Presence says who is shown to be present.
type Presence struct {
	Grace Duration `default:"10s" min:"1s" doc:"For how long somebody without a connection, or without another poll, is still present, so that a page that is loaded anew does not leave."`
}

// CORS says which web pages may use the hub from a browser.
type CORS struct {
	Hosts   []string `default:"" doc:"Names that the hub answers to, without port; an empty list is every name. Who points a name of its own to this machine can have pages pass for the hub's."`
	Origins []string `default:"http://localhost:*,http://127.0.0.1:*" doc:"Origins such as https://example.com, or http://localhost:* for any port; * is every origin, and an empty list is none but the hub's own."`
}

// TLS says how the hub speaks HTTPS itself.
type TLS struct {
	Certificate string   `default:"" doc:"File with the certificate in PEM, followed by those of the authorities between it and the root. It and the key are read again when they change."`
	Key         string   `default:"" doc:"File with the private key of the certificate, in PEM."`
	HSTS        Duration `default:"365d" doc:"For how long a browser that has been here by HTTPS uses nothing else for this host, on all its ports; 0 does not ask it to."`
	ACME        ACME     `doc:"Certificates that the hub gets and renews by itself, instead of certificate and key."`
}

// Enabled reports whether the hub speaks HTTPS.
func (t TLS) Enabled() bool { return t.Certificate != "" || len(t.ACME.Domains) > 0 }

// ACME says which certificates the hub gets and renews by itself.
type ACME struct {
	Domains   []string `default:"" doc:"Names of this host, for each of which the hub gets a certificate. Port 443 of each has to lead here from everywhere. Who sets it agrees to the terms of the authority."`
	Email     string   `default:"" doc:"Where the authority writes to if something is wrong."`
	Directory string   `default:"https://acme-v02.api.letsencrypt.org/directory" doc:"Where the authority is asked: Let's Encrypt, or another that speaks ACME (RFC 8555) with the challenge tls-alpn-01."`
}

// Proxies says whom the hub believes when it is told where a request comes from.
type Proxies struct {
	Trusted []string `default:"" doc:"Networks and addresses of proxies in front of the hub, such as 10.0.0.0/8 or 192.0.2.7. Who connects from there may say for whom."`
	Header  string   `default:"x-forwarded-for" in:"x-forwarded-for|forwarded" doc:"The header in which they say it, to which each of them appends. The other is not read: a proxy passes on what a client wrote into it."`
}

// Shutdown says how the hub ends.
type Shutdown struct {
	Timeout Duration `default:"15s" min:"1s" doc:"How long clients and publishers are given to finish before they are cut off."`
}

// Logging says what the hub writes about itself.
type Logging struct {
	Level  string `default:"info" in:"debug|info|warn|error" flag:"log-level" doc:"The least important that is written."`
	Format string `default:"text" in:"text|json" flag:"log-format" doc:"How it is written: for people or for machines."`
}

// SlogLevel is Level for package log/slog.
func (l Logging) SlogLevel() slog.Level {
	var level slog.Level
	_ = level.UnmarshalText([]byte(l.Level)) // Validate knows all levels; info otherwise
	return level
}

// Telemetry says how the hub appears in traces and metrics.
type Telemetry struct {
	Service  string  `default:"nave" doc:"The name of this service, unless OTEL_SERVICE_NAME is set."`
	Receipts float64 `default:"0.01" doc:"The share of events of which clients are asked to tell when they received and rendered them: 1 is every event, 0 is none."`
}

// A TopicRule is what holds for the topics that its filter matches.
type TopicRule struct {
	Filter     nave.Filter     `doc:"Which topics. * stands for one segment, ** at the end for any rest."`
	Durability nave.Durability `default:"durable" in:"durable|memory|transient" doc:"What a publisher's yes is worth: on disk, in memory, or delivered to whoever is there."`
	Rate       float64         `default:"0" doc:"How many events a second each of these topics may publish; 0 is without limit."`
	Burst      int             `default:"0" doc:"How many events may come at once. Never less than a second's, so that 0 will do."`
}

// Topics are rules, of which the first that matches decides.
type Topics []TopicRule

// Default is the configuration of somebody who has said nothing.
func Default() Config {
	var c Config
	setDefaults(&c)
	return c
}
