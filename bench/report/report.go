//go:build linux

// Package report runs every mode, holds the figures against what they are to be,
// and writes it all down in Markdown.
package report

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/navehub/nave/bench/mode"
	"github.com/navehub/nave/bench/server"
)

// An entry is one mode with its flags.
type entry struct {
	mode   string
	args   []string
	beside [][]string // flags of further cases, measured in turn with those of args
	once   bool       // more rounds would say nothing more
}

// full takes half an hour, quick three minutes: for trying, since its figures vary.
var (
	full = []entry{
		{mode: "idle"},
		{mode: "fanout"},
		{mode: "reconnect", beside: [][]string{{"-restart"}}},
		{mode: "latency", args: []string{"-for", "8s"}},
		{mode: "publish", args: []string{"-for", "4s"}},
		{mode: "topics", args: []string{"-for", "8s"}},
		{mode: "wildcard", args: []string{"-for", "8s"}},
		{mode: "churn", args: []string{"-for", "8s"}},
		{mode: "start", once: true},
	}
	quick = []entry{
		{mode: "idle", args: []string{"-settle", "3s"}},
		{mode: "fanout", args: []string{"-for", "1s"}},
		{mode: "reconnect", args: []string{"-times", "2"}, beside: [][]string{{"-restart"}}},
		{mode: "latency", args: []string{"-for", "2s"}},
		{mode: "publish", args: []string{"-for", "1s"}},
		{mode: "topics", args: []string{"-for", "2s"}},
		{mode: "wildcard", args: []string{"-for", "2s"}},
		{mode: "churn", args: []string{"-for", "2s"}},
		{mode: "start", args: []string{"-times", "1"}, once: true},
	}
)

const rounds = 3

// Prepare reads the flags of the mode "all", opens its output, and returns what
// measures.
func Prepare(args []string) (func(context.Context) error, error) {
	flags := flag.NewFlagSet("all", flag.ContinueOnError)
	hasty := flags.Bool("quick", false, "in three minutes, one round, for trying")
	path := flags.String("out", "", "file for the report; by default bench/RESULTS.md, or standard output if quick")
	var o mode.Options
	o.DirFlag(flags)
	if err := mode.Parse(flags, args); err != nil {
		return nil, err
	}
	plan, times := full, rounds
	if *hasty {
		plan, times = quick, 1
	} else if *path == "" {
		*path = "bench/RESULTS.md"
	}
	out, err := open(*path)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		defer out.Close()
		return run(ctx, o.Dir, plan, times, out)
	}, nil
}

// open opens the report before anything is measured, and leaves it as it is.
func open(path string) (*os.File, error) {
	if path == "" {
		return os.Stdout, nil
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("all: the report cannot be written: %w", err)
	}
	return f, nil
}

func run(ctx context.Context, dir string, plan []entry, times int, out *os.File) error {
	k, err := server.NewKit(ctx, dir, "")
	if err != nil {
		return err
	}
	defer k.Remove()
	machine, err := beginMachine(k.Dir())
	if err != nil {
		return err
	}
	all, err := measureAll(ctx, k, plan, times)
	if err != nil {
		return err
	}
	if err := machine.end(); err != nil {
		return err
	}
	all.sync = machine.sync.Seconds() * 1e3
	if out != os.Stdout {
		if err := out.Truncate(0); err != nil {
			return err
		}
	}
	return errors.Join(all.write(out, machine, times), all.err())
}

// results are the samples of all cases, in the order in which they were taken.
type results struct {
	byCase map[string]*mode.Samples
	order  []*mode.Samples
	sync   float64 // milliseconds that the disk takes for one
}

func measureAll(ctx context.Context, k *server.Kit, plan []entry, times int) (*results, error) {
	all := &results{byCase: make(map[string]*mode.Samples)}
	for _, e := range plan {
		cases, err := e.cases()
		if err != nil {
			return nil, err
		}
		n := times
		if e.once {
			n = 1
		}
		for _, s := range mode.Measure(ctx, k, cases, n, os.Stderr) {
			all.byCase[s.Case.Name] = s
			all.order = append(all.order, s)
			fmt.Fprintln(os.Stderr, "\n"+s.Table())
		}
	}
	return all, ctx.Err()
}

// cases are all of the entry, which take turns.
func (e entry) cases() (all []mode.Case, err error) {
	m, err := mode.Find(e.mode)
	if err != nil {
		return nil, err
	}
	for _, args := range append([][]string{e.args}, e.beside...) {
		cases, err := m.Cases(flag.NewFlagSet(e.mode, flag.ContinueOnError), args)
		if err != nil {
			return nil, err
		}
		all = append(all, cases...)
	}
	return all, nil
}

func (r *results) err() error {
	var failed []error
	for _, s := range r.order {
		failed = append(failed, s.Err())
	}
	return errors.Join(failed...)
}

func (r *results) write(w io.Writer, m *machine, times int) error {
	text := "# Results\n\n<!-- Written by `make bench`. -->\n\n" + m.String() + "\n" + r.method(times) +
		"\n## What it is to be, and what it is\n\n" + verdicts + "\n" + r.judge() + "\n## Figures\n\n" + legend
	for _, s := range r.order {
		text += "\n" + s.Table()
	}
	if err := r.err(); err != nil {
		text += fmt.Sprintf("\n## What failed\n\n```\n%v\n```\n", err)
	}
	_, err := io.WriteString(w, text)
	return err
}

func (r *results) method(times int) string {
	text := "One short round of each, for trying: these figures vary. "
	if times > 1 {
		text = fmt.Sprintf("The cases of a mode and their servers took turns, %d rounds of each, but one of `start`: a figure is the median, with the least and the most in brackets. "+
			"Load and server shared the machine, over loopback; what each took is from `/proc`. ", times)
	}
	runs, failed := 0, 0
	for _, s := range r.order {
		for _, rounds := range s.Rounds {
			runs += len(rounds)
		}
		failed += len(s.Failed)
	}
	if failed > 0 {
		return text + fmt.Sprintf("**%d of %d runs failed**: why stands at the end, and their figures are left out.\n", failed, runs)
	}
	return text + fmt.Sprintf("In each of the %d runs every subscriber was checked to have received exactly what was accepted, at the offsets that the publishers were told, in order. "+
		"Where nobody subscribes, as in `publish`, %s more events at most were published in the same way before a subscriber, "+
		"and then read back: of durable topics all that was ever accepted, also after `kill -9`; of `hub-memory` what that subscriber saw; of the others nothing. "+
		"No publish was refused, and no rate was missed by more than 3 %%.\n", runs, mode.Grouped(mode.Witnessed))
}

const verdicts = "A ratio is that of the two medians; in brackets are the least and the most of the rounds, each with its own pair. " +
	"A limit that was itself measured is that of the medians, and each round has its own. " +
	"*Within the noise* says that the other verdict would be had from some of the rounds.\n"

const legend = "`raw` is one epoll loop in Go that writes the same bytes to every socket, `naive` is net/http with a goroutine and a channel for each subscriber; " +
	"neither stores or promises anything. `hub` is the hub with durable topics, as it comes but for three settings: everybody may do everything, it logs warnings only, and its level stays as it is (`NAVE_LEVELS_AUTOMATIC=off`). " +
	"`hub-memory` and `hub-transient` are the same with topics of that durability, and `hub-tokens` is one that demands a signed token of everybody, and has room for all connections and any rate of the one subject there is. " +
	"No server has settings of the environment that bench was started in (`NAVE_`…, `GOGC`, `GOMEMLIMIT`, `GODEBUG`, `GOMAXPROCS`). " +
	"Events have 200 bytes of data. Latency is from when an event was due to when its subscriber had read it; *sent late* is how much of that was over before it was sent, " +
	"because the load had no processor or no connection free. An event counts by when it was due, however late it came. " +
	"`fanout` and `publish` have no due times: they send when somebody has room, and count from then, so that a server which is slow is sent less. " +
	"CPU is in percent of one core. The program is as `make build` makes it. The first column's name is the case.\n"
