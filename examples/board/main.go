// Command board is an application with the hub inside: a board of cards that
// several people move at the same time, and conversations. See README.md.
//
//	make board
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"go.uber.org/dig"
	"go.uber.org/fx"

	"github.com/navehub/nave/examples/board/store"
)

type options struct {
	listen  string
	web     string // the folder of the page
	data    string // the folder of what is to be kept
	alone   bool   // without the hub
	trouble bool
}

// mayTrouble reports whether the page may make trouble: where only this machine can
// reach it.
func (o options) mayTrouble() bool { return o.trouble && isLocal(o.listen) }

func main() {
	var o options
	flag.StringVar(&o.listen, "listen", "localhost:8090", "the address to listen at")
	flag.StringVar(&o.web, "web", "web/board/dist", "the folder of the page that was built")
	flag.StringVar(&o.data, "data", "board-data", "the folder of the database and of the hub's log")
	flag.BoolVar(&o.alone, "alone", false, "run without the hub, as it was before: the page can only poll")
	flag.BoolVar(&o.trouble, "trouble", true, "let the page make trouble: stop the hub, slow it down; at a local address only")
	flag.Parse()
	os.Exit(run(o))
}

// run is a board from its start to its end, and returns the code to exit with.
func run(o options) int {
	app := fx.New(application(o), fx.Invoke(greet))
	begun, cancel := context.WithTimeout(context.Background(), app.StartTimeout())
	defer cancel()
	err := app.Err()
	if err == nil {
		err = app.Start(begun)
	}
	code := 1
	if err == nil {
		code = (<-app.Wait()).ExitCode
	}
	ending, cancel := context.WithTimeout(context.Background(), app.StopTimeout())
	defer cancel()
	// Why it did not start counts for more; what fx wraps around it is for who wires it.
	if err = cmp.Or(err, app.Stop(ending)); err != nil {
		fmt.Fprintln(os.Stderr, "board:", dig.RootCause(err))
		return 1
	}
	return code
}

func application(o options) fx.Option {
	return fx.Options(
		fx.Supply(o),
		fx.Provide(openStore, newCounter, newEmbedded, newAPI, newServer),
		fx.Invoke(func(listening) {}),
		fx.StopTimeout(patience),
		fx.NopLogger, // its errors are those of run
	)
}

func greet(lc fx.Lifecycle, at listening) {
	lc.Append(fx.StartHook(func() {
		fmt.Printf("The board is at http://%s, and the hub's dashboard at http://%s/dashboard\n"+
			"Sign in as ada, ben, chloe, dan or eva; in two windows as two of them.\n", at, at)
	}))
}

func openStore(lc fx.Lifecycle, o options) (*store.Store, error) {
	if err := os.MkdirAll(o.data, 0o700); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	s, err := store.Open(ctx, filepath.Join(o.data, "board.sqlite"))
	if err == nil {
		lc.Append(fx.StopHook(s.Close))
	}
	return s, err
}

func newAPI(o options, s *store.Store, e *embedded, c *counter) (*api, error) {
	key, err := readKey(o.data)
	return &api{store: s, hub: e, counter: c, key: key, alone: o.alone, trouble: o.mayTrouble()}, err
}
