package main

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/navehub/nave/config"
)

// A runningHub is a hub of a test's own.
type runningHub struct {
	cancel context.CancelFunc
	code   chan int
	log    *watchedBuffer
}

// startHub runs "hub serve" until the test stops it, or ends.
func startHub(t *testing.T, data string) runningHub {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	started, signal := context.WithCancel(t.Context())
	t.Setenv("NAVE_AUTH_ANONYMOUS_PUBLISH", "**")
	h := runningHub{cancel, make(chan int, 1), &watchedBuffer{until: "\n", cancel: signal}}
	go func() { // ends with stop
		defer signal()
		args := []string{"serve", "--listen", "127.0.0.1:0", "--data", data, "--log-format", "json", "--anonymous-read"}
		h.code <- run(ctx, strings.NewReader(""), io.Discard, h.log, args)
	}()
	t.Cleanup(func() { h.stop() })
	<-started.Done()
	first, _, _ := strings.Cut(h.log.String(), "\n")
	var up struct{ Msg, Address, Data string }
	if err := json.Unmarshal([]byte(first), &up); err != nil || up.Address == "" || up.Data != data {
		t.Fatalf("the hub begins with %q: %v", first, err)
	}
	t.Setenv(urlVariable, "http://"+up.Address)
	return h
}

func (h runningHub) stop() (code int) {
	h.cancel()
	code = <-h.code
	h.code <- code // for the next who asks
	return code
}

// tailUntil tails until stdout holds a text.
func tailUntil(t *testing.T, until string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	out := watchedBuffer{until: until, cancel: cancel}
	errs := watchedBuffer{until: "\x00", cancel: cancel}
	code := run(ctx, strings.NewReader(""), &out, &errs, append([]string{"tail"}, args...))
	if ctx.Err() == context.DeadlineExceeded {
		t.Fatalf("still waiting for %q\n%s%s", until, &out, &errs)
	}
	return result{code, out.String(), errs.String()}
}

func TestServePublishTail(t *testing.T) {
	data := t.TempDir()
	h := startHub(t, data)
	for _, args := range []string{"healthcheck", "healthcheck --ready"} {
		if r := hubCommand(t, "", strings.Fields(args)...); r.code != 0 {
			t.Errorf("%s: %+v", args, r)
		}
	}
	steps := []struct {
		stdin, args, out string
		code             int
	}{
		{`{"to":"done"}`, "cards/1 --type card.moved --key card-1 --data - --id once", "published at offset 1, version 1, cursor ", 0},
		{`{"to":"done"}`, "cards/1 --type card.moved --key card-1 --data - --id once", "published before, at offset 1, version 1, ", 0},
		{"", "cards/1 --type card.moved --key card-1 --if-version 0", "", exitFailure},
		{"", "cards/1 --type card.moved --key card-1 --data 2 --if-version 1", "published at offset 2, version 2, cursor ", 0},
		{`{"topic":"cards/2","type":"a"}` + "\n" + `[{"topic":"cards/2","type":"b"},{"topic":"cards/3","type":"c"}]`,
			"--ndjson", "published at offset 3, cursor ", 0},
	}
	var cursor string
	for _, step := range steps {
		r := hubCommand(t, step.stdin, append([]string{"publish"}, strings.Fields(step.args)...)...)
		if r.code != step.code || !strings.HasPrefix(r.out, step.out) {
			t.Errorf("publish %s: %+v", step.args, r)
		}
		if _, at, ok := strings.Cut(r.out, "cursor "); ok && cursor == "" {
			cursor, _, _ = strings.Cut(at, "-")
		}
	}

	if code := h.stop(); code != 0 {
		t.Fatalf("exit code %d\n%s", code, h.log)
	}
	startHub(t, data) // everything acknowledged is there

	r := tailUntil(t, "└", "cards/**", "--cursor", cursor+"-0")
	if r.code != 0 || !strings.Contains(r.err, "resumed") {
		t.Errorf("%+v", r)
	}
	for i, want := range []string{"#1  {\"to\":\"done\"}", "#2", "#3", "┌ cards/2", "└ cards/3"} {
		if lines := strings.Split(r.out, "\n"); len(lines) != 6 || !strings.Contains(lines[i], want) {
			t.Fatalf("line %d lacks %q:\n%s", i, want, r.out)
		}
	}
	r = tailUntil(t, `"key":"card-1"`, "cards/*", "--snapshot", "--json", "--cursor", "foreign-1")
	if r.code != 0 || !strings.Contains(r.err, "(foreign-epoch)") {
		t.Errorf("%+v", r)
	}
}

// In a storm, of collections here, more garbage may gather in a hub.
func TestServeMindsGarbage(t *testing.T) {
	mayGrow := func() int {
		percent := debug.SetGCPercent(100)
		debug.SetGCPercent(percent)
		return percent
	}
	defer debug.SetGCPercent(mayGrow())
	t.Setenv("GOGC", "")
	t.Setenv("GOMEMLIMIT", "")
	h := startHub(t, filepath.Join(t.TempDir(), "data"))
	usual := mayGrow()
	for begun := time.Now(); mayGrow() == usual; runtime.GC() {
		if time.Since(begun) > 10*time.Second {
			t.Fatalf("in a storm the heap may grow by %d %%, as ever", usual)
		}
	}
	if h.stop(); mayGrow() != usual {
		t.Errorf("when the hub has ended the heap may grow by %d %%, want %d", mayGrow(), usual)
	}
}

func TestServeNeedsAKey(t *testing.T) {
	r := hubCommand(t, "", "serve", "--listen", "127.0.0.1:0", "--data", t.TempDir())
	if r.code != exitUsage || !strings.Contains(r.err, " key nave.key\n") || !strings.Contains(r.err, " serve --anonymous-read\n") {
		t.Errorf("%+v", r)
	}
	for _, more := range [][]string{nil, {"--anonymous-read"}, {"--key", "nave.key"}} {
		r := hubCommand(t, "", append([]string{"dev", "--listen", "0.0.0.0:0", "--data", t.TempDir()}, more...)...)
		if r.code != exitUsage || !strings.Contains(r.err, "for this machine alone") {
			t.Errorf("%v: %+v", more, r)
		}
	}
	cfg := config.Default()
	if err := forThisMachine(&cfg, nil); err != nil || len(cfg.CORS.Hosts) != 3 || len(cfg.Auth.Anonymous.Admin) == 0 {
		t.Errorf("hub dev is %+v, answers to %q: %v", cfg.Auth.Anonymous, cfg.CORS.Hosts, err)
	}
	r = hubCommand(t, "", "dev", "--listen", "0.0.0.0:0", "--data", t.TempDir())
	if r.code != exitUsage || !strings.Contains(r.err, "for this machine alone") {
		t.Errorf("%+v", r)
	}
}

// As everywhere a flag goes over a variable, that over the file, and that over what hub
// dev has of its own; but only the flag opens what is there to everybody.
func TestDevHasItsDataWhereItIsTold(t *testing.T) {
	t.Chdir(t.TempDir())
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{".nave", "filed", "variable", "flag"} {
		write(name, "") // no directory, and refused by its name
	}
	const file = "data: filed\nlisten: 127.0.0.1:0\n"
	write("nave.yaml", file)
	t.Setenv("NAVE_LISTEN", "127.0.0.1:0")
	refused := func(name string, args ...string) {
		t.Helper()
		if r := hubCommand(t, "", append([]string{"dev"}, args...)...); r.code != exitFailure || !strings.Contains(r.err, " "+name+" is a file") {
			t.Errorf("%v: want that %s is a file, got %+v", args, name, r)
		}
	}
	refused("./.nave")
	refused("flag", "--config", "nave.yaml", "--data", "flag")
	locked := "auth: {anonymous: {subscribe: [cards/**]}}\n"
	for _, step := range []struct{ more, name, source string }{{"", "filed", "nave.yaml:1"}, {"variable", "variable", "NAVE_DATA"}} {
		t.Setenv("NAVE_DATA", step.more)
		write("nave.yaml", file)
		r := hubCommand(t, "", "dev", "--config", "nave.yaml")
		if want := "would open what is in " + step.name + " (" + step.source + ") to every program"; r.code != exitUsage || !strings.Contains(r.err, want) {
			t.Errorf("data that everybody could read and change: want %q, got %+v", want, r)
		}
		write("nave.yaml", file+locked)
		refused(step.name, "--config", "nave.yaml")
	}

	t.Setenv("NAVE_LISTEN", "0.0.0.0:0")
	if r := hubCommand(t, "", "dev"); !strings.Contains(r.err, "for this machine alone") {
		t.Errorf("an address that others can reach: %+v", r)
	}
}

// Whatever keeps a hub from starting is said in one line.
func TestServeSaysWhyItDoesNotStart(t *testing.T) {
	dir := t.TempDir()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	file := filepath.Join(dir, "nave.yaml")
	if err := os.WriteFile(file, []byte("log:\n  engin: memory\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{
		"serve --data " + dir + "/a --anonymous-read --listen " + taken.Addr().String(): taken.Addr().String() + " is in use by another program: ",
		"dev --data " + dir + " --listen 127.0.0.1:0":                                   "directory " + dir + " holds something else (nave.yaml)",
		"dev --data " + file + " --listen 127.0.0.1:0":                                  "nave.yaml",
		"serve --config " + file:                                                        file + ":2: unknown key \"engin\" in log: did you mean engine?",
		"serve --listen nowhere":                                                        "--listen: listen: \"nowhere\" is not an address",
		"serve --config " + dir + "/none":                                               "configuration: open " + dir + "/none: no such file",
	} {
		r := hubCommand(t, "", strings.Fields(args)...)
		if r.code != exitFailure || !strings.HasPrefix(r.err, "hub: ") || strings.Count(r.err, "\n") != 1 || !strings.Contains(r.err, want) {
			t.Errorf("hub %s\ngot  %d %swant %s", args, r.code, r.err, want)
		}
	}
}

func TestServeEndsQuietlyDuringStart(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var errs strings.Builder
	args := []string{"serve", "--listen", "127.0.0.1:0", "--data", t.TempDir(), "--anonymous-read"}
	if code := run(ctx, strings.NewReader(""), io.Discard, &errs, args); code != 0 || errs.Len() > 0 {
		t.Errorf("exit code %d, stderr %q", code, &errs)
	}
}

func TestMessages(t *testing.T) {
	cfg := config.Default()
	cfg.Data = "./.nave"
	var text strings.Builder
	cfg.Auth.Anonymous = config.Everything()
	devMessage(&text, cfg, "127.0.0.1:8080")
	cfg.Auth.Anonymous = config.Anonymous{Subscribe: []string{"public/**"}}
	devMessage(&text, cfg, "127.0.0.1:8080")
	cfg.Auth.Anonymous = config.Anonymous{}
	cfg.Auth.Key = "nave.key"
	devMessage(&text, cfg, "[::]:9090")
	startMessage(&text, cfg, "10.0.0.7:8080")
	cfg.TLS.Certificate = "hub.pem"
	startMessage(&text, cfg, "[::]:8080")
	cfg.TLS.ACME.Domains = []string{"hub.example.com"}
	startMessage(&text, cfg, "[::]:443")
	golden(t, "messages.txt", strings.ReplaceAll(text.String(), invokedAs()+" ", "hub "))
}

func TestConfigCommands(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv(urlVariable, "http://127.0.0.1:1") // no setting, and no error
	if r := hubCommand(t, "", "config", "print"); r.code != 0 || os.WriteFile("nave.yaml", []byte(r.out), 0o600) != nil {
		t.Fatalf("%+v", r)
	}
	if err := os.WriteFile("wrong.yaml", []byte("client: {heartbeat: 1ms}\nlogin: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("NAVE_LOG_ENGINE", "memory")
	for _, test := range []struct {
		args, want string
		code       int
	}{
		{"validate nave.yaml", "nave.yaml is valid\n", 0},
		{"validate", "the configuration (no file, defaults and environment) is valid\n", 0},
		{"validate wrong.yaml", "hub: the configuration has 2 errors:\n  wrong.yaml:1: client.heartbeat: ", 1},
		{"print nave.yaml --sources", "engine: memory  # NAVE_LOG_ENGINE", 0},
		{"print nave.yaml --sources", "listen: 127.0.0.1:8080  # nave.yaml:", 0},
		{"reference", "| `log.engine` | `NAVE_LOG_ENGINE` |", 0},
	} {
		r := hubCommand(t, "", append([]string{"config"}, strings.Fields(test.args)...)...)
		if r.code != test.code || !strings.Contains(r.out+r.err, test.want) {
			t.Errorf("config %s: %+v\nwant %s", test.args, r, test.want)
		}
	}
}
